"""Benchmark `watch`: new flows a second until a host falls behind, against `conntrack -E` over bare ssh."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import COMMAND
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.watch_script import watch_script
from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec
from ringfence.watch.link import Link, Look
from ringfence.watch.told import FlowTold, Missed
from ringfence.watch.ways import Way

from .result import Result, Target

SECONDS = 10.0
RATES = (300, 1000, 3000)
COMPARED = 300
FLOWS = """
import socket, sys, time
rate, seconds, near, far = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4]
ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
began, sent = time.monotonic(), 0
while (now := time.monotonic() - began) < seconds:
    while sent < now * rate:
        ends[sent // 60000].sendto(b"x", (far, 1024 + sent % 60000))
        sent += 1
    time.sleep(0.01)
print(sent)
"""
TRACKING = (
    "add table inet bench; add chain inet bench one {{ type filter hook {hook} priority 0; }};"
    " add rule inet bench one {rule}"
)
EVENTS = "conntrack -E -e NEW & p=$!; read -r line; cat /proc/$p/stat >&2; kill $p"


@dataclass(frozen=True, slots=True)
class Seen:
    """One rate: flows sent, told and left out, CPU seconds on the host and here, seconds of the slowest look."""

    sent: int
    told: int
    missed: int
    host: float
    here: float
    slowest: float = 0.0


def run() -> Result:
    """Measure all rates by both ways, in turns; needs a lab."""
    ours: dict[int, Seen] = {}
    theirs: dict[int, Seen] = {}
    with tempfile.TemporaryDirectory(prefix="rfb-") as directory, hosts(Path(directory)) as lab:
        for rate in RATES:
            ours[rate] = asyncio.run(_watched(lab, rate))
            theirs[rate] = _events(lab, rate)
    return _result(ours, theirs)


@contextmanager
def hosts(directory: Path) -> Iterator[Lab]:
    """Raise two hosts: one sends and is watched, the other drops what comes."""
    lab = Lab("bench", directory / "lab")
    lab.up([HostSpec("near"), HostSpec("far")], "namespaces", stay=False)
    try:
        for host, hook, rule in (
            ("near", "output", "ct state established accept"),
            ("far", "input", "udp dport 1024-65535 drop"),
        ):
            lab.exec(host, ["nft", TRACKING.format(hook=hook, rule=rule)])
        yield lab
    finally:
        lab.down()


async def _watched(lab: Lab, rate: int) -> Seen:
    looks: list[Look] = []
    stands = asyncio.Event()

    def looked(look: Look) -> None:
        looks.append(look)
        stands.set()

    lab.exec("near", ["conntrack", "-F"])
    before = _here()
    words = (*lab.ssh_command("near"), COMMAND)
    link = Link(Way("near", words, watch_script("nftables")), looked, lambda _hello, why: print(why, file=sys.stderr))
    task = asyncio.create_task(link.run())
    await stands.wait()
    first = len(looks)
    sent = await asyncio.to_thread(_send, lab, rate)
    await asyncio.sleep(3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    counted = looks[first:]
    told = sum(isinstance(one, FlowTold) for look in counted for one in look.told)
    missed = sum(one.lines for look in counted for one in look.told if isinstance(one, Missed))
    slowest = max((max(look.took, look.cpu / 0.05) for look in counted), default=0.0)
    return Seen(sent, told, missed, sum(look.cpu for look in counted), _here() - before, slowest)


def _events(lab: Lab, rate: int) -> Seen:
    """Read the kernel's events as a person would: bare ssh, a line an event, each looked at as little as can be."""
    before = _here()
    told = [0]
    lab.exec("near", ["conntrack", "-F"])
    command = (*lab.ssh_command("near"), EVENTS)
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as ssh:
        assert ssh.stdin
        assert ssh.stdout
        assert ssh.stderr
        lines = ssh.stdout

        def count() -> None:
            for line in lines:
                told[0] += "[NEW]" in line and "sport=" in line

        reading = threading.Thread(target=count)
        reading.start()
        time.sleep(2)
        sent = _send(lab, rate)
        time.sleep(1)
        ssh.stdin.write("\n")
        ssh.stdin.close()
        stat = next(line for line in ssh.stderr if ") " in line).rpartition(") ")[2].split()
        reading.join()
    ticks = sum(int(word) for word in stat[11:13])
    return Seen(sent, told[0], max(0, sent - told[0]), ticks / 100, _here() - before)


def _send(lab: Lab, rate: int) -> int:
    return int(subprocess.run(_command(lab, rate), capture_output=True, text=True, check=True).stdout)


def _command(lab: Lab, rate: int) -> list[str]:
    near, far = (host.addresses[0] for host in lab.hosts())
    return lab.exec_command("near", ["python3", "-c", FLOWS, str(rate), str(SECONDS), near, far])


def _here() -> float:
    """Return the CPU seconds of this process and the connections that it ended, without what sends the flows."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def _result(ours: dict[int, Seen], theirs: dict[int, Seen]) -> Result:
    kept_up = [rate for rate, one in ours.items() if not one.missed and one.told >= 0.98 * one.sent and one.slowest < 2]
    heads = ("flows a second", "way", "told", "left out", "host, % of a core", "here, % of a core", "slowest look, s")
    rows = [
        (
            f"{rate:,}",
            name,
            f"{one.told:,} of {one.sent:,}",
            f"{one.missed:,}",
            f"{one.host / SECONDS * 100:.1f}",
            f"{one.here / SECONDS * 100:.1f}",
            f"{one.slowest:.2f}" if one.slowest else "",
        )
        for rate in ours
        for name, one in (("ringfence watch", ours[rate]), ("`conntrack -E`", theirs[rate]))
    ]
    compared = ours[COMPARED].host / SECONDS * 100
    return Result(
        name="watch",
        subject="New flows of a host, told over one ssh connection while they come.",
        seconds=compared,
        peer=max(0.05, theirs[COMPARED].host / SECONDS * 100),
        unit="% of a core on the host",
        table=(heads, *rows),
        targets=(
            Target(f"{COMPARED} new flows a second, % of a core on the host", compared, 5.0),
            Target("new flows a second, all told within 2 s", float(max(kept_up, default=0)), 300.0, least=True),
        ),
        remarks=(
            f"Every flow is a UDP datagram to another port, for {SECONDS:.0f} s: connection tracking holds each for"
            " 30 s, so its table grows all the time.",
            "A look goes through the whole table, events through what is new: on a host with a large table and few new"
            " flows the peer costs less, but it has to be installed, tells no denial, and judges nothing.",
            "What the reader costs is bounded: beyond 5 % of a core it is asked less often: that is the slowest look.",
        ),
        more={"events_a_second": float(max(kept_up, default=0))},
    )
