"""What goes out by one router and comes back by another: the second has seen no first packet, and judges each."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from ringfence.analysis.explain import explain
from ringfence.analysis.forwarding_hosts import ONE_WAY
from ringfence.model.addresses import point_of
from ringfence.model.rules import Mode
from ringfence.model.services import parse_service

from tests.unit.enforcers.forwarding_hosts import ROUTER, compiled, machine, planned, router
from tests.unit.enforcers.nft_kernel import Kernel, open_kernel

SECOND = replace(router(), name="gw-2", addresses=(point_of("10.1.0.254"), point_of("10.2.0.254")))
MACHINES = (machine("client"), machine("server"), machine("printer", enforcer="forwarded"), router())


def test_an_answer_says_that_it_holds_for_one_way_alone() -> None:
    def notes(*more: object, modes: dict[str, Mode] | None = None, service: str = "tcp/80") -> list[str]:
        found = explain(compiled(*MACHINES, *more, modes=modes), "client", "server", parse_service(service))  # type: ignore[arg-type]
        return [note for side in found.sides for note in side.notes]

    assert notes() == []
    assert notes(SECOND) == [f"{ONE_WAY} {ROUTER}, gw-2 and comes back by another is judged in both directions"] * 2
    # what is denied is so on every way, and who observes denies nothing
    assert not any(ONE_WAY in note for note in notes(SECOND, service="tcp/81"))
    assert notes(SECOND, modes={ROUTER: Mode.OBSERVE}) == []


# Segments with some flags between two machines, as an IPv4 packet by raw sockets; and whether one came.
SENDS = """
import socket, struct, sys
source, target, sport, dport, flags = *map(socket.inet_aton, sys.argv[1:3]), *map(int, sys.argv[3:])
head = struct.pack("!HHIIBBHHH", sport, dport, 1, 1 if flags & 16 else 0, 80, flags, 8192, 0, 0)
whole = source + target + struct.pack("!BBH", 0, 6, len(head)) + head
total = sum(struct.unpack("!%dH" % (len(whole) // 2), whole))
total = (total & 0xFFFF) + (total >> 16)
total = (total & 0xFFFF) + (total >> 16)
head = head[:16] + struct.pack("!H", ~total & 0xFFFF) + head[18:]
socket.socket(socket.AF_INET, socket.SOCK_RAW, 6).sendto(head, (sys.argv[2], 0))
"""
COUNTED = "table ip after { chain c { type filter hook postrouting priority 300; ip protocol tcp counter; }; }"
SYN, SYN_ACK = "2", "18"


@pytest.mark.skipif(os.geteuid() != 0, reason="raw packets belong to root")
def test_a_router_that_saw_no_first_packet_lets_no_answer_back() -> None:
    draft = planned()
    gateway, client, server = open_kernel(), Kernel(), Kernel()
    try:
        gateway.run("sh", "-ec", "ip link set lo up; echo 1 >/proc/sys/net/ipv4/ip_forward")
        for number, kernel in ((1, client), (2, server)):
            here = ("ip", "link", "add", f"n{number}", "type", "veth", "peer", "name", "eth0", "netns", str(kernel.pid))
            gateway.run(*here)
            gateway.run("sh", "-ec", f"ip link set n{number} up; ip address add 10.{number}.0.1/24 dev n{number}")
            at = f"ip link set eth0 up; ip address add 10.{number}.0.2/24 dev eth0"
            kernel.run("sh", "-ec", f"{at}; ip route add default via 10.{number}.0.1")
        gateway.nft("-f", "-", text=COUNTED)
        gateway.load(draft.rulesets[draft.plan.hosts[ROUTER].ruleset])

        def passes(kernel: Kernel, *segment: str) -> bool:
            before = _count(gateway)
            kernel.run("python3", "-c", SENDS, *segment)
            kernel.run("sh", "-c", "sleep 0.3")
            return _count(gateway) > before

        # the first packet went by another router
        assert not passes(server, "10.2.0.2", "10.1.0.2", "80", "40001", SYN_ACK)
        assert passes(client, "10.1.0.2", "10.2.0.2", "40002", "80", SYN)
        assert not passes(client, "10.1.0.2", "10.2.0.2", "40003", "81", SYN)
    finally:
        for one in (gateway, client, server):
            one.close()


def _count(kernel: Kernel) -> int:
    return int(kernel.nft("list", "chain", "ip", "after", "c").partition("packets ")[2].split()[0])
