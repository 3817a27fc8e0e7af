"""A container engine that lies, says nothing, never ends or never stops talking harms no emergency of its host."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_emergencies import emergency_order
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import Reply
from ringfence.wire.emergency_lines import Emergency, format  # noqa: A004

from tests.lone_target import LoneTarget
from tests.unit.enforcers.nft_kernel import open_kernel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
NOW = int(time.time())
CUT = Emergency("q-0000000c", "quarantine", NOW, inside=("web",), containers=(("web", ("172.17.0.2",)),))
# what it says of `ps` and of `inspect`
ENGINES = {
    "hangs": ("trap '' TERM; sleep 45", ":"),
    "leaves a child that holds its output": ("sleep 45 & echo 0a", "sleep 45 & echo /web 172.17.0.9"),
    "hangs at the second question": ("echo 0a", "sleep 45"),
    "never stops talking": ("yes 0a", ":"),
    "prints garbage": ("echo 'Error: --privileged'; head -c 4000 /dev/urandom", "echo /web 172.17.0.9"),
    "prints garbage of containers": ("echo 0a", "echo '<html>$(reboot)</html>'"),
    "says nothing of any": (":", ":"),
    "says nothing of what it listed": ("echo 0a", ":"),
    "fails": ("exit 3", ":"),
    "knows of another alone": ("echo 0a", "echo /db 172.17.0.7"),
    "mixes what is no address with what is": ("echo 0a", "echo /web 999.1.1.1 172.17.0.9 a:b; echo /db 172.17.0.7."),
    "has given its address to another": ("echo 0a", "echo /db 172.17.0.2"),
}
SHELLS = [["dash", "-s"], ["busybox", "sh", "-s"]]


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def target(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LoneTarget]:
    kernel = open_kernel()
    one = LoneTarget(tmp_path, kernel, request.param)
    yield one
    one.stand_ins = ""
    one.ask("remove", {"force": "1"})
    kernel.close()


def ask(target: LoneTarget) -> Reply:
    return target.ask("emergency", {}, emergency_order(format([CUT]), []).encode())[1]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_container_stays_cut_off_whatever_its_engine_does(target: LoneTarget, engine: str) -> None:
    ps, inspect = ENGINES[engine]
    own = (
        "have() { case $1 in podman | systemd-run | ss) return 1 ;; docker) ;; "
        '*) command -v "$1" >/dev/null ;; esac; }\n'
    )
    target.stand_ins = own + f"docker() {{ case $1 in ps) {ps} ;; inspect) {inspect} ;; esac; }}\n"
    reply = ask(target)
    assert reply.last("state") == "held"
    wanted = "172.17.0.9" if engine.startswith(("leaves", "mixes")) else "172.17.0.2"
    if engine != "has given its address to another":
        held = target.kernel.nft("list", "set", "inet", "ringfence_emergency", "c_0000000c_4")
        assert wanted in held
    else:
        assert "172.17.0.2" not in target.kernel.nft("list", "table", "inet", "ringfence_emergency")
    assert ("the address" in " ".join(reply.all("warning"))) == (wanted == "172.17.0.2")
    # and nothing that it left behind keeps the next command out
    target.stand_ins = own + "docker() { :; }\n"
    assert ask(target).last("state") == "held"
