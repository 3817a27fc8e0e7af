"""Benchmark `quarantine`: from the command to the last packet, of the host itself and of 50 peers, two ways."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.quick_key_exchange import with_quick_exchange
from ringfence.lab.access import CONTROLLER_4, CONTROLLER_6, enter_command
from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec, UnitSpec

from .result import Result, Target

BIN = Path(sys.executable).parent
PEERS = 50
VICTIM = "victim"
QUIET = 2.0  # seconds without a packet after which none is waited for
# In the network of the victim: talks to every peer by TCP (a standing session, and new ones), UDP, ICMP, four times a
# second, and tells when the last packet of each kind left (`out`) and the last one of a peer came (`in`).
TALK = r"""
import json, socket, struct, sys, threading, time
peers = json.loads(sys.argv[1])
last, ended = {}, threading.Event()
def listen():
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    theirs = {a for pair in peers for a in pair}
    while True:
        data, where = tap.recvfrom(128)
        family = data[0] >> 4 if data else 0
        if family == 4:
            protocol, at = data[9], (data[0] & 15) * 4
            ends = [socket.inet_ntop(socket.AF_INET, data[a:a + 4]) for a in (12, 16)]
        elif family == 6:
            protocol, at = data[6], 40
            ends = [socket.inet_ntop(socket.AF_INET6, data[a:a + 16]) for a in (8, 24)]
        else:
            continue
        if protocol == 58 and data[at] > 129 or not theirs & set(ends):
            continue
        if protocol == 6 and 22 in struct.unpack("!HH", data[at:at + 4]):
            continue
        name = {1: "icmp", 58: "icmp", 6: "tcp", 17: "udp"}.get(protocol)
        if name:
            last["%s %s%d" % ("out" if where[2] == 4 else "in", name, family)] = time.time()
threading.Thread(target=listen, daemon=True).start()
threading.Thread(target=lambda: (sys.stdin.readline(), ended.set()), daemon=True).start()
udp = {f: socket.socket(f, socket.SOCK_DGRAM) for f in (socket.AF_INET, socket.AF_INET6)}
ping = {f: socket.socket(f, socket.SOCK_RAW, p) for f, p in ((socket.AF_INET, 1), (socket.AF_INET6, 58))}
def echo(kind):
    head = struct.pack("!BBHHH", kind, 0, 0, 1, 1)
    total = sum(struct.unpack("!4H", head))
    return struct.pack("!BBHHH", kind, 0, ~(total + (total >> 16)) & 0xffff, 1, 1)
def started(address):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    s.setblocking(False)
    s.connect_ex((address, 7000))
    return s
standing = [started(a) for pair in peers for a in pair]
time.sleep(1)
print("talks", flush=True)
new, turn = [], 0
while not ended.is_set():
    began, turn = time.time(), turn + 1
    for pair in peers:
        for a in pair:
            family = socket.AF_INET6 if ":" in a else socket.AF_INET
            for send in (lambda: udp[family].sendto(b"x", (a, 7000)),
                         lambda: ping[family].sendto(echo(128 if ":" in a else 8), (a, 0))):
                try:
                    send()
                except OSError:
                    pass
    for s in standing:
        try:
            s.send(b"x\n")
            s.recv(4096)
        except OSError:
            pass
    if turn % 4 == 0:
        for s in new:
            s.close()
        new = [started(a) for pair in peers for a in pair]
    time.sleep(max(0, began + 0.25 - time.time()))
print(json.dumps(last), flush=True)
"""


def run() -> Result:
    """Measure the host itself, the peers through Ansible and over bare ssh, and what Ansible alone takes."""
    with tempfile.TemporaryDirectory(prefix="rfb-") as directory, _estate(Path(directory)) as (lab, place):
        own, own_kinds, _ = _cut(lab, place / "own", "out", "--direct")
        through, kinds, through_cpu = _cut(lab, place / "peers", "in")
        served = _served(lab)
        direct, _, direct_cpu = _cut(lab, place / "peers", "in", "--direct")
        direct_served, served = _served(lab) - served, _served(lab)
        bare, bare_cpu = _bare(lab, place)
        bare_served = _served(lab) - served
        floor, floor_cpu = _floor(place / "own")
    rows = [("last packet after", "seconds")]
    rows += [(f"{name} of the host itself", f"{kind:.2f}") for name, kind in sorted(own_kinds.items())]
    rows += [(f"{name} of a peer", f"{kind:.2f}") for name, kind in sorted(kinds.items())]
    for what, spent in (
        ("through Ansible", through_cpu),
        ("over bare ssh", direct_cpu),
        ("of Ansible alone", floor_cpu),
        ("of bare `ssh … true`", bare_cpu),
    ):
        rows.append((f"processor seconds here {what}", f"{spent:.2f}"))
    rows += [
        ("processor seconds of the hosts over bare ssh, with the release", f"{direct_served:.2f}"),
        ("processor seconds of the hosts with bare `ssh … true`", f"{bare_served:.2f}"),
        (f"bare `ssh … true` on {PEERS} peers, seconds", f"{bare:.2f}"),
        ("over bare ssh, times what bare `ssh … true` takes", f"{direct / bare:.2f}"),
    ]
    return Result(
        "quarantine",
        f"one host isolated, {PEERS} peers: from the command to the last packet, TCP, UDP and ICMP of both families",
        through,
        floor,
        "s",
        tuple(rows),
        (
            Target("the host itself over bare ssh, seconds", own, 2),
            Target(f"{PEERS} peers through Ansible, seconds", through, 10),
            Target(f"{PEERS} peers over bare ssh, seconds", direct, 5),
        ),
        (
            "the peer is `ansible -m raw -a true` over the same hosts: what Ansible alone takes",
            f"`ssh … true` is OpenSSH's client on the same peers, all {PEERS} at once and with the key exchange that"
            " `--direct` takes: what this machine can do at all in that minute",
            "the last packet is captured behind the filter of its sender, on the victim's interface",
            "peers are measured on a victim that nothing enforces on, so that only they cut it off",
            "all of it runs in the network of the lab's controller, so ssh connects as it does elsewhere; every host's"
            " sshd and shell share these processors",
        ),
        {
            "own": own,
            "direct": direct,
            "cpu": through_cpu,
            "direct_cpu": direct_cpu,
            "peer_cpu": floor_cpu,
            "bare": bare,
        },
    )


@contextmanager
def _estate(directory: Path) -> Iterator[tuple[Lab, Path]]:
    """Raise the hosts, with a workspace where the victim enforces and one where only the peers do."""
    lab = Lab("bench", directory / "lab")
    unit = UnitSpec("echo.service", ("tcp/7000", "udp/7000"), user="echo")
    names = [VICTIM, *(f"peer-{number}" for number in range(1, PEERS + 1))]
    lab.up([HostSpec(name, units=(unit,)) for name in names], "namespaces", stay=False)
    try:
        for name, enforced in (("own", True), ("peers", False)):
            workspace = directory / name
            (workspace / "inventory").mkdir(parents=True)
            way = directory / "ssh_config"
            # the client's own order of key exchanges, as where nobody says another
            way.write_text(re.sub(r"^ *(Proxy|KexAlgorithms).*\n", "", lab.ssh_config.read_text(), flags=re.M))
            written = lab.inventory_path.read_text().replace(str(lab.ssh_config), str(way))
            (workspace / "inventory/hosts.yml").write_text(written)
            if not enforced:
                (workspace / "inventory/victim.yml").write_text(
                    f"all: {{hosts: {{{VICTIM}: {{ringfence_workload: false}}}}}}\n"
                )
            settings = f'control: {{from: ["{CONTROLLER_4}", "{CONTROLLER_6}"], port: 22}}\n'
            (workspace / "ringfence.yml").write_text(settings)
            _ringfence(workspace, "check")  # so the inventory has been asked before, as in a workspace that is used
        yield lab, directory
    finally:
        lab.down()


def _cut(lab: Lab, workspace: Path, direction: str, *options: str) -> tuple[float, dict[str, float], float]:
    """Return the seconds from the command to the last packet of a direction, of all kinds and by kind; then release.

    The last figure is what the command took of this machine's processors.
    """
    hosts = {host.name: list(host.addresses) for host in lab.hosts()}
    peers = [addresses for name, addresses in hosts.items() if name != VICTIM]
    command = lab.exec_command(VICTIM, ["python3", "-c", TALK, json.dumps(peers)])
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as talking:
        assert talking.stdin is not None
        assert talking.stdout is not None
        try:
            assert talking.stdout.readline() == "talks\n"
            time.sleep(1)
            began, before = time.time(), _spent()
            isolate = ["quarantine", VICTIM, "--because", "a benchmark", "--yes", "--json", *options]
            done = json.loads(_ringfence(workspace, *isolate))
            spent = _spent() - before
            time.sleep(QUIET)
            talking.stdin.write("\n")
            talking.stdin.flush()
            last = json.loads(talking.stdout.readline())
        finally:
            talking.stdin.close()  # which ends it
    assert done["ok"], done
    _ringfence(workspace, "release", done["emergency"]["id"], "--direct")
    kinds = {name.partition(" ")[2]: at - began for name, at in last.items() if name.startswith(direction)}
    return max(kinds.values()), kinds, spent


def _ringfence(workspace: Path, *words: str) -> str:
    command = [*_inside(workspace), str(BIN / "ringfence"), *words]
    return subprocess.run(command, cwd=workspace, env=_environment(), capture_output=True, text=True, check=True).stdout


def _inside(workspace: Path) -> list[str]:
    """Return what runs a command in the network of the lab's controller, without a process to each connection."""
    found = re.search(r"--target=(\d+)", (workspace.parent / "lab/ssh_config").read_text())
    assert found is not None
    return enter_command(int(found[1]), network_only=True)


def _environment() -> dict[str, str]:
    """Return an environment in which modules are compiled once, as they are where somebody installed them."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "ringfence-bench-bytecode"), **kept}


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _bare(lab: Lab, place: Path) -> tuple[float, float]:
    """Return the seconds, and the processor's here, of nothing but a connection to each peer, all at once."""
    ssh = with_quick_exchange(["ssh", "-F", str(place / "ssh_config"), "--", "peer-1", "true"])[:-2]
    enter = _inside(place / "own")
    names = [host.name for host in lab.hosts() if host.name != VICTIM]
    began, before = time.monotonic(), _spent()
    null = subprocess.DEVNULL
    running = [subprocess.Popen([*enter, *ssh, name, "true"], stdin=null, stdout=null) for name in names]
    failed = [name for name, one in zip(names, running, strict=True) if one.wait()]
    assert not failed, failed
    return time.monotonic() - began, _spent() - before


def _served(lab: Lab) -> float:
    """Return the processor seconds of all that the sshd of every host has started and seen the end of."""
    first = {status.pid for status in lab.status()}
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue  # it has ended
        fields = rest.split()
        if name == "sshd" and int(fields[1]) in first:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _floor(workspace: Path) -> tuple[float, float]:
    began, before = time.monotonic(), _spent()
    command = [*_inside(workspace), str(BIN / "ansible"), "all", "-i", str(workspace / "inventory/hosts.yml")]
    command += ["-f", "50", "-m", "raw", "-a", "true"]
    subprocess.run(command, env=_environment(), capture_output=True, check=True)
    return time.monotonic() - began, _spent() - before
