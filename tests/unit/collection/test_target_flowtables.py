"""What a flowtable carries meets no chain: a quarantine has connection tracking forget it, which lets go of it.

A kernel that has no flowtables, as ours has none, is told here of one by a stand-in; what it tracks is real.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from ringfence.wire.emergency_lines import Emergency

from tests.lone_target import LoneTarget
from tests.unit.collection.emergency_target import ALONE, NOW, ask
from tests.unit.enforcers.nft_kernel import Kernel, open_kernel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
Found = TypeVar("Found")
NEAR, FAR = ("10.7.1.2", "fd07:1::2"), ("10.7.2.2", "fd07:2::2")
GATEWAYS = {"near": ("10.7.1.1", "fd07:1::1"), "far": ("10.7.2.1", "fd07:2::1")}
TRACKING = (
    "table inet fw { chain c { type filter hook forward priority 0; policy accept; ct state established accept; }; }"
)
CUTS = {
    "an address": Emergency("q-0123abcd", "quarantine", NOW, remote=FAR),
    "its networks": Emergency("q-0123abcd", "quarantine", NOW, remote=("10.7.2.0/24", "fd07:2::/64")),
    "the router itself": ALONE,
}
FLOWTABLE = "nft() {{ case $* in 'list flowtables') printf %s '{told}' ;; *) command nft \"$@\" ;; esac; }}\n"
HAS, NONE = "table inet fw {\n\tflowtable f {\n\t}\n}\n", "table inet fw {\n}\n"
LACKS = 'have() {{ case $1 in {without} | systemd-run) return 1 ;; esac; command -v "$1" >/dev/null 2>&1; }}\n'
WITHOUT = {"python3": "python3 | /usr/libexec/platform-python", "conntrack": "conntrack"}


def inside(kernel: Kernel, work: Callable[[], Found]) -> Found:
    """Return what a function returns in a namespace: its sockets stay there."""
    found: list[Found] = []

    def enter() -> None:
        with Path(f"/proc/{kernel.pid}/ns/net").open(encoding="ascii") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        found.append(work())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return found[0]


@contextmanager
def routed() -> Iterator[tuple[Kernel, dict[str, Kernel]]]:
    """Give a router that tracks, and a machine on each of its sides."""
    router, ends = open_kernel(), {name: Kernel() for name in GATEWAYS}
    try:
        lines = ["ip link set lo up"]
        for switch in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            lines.append(f"echo 1 >/proc/sys/net/{switch}")
        for (name, kernel), addresses in zip(ends.items(), (NEAR, FAR), strict=True):
            lines.append(f"ip link add {name} type veth peer name eth0 netns {kernel.pid}; ip link set {name} up")
            own = ["ip link set eth0 up"]
            for gateway, address in zip(GATEWAYS[name], addresses, strict=True):
                length, flag = (64, "nodad") if ":" in address else (24, "")
                lines.append(f"ip address add {gateway}/{length} dev {name} {flag}")
                own.append(f"ip address add {address}/{length} dev eth0 {flag}")
                own.append(f"ip {'-6' if flag else '-4'} route add default via {gateway}")
            router.run("sh", "-ec", "\n".join(lines))
            kernel.run("sh", "-ec", "\n".join(own))
            lines = []
        router.nft("-f", "-", text=TRACKING)
        yield router, ends
    finally:
        for one in (router, *ends.values()):
            one.close()


def connected(ends: dict[str, Kernel], family: int) -> tuple[socket.socket, socket.socket]:
    """Return both ends of a connection through the router."""
    kind, at = (socket.AF_INET6, FAR[1]) if family else (socket.AF_INET, FAR[0])
    listener = inside(ends["far"], lambda: socket.create_server((at, 7000 + family), family=kind))
    with listener:
        client = inside(ends["near"], lambda: socket.create_connection((at, 7000 + family), timeout=10))
        return client, listener.accept()[0]


def tracked(target: LoneTarget) -> set[str]:
    """Return which of the far addresses the router tracks connections of."""
    told = target.kernel.run("sh", "-c", "conntrack -L -f ipv4; conntrack -L -f ipv6")
    return {address for address in FAR if f"dst={address} " in told}


@pytest.mark.parametrize("without", WITHOUT)
@pytest.mark.parametrize("cut", CUTS)
def test_a_quarantine_has_what_a_flowtable_carries_forgotten(tmp_path: Path, cut: str, without: str) -> None:
    with routed() as (router, ends):
        pairs = [connected(ends, family) for family in (0, 1)]
        for told, left in ((NONE, set(FAR)), (HAS, set())):
            lacks = LACKS.format(without=WITHOUT[without]) + FLOWTABLE.format(told=told)
            target = LoneTarget(tmp_path, router, ["dash", "-s"], lacks)
            assert tracked(target) == set(FAR)
            assert ask(target, CUTS[cut]).all("warning") == []
            assert tracked(target) == left
            target.ask("remove", {"force": "1"})
        for one in (*pairs[0], *pairs[1]):
            one.close()


def test_others_are_tracked_on(tmp_path: Path) -> None:
    with routed() as (router, ends):
        pairs = [connected(ends, family) for family in (0, 1)]
        target = LoneTarget(tmp_path, router, ["busybox", "sh", "-s"], FLOWTABLE.format(told=HAS))
        ask(target, Emergency("q-0123abcd", "quarantine", NOW, remote=("10.7.2.2", "fd07:3::/64", "10.7.3.0/24")))
        assert tracked(target) == {FAR[1]}
        target.ask("remove", {"force": "1"})
        for one in (*pairs[0], *pairs[1]):
            one.close()


def test_a_host_that_cannot_says_so(tmp_path: Path) -> None:
    with routed() as (router, _):
        lacks = LACKS.format(without=" | ".join(WITHOUT.values())) + FLOWTABLE.format(told=HAS)
        target = LoneTarget(tmp_path, router, ["dash", "-s"], lacks)
        reply = ask(target, CUTS["an address"])
        assert any("a flowtable carries connections past every table" in one for one in reply.all("warning"))
        target.ask("remove", {"force": "1"})
