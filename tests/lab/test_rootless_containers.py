"""A rootless container on its host's network is its user to the host's table: real Podman, without root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import process_lines, script
from ringfence.compiler import compile_policy
from ringfence.enforcers import enforcer
from ringfence.model.assets import Snapshot
from ringfence.model.rules import Action, Enforcement, Mode, Peer, Policy, Process, Rule, Settings
from ringfence.model.selectors import ANY, LabelIn
from ringfence.model.services import parse_service
from ringfence.plan import Circumstances
from ringfence.plan.build import build

from tests.unit.enforcers.containers import PLACE, machine
from tests.unit.enforcers.nft_kernel import Kernel, open_kernel
from tests.unit.plan.plan_estates import CONTROL, INPUTS, NOW

pytestmark = pytest.mark.lab
NOBODY = "65534"
OURS, FAR = "203.0.113.1", "203.0.113.9"
# a hierarchy of cgroups that crun takes for one, whatever the machine has
RUN = """mount --make-rprivate /
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs none /run
mount --make-rshared /
exec setpriv --reuid={user} --regid={user} --clear-groups env -i PATH="$PATH" HOME={place} XDG_RUNTIME_DIR={place} \
  timeout 60 podman --log-level fatal --root {place}/root --runroot {place} --storage-driver vfs \
  --cgroup-manager cgroupfs run --rm --cgroups disabled --network host --rootfs {place}/files \
  /bin/busybox nc -w 3 {far} {port}
"""


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    missing = [tool for tool in ("podman", "crun", "setpriv", "busybox") if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"not there: {', '.join(missing) or 'root'}")
    path = Path("/tmp") / f"rf-rootless-{os.getpid()}"
    (path / "files/bin").mkdir(parents=True)
    shutil.copy(str(shutil.which("busybox")), path / "files/bin/busybox")
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(path)], check=True)
    yield path
    for pause in path.rglob("pause.pid"):
        subprocess.run(["kill", pause.read_text()], check=False)
    shutil.rmtree(path, ignore_errors=True)


def test_a_rootless_container_is_allowed_what_its_user_is(place: Path) -> None:
    host, far = open_kernel(), Kernel()
    serving = []
    try:
        host.run("ip", "link", "add", "out", "type", "veth", "peer", "name", "eth0", "netns", str(far.pid))
        for kernel, device, address in ((host, "out", OURS), (far, "eth0", FAR)):
            kernel.run("ip", "address", "add", f"{address}/24", "dev", device)
            kernel.run("ip", "link", "set", device, "up")
        for port in ("7001", "7002"):
            command = ["busybox", "nc", "-ll", "-p", port, "-e", "/bin/echo", "answer"]
            serving.append(subprocess.Popen([*far.entered, *command]))
        enforce(host)
        said = {port: reached(host, place, port) for port in ("7001", "7002")}
        as_root = [*host.entered, "busybox", "nc", "-w", "3", FAR, "7001"]
        root = subprocess.run(as_root, capture_output=True, stdin=subprocess.DEVNULL, check=False).stdout
    finally:
        for one in serving:
            one.kill()
            one.wait()
        host.close()
        far.close()
    assert (said, root) == ({"7001": b"answer\n", "7002": b""}, b"")


def enforce(host: Kernel) -> None:
    """Load the policy that lets one user reach one port of the far end, and nobody anything else."""
    sender = Peer(LabelIn("role", ("host",)), Process(users=("nobody",)))
    rule = Rule("0" * 8, "one", PLACE, (sender,), (Peer(ANY),), Action.ALLOW, parse_service("tcp/7001"))
    assets = (machine("far", FAR, "far"), machine("host", OURS, "host"))
    policy = Policy(rules=(rule,), enforcement=(Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE),))
    compiled = compile_policy(Snapshot(assets, NOW), policy, Settings(control=CONTROL))
    draft = build(compiled, enforcer, Circumstances(INPUTS, 1, NOW))
    plan = draft.plan.hosts["host"]
    host.load(draft.rulesets[plan.ruleset])
    lines = process_lines(plan.runtime)
    filled = host.run("sh", "-s", text=f"{script()}verb=refresh\nfill_processes '{lines}'\n")
    assert "nobody: enforced" in filled, filled


def reached(host: Kernel, place: Path, port: str) -> bytes:
    """Return what a rootless container hears of a port."""
    text = RUN.format(user=NOBODY, place=place, far=FAR, port=port)
    command = [*host.entered, "unshare", "--mount", "sh", "-ec", text]
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False).stdout
