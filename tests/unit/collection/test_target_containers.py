"""Whoever fills in the addresses of containers opens nothing: not for who is cut off, and not by an older answer."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_emergencies import emergency_order
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import script
from ringfence.wire.emergency_lines import Emergency, format  # noqa: A004

from tests.lone_target import STAND_INS, LoneTarget, wait_until
from tests.unit.enforcers.nft_kernel import open_kernel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
CUT = Emergency("q-0000000c", "quarantine", 1, inside=("web",), containers=(("web", ("172.17.0.2",)),))
TABLE = "table inet ringfence { map containers_in4 { type ipv4_addr : verdict; }; chain in_web { }; }"
LINES = "container web containers_in4 goto in_web\n"
SHELLS = [["dash", "-s"], ["busybox", "sh", "-s"]]
# Docker alone, whose answers are those of a file.
DOCKER = (
    "have() {{ case $1 in podman | systemd-run | ss | timeout) return 1 ;; docker) ;; "
    '*) command -v "$1" >/dev/null ;; esac; }}\n'
    "docker() {{ case $1 in ps) echo 0a ;; inspect) {inspect} ;; esac; }}\n"
)


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def target(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LoneTarget]:
    kernel = open_kernel()
    kernel.nft("-f", "-", text=TABLE)
    one = LoneTarget(tmp_path, kernel, request.param, stand_ins=DOCKER.format(inspect=f"cat {tmp_path}/told"))
    yield one
    one.stand_ins = ""
    one.ask("remove", {"force": "1"})
    kernel.close()


def begin(target: LoneTarget, words: str) -> subprocess.Popen[str]:
    """Run functions of the script as the target has it."""
    text = f"{target._placed(script())}{STAND_INS.format(place=target.place, peer=target.peer)}{target.stand_ins}"
    path = target.place / f"{abs(hash(words))}.sh"
    path.write_text(f"{text}\nverb=refresh\n{words}\n")
    command = [*target.kernel.entered, *target.shell[:-1], str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_container_that_is_cut_off_is_so_at_its_new_address_before_the_policy_leads_there(target: LoneTarget) -> None:
    (target.place / "told").write_text("/web 172.17.0.2 bridge\n")
    assert target.ask("emergency", {}, emergency_order(format([CUT]), []).encode())[1].last("state") == "held"
    (target.place / "told").write_text("/web 172.17.0.9 bridge\n")
    log = target.place / "log"
    target.stand_ins += f'nft() {{ case $1 in -f) tee -a {log} | command nft "$@" ;; *) command nft "$@" ;; esac; }}\n'
    begin(target, f"fill_containers {shlex.quote(LINES)}").communicate()
    told = log.read_text()
    assert "172.17.0.9" in told.partition("add element inet ringfence containers_in4")[0]
    assert "172.17.0.9" in target.kernel.nft("list", "set", "inet", "ringfence_emergency", "c_0000000c_4")
    assert "172.17.0.9" in target.kernel.nft("list", "map", "inet", "ringfence", "containers_in4")


def test_an_answer_of_the_engine_that_comes_late_does_not_undo_a_newer_one(target: LoneTarget) -> None:
    place = target.place
    (place / "run").mkdir(mode=0o700)
    target.stand_ins += f'flock() {{ command flock "$@" || {{ touch {place}/waits; return 1; }}; }}\n'
    newer, fill = target.stand_ins, f"fill_containers {shlex.quote(LINES)}"
    slow = f"touch {place}/asked; until [ -e {place}/go ]; do sleep 0.02; done; echo /web 172.17.0.2 bridge"
    target.stand_ins += DOCKER.format(inspect=slow)
    first = begin(target, fill)
    wait_until((place / "asked").exists, 20)
    (place / "told").write_text("/web 172.17.0.9 bridge\n")
    target.stand_ins = newer
    second = begin(target, f"{fill}\n:")
    wait_until(lambda: second.poll() is not None or (place / "waits").exists(), 20)
    (place / "go").touch()
    first.communicate()
    second.communicate()
    held = target.kernel.nft("list", "map", "inet", "ringfence", "containers_in4")
    assert ("172.17.0.9" in held, "172.17.0.2" in held) == (True, False)


def test_an_address_that_two_containers_have_is_nobodys(target: LoneTarget) -> None:
    (target.place / "told").write_text("/web 172.17.0.9 bridge\n/other 172.17.0.9 bridge\n")
    begin(target, f"fill_containers {shlex.quote(LINES)}").communicate()
    assert "172.17.0.9" not in target.kernel.nft("list", "map", "inet", "ringfence", "containers_in4")


def test_where_containers_can_forge_addresses_is_said(target: LoneTarget) -> None:
    run = target.kernel.run
    run("ip", "link", "add", "front", "type", "bridge")
    run("ip", "address", "add", "172.30.1.1/24", "dev", "front")
    run("ip", "link", "set", "front", "up")
    words = f"confirmed_processes={shlex.quote(LINES)}\nstatus_held='web 172.30.1.2\nweb fd00::2'\nforeign_containers"
    said = {}
    for value in ("0", "1", "2"):
        run("sh", "-c", f"echo {value} >/proc/sys/net/ipv4/conf/front/rp_filter")
        said[value] = "net.ipv4.conf.front.rp_filter is not 1" in begin(target, words).communicate()[0]
    assert said == {"0": True, "1": False, "2": True}


def test_the_unit_that_follows_fills_in_and_holds_no_lock_while_it_waits(target: LoneTarget) -> None:
    place = target.place
    (place / "told").write_text("/web 172.17.0.9 bridge\n")
    target.stand_ins += (
        f"read_confirmed() {{ confirmed_processes={shlex.quote(LINES)}; }}\nread_wait() {{ false; }}\n"
        f"follow_engines() {{ echo again; until [ -e {place}/go ]; do sleep 0.02; done; }}\n"
    )
    follower = begin(target, "verb_containers")
    try:
        listed = ("list", "map", "inet", "ringfence", "containers_in4")
        wait_until(lambda: "172.17.0.9" in target.kernel.nft(*listed), 20)
        free = ["flock", "-n", str(target.memory / "containers.lock"), "true"]
        wait_until(lambda: subprocess.run(free, check=False).returncode == 0, 20)
    finally:
        (place / "go").touch()
        follower.communicate()
