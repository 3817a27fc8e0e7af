"""A router in front of machines on which nothing is installed: its kernel asked with TCP, UDP, ICMP, both families."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_emergencies import (
    emergency_order,
    read_emergencies,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.verification import verify
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import Plan, load_plan
from ringfence.analysis.held_containers import forwarded_by
from ringfence.compiler import compile_policy
from ringfence.enforcers import enforcer
from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Control, Label, Snapshot
from ringfence.model.emergencies import EmergencyEnd, Kind, Member, Order
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Action, Enforcement, Mode, Peer, Policy, Rule, Settings
from ringfence.model.selectors import ANY, LabelIn
from ringfence.model.services import parse_service
from ringfence.operations.emergency_entries import entry_of
from ringfence.plan import Circumstances, Held, write
from ringfence.plan.build import build
from ringfence.wire.emergency_lines import format  # noqa: A004

from tests.conformance.container_world import CLIENT, CONTAINERS, HOST, NETWORKS, ContainerWorld, needs_root
from tests.conformance.test_containers import PLACE
from tests.lone_target import LoneTarget
from tests.unit.plan.plan_estates import INPUTS, NOW

pytestmark = [pytest.mark.lab, pytest.mark.skipif(needs_root(), reason="needs root: machines are namespaces")]
ROUTER, CONTROLLER, SERVER, STRANGER = "h", "a", "c", "d"
NUMBERS = dict(zip(CONTAINERS, (2, 3, 4, 5), strict=True))
SSH, DATAGRAMS, STANDING = 22, 5353, 9999
RULES = (("tcp/80", 1), (f"udp/{DATAGRAMS}", 2), ("icmp/echo-request", 3), ("icmpv6/echo-request", 4))


class Site:
    """The router as a target of plans, with the machines around it, and connections between these."""

    def __init__(self, world: ContainerWorld, place: Path) -> None:
        self.world = world
        world.start(NUMBERS)
        # the controller of plans is elsewhere; its address is taken from the order
        self.target = LoneTarget(place, world.host, ["dash", "-s"])
        self.plans = place / "made"
        self.control = Control((*world.addresses[CONTROLLER], "10.203.0.1"), SSH)
        self.sequence = 0
        own = [one for v4, v6 in NETWORKS.values() for one in (f"{v4}.1", f"{v6}:1")]
        given = {name: world.addresses[name] for name in (CLIENT, SERVER, CONTROLLER)}
        router = replace(_asset(ROUTER, *own), attributes={"ringfence_nftables": {"forwards": True}})
        behind = [replace(_asset(name, *at), enforcer="forwarded") for name, at in given.items()]
        self.assets = Snapshot(tuple(sorted((router, *behind), key=lambda one: one.name)), NOW)
        self.settings = Settings(control=self.control)

    def plan(self, mode: Mode, *, cut: bool = False) -> Plan:
        """Return a plan in which the router itself has a mode, and the machines around it are in mode full."""
        client, server = LabelIn("role", (CLIENT,)), LabelIn("role", (SERVER,))
        rules = tuple(
            Rule(f"{n:08x}", text, PLACE, (Peer(client),), (Peer(server),), Action.ALLOW, parse_service(text))
            for text, n in RULES
        )
        modes = (
            Enforcement(LabelIn("role", (ROUTER,)), mode, mode, PLACE),
            Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE, cut=cut),
        )
        compiled = compile_policy(
            self.assets, Policy(rules=rules, enforcement=modes), self.settings, abilities=_abilities
        )
        self.sequence += 1
        held = (
            {ROUTER: Held(plan="", ruleset=self.target.held, table="", sequence=0, seen="2026-11-24T07:00:00Z")}
            if self.target.held
            else {}
        )
        draft = build(compiled, enforcer, Circumstances(INPUTS, self.sequence, NOW, held))
        plan = load_plan(str(write(draft, self.plans)))
        self.target.words[plan.host(ROUTER).table[:16]] = plan.digest
        return plan

    def enforce(self, plan: Plan) -> None:
        """Apply and confirm, and read back that the kernel has it."""
        self.target.apply(plan, seconds="30")
        assert self.target.confirm(plan).last("state") == "confirmed"
        assert self.told(plan) == []

    def told(self, plan: Plan) -> list[str]:
        """Return what verify says."""
        reply = self.target.ask("status", {"listing": "1"})[1]
        return [str(one) for one in verify(plan, plan.host(ROUTER), reply)["drift"]]

    def reaches(self, client: str, server: str, wanted: set[tuple[int, int]], *ports: int) -> None:
        """Hold the families and TCP ports that a machine reaches another on against those that it should."""
        probes = {
            (client, address, port): (6 if ":" in address else 4, port)
            for address in self.world.addresses[server]
            for port in ports or (80, 8080, SSH)
        }
        made = self.world.passing(probes, lambda one: probes[one] in wanted)
        assert {probes[one] for one in made} == wanted

    def emergency(self, *orders: Order, ends: tuple[str, ...] = ()) -> None:
        """Have the router hold emergencies, as the commands give them to it."""
        router = self.assets.named()[ROUTER]
        names = {member.name for order in orders for end in (order.first, order.second) for member in end.members}
        behind = forwarded_by(self.assets, self.settings, names).get(ROUTER, ())
        entries = [entry for one in orders if (entry := entry_of(one, router, self.settings, behind=behind))]
        assert len(entries) == len(orders)
        given = emergency_order(format(entries), list(ends))
        status, reply, errors = self.target.ask("emergency", {}, given.encode())
        assert (status, read_emergencies(reply).drift) == (0, ()), errors

    def end(self, *names: str) -> EmergencyEnd:
        """Return some machines as an end of an emergency."""
        named = self.assets.named()
        points = {name: IntervalSet.of((one, one) for one in named[name].addresses) for name in names}
        return EmergencyEnd(names, tuple(Member(name, its, named[name].realm) for name, its in points.items()))


def _asset(name: str, *addresses: str) -> Asset:
    return Asset(name, tuple(sorted(map(point_of, addresses))), {"role": Label(name, "inventory")})


def _abilities(name: str) -> object:
    return enforcer(name).abilities


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    world = ContainerWorld(tmp_path)
    try:
        world.listening += world.inside_of(SERVER, lambda: [_listener(SSH)])
        yield Site(world, tmp_path)
    finally:
        world.close()


def _listener(port: int) -> socket.socket:
    one = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    one.settimeout(5)
    return one


def datagram(world: ContainerWorld, family: int, port: int, size: int = 5) -> bool:
    """Return whether a datagram comes to the server and its answer back; one of thousands of bytes in fragments."""
    address = world.addresses[SERVER][family]
    kind = socket.AF_INET6 if family else socket.AF_INET
    there, here = (world.inside_of(one, lambda: socket.socket(kind, socket.SOCK_DGRAM)) for one in (SERVER, CLIENT))
    with there, here:
        there.bind((address, port))
        here.settimeout(1)
        there.settimeout(1)
        if family:
            # behind extension headers the protocol is the same
            for options in (socket.IPV6_HOPOPTS, socket.IPV6_DSTOPTS) if size < 1000 else ():
                here.setsockopt(socket.IPPROTO_IPV6, options, bytes((0, 0, 1, 4, 0, 0, 0, 0)))
        here.sendto(b"a" * size, (address, port))
        try:
            there.sendto(b"t" * size, there.recvfrom(9000)[1])
            return here.recv(9000) == b"t" * size
        except TimeoutError:
            return False


def pinged(world: ContainerWorld, family: int, source: str = CLIENT) -> bool:
    """Return whether an echo request is answered."""
    kind, protocol, asks, answers = (
        (socket.AF_INET6, socket.IPPROTO_ICMPV6, 128, 129) if family else (socket.AF_INET, socket.IPPROTO_ICMP, 8, 0)
    )
    with world.inside_of(source, lambda: socket.socket(kind, socket.SOCK_RAW, protocol)) as one:
        body = struct.pack("!HH", 7, 1)
        total = (asks << 8) + 7 + 1
        one.sendto(struct.pack("!BBH", asks, 0, ~total & 0xFFFF) + body, (world.addresses[SERVER][family], 0))
        one.settimeout(1)
        until = time.monotonic() + 1
        try:
            while time.monotonic() < until:
                answer = one.recv(256)
                if answer[0 if family else 20] == answers:
                    return True
        except TimeoutError:
            pass
        return False


def test_a_router_judges_for_machines_behind_it(site: Site) -> None:
    world = site.world
    every = {(family, port) for family in (4, 6) for port in (80, 8080, SSH)}

    # observing, it lets all pass and comes to know what stands
    site.enforce(site.plan(Mode.OBSERVE))
    site.reaches(CLIENT, SERVER, every)
    server = world.inside_of(SERVER, lambda: _listener(STANDING))
    ends = world.inside_of(CLIENT, lambda: socket.create_connection((world.addresses[SERVER][0], STANDING), timeout=5))
    accepted = server.accept()[0]
    accepted.settimeout(1)

    full = site.plan(Mode.FULL)
    site.enforce(full)
    site.reaches(CLIENT, SERVER, {(4, 80), (6, 80)})
    site.reaches(SERVER, CLIENT, set(), 80)
    assert [datagram(world, family, port) for family in (0, 1) for port in (DATAGRAMS, 5354)] == [True, False] * 2
    assert [datagram(world, family, port, 4000) for family in (0, 1) for port in (DATAGRAMS, 5354)] == [True, False] * 2
    assert (pinged(world, 0), pinged(world, 1)) == (True, True)
    assert (pinged(world, 0, CONTROLLER), pinged(world, 1, CONTROLLER)) == (False, False)
    # who manages the machines reaches them, whatever its own table says, and nobody else's is judged at a stranger's
    site.reaches(CONTROLLER, SERVER, {(4, SSH), (6, SSH)})
    site.reaches(STRANGER, CONTROLLER, set(), 80)
    ends.sendall(b"still")
    assert accepted.recv(16) == b"still"

    # what is not confirmed goes back
    waiting = site.plan(Mode.OBSERVE)
    site.target.apply(waiting, seconds="1")
    site.reaches(CLIENT, SERVER, every)
    site.target.goes_back_to(full.digest)
    site.reaches(CLIENT, SERVER, {(4, 80), (6, 80)})

    # behind destination NAT it sees the server's own address and port
    world.host.nft(
        "-f",
        "-",
        text="table ip nat {\n chain pre {\n type nat hook prerouting priority -100; policy accept;\n"
        f" tcp dport 8088 dnat to {world.addresses[SERVER][0]}:80\n"
        f" tcp dport 8089 dnat to {world.addresses[SERVER][0]}:8080\n }}\n}}\n",
    )
    site.reaches(CLIENT, HOST, {(4, 8088)}, 8088, 8089)

    now = int(time.time())
    cut = Order("q-0123abcd", Kind.QUARANTINE, "ann", "scans", now, site.end(SERVER), EmergencyEnd())
    site.emergency(cut)
    site.reaches(CLIENT, SERVER, set())
    site.reaches(CONTROLLER, SERVER, {(4, SSH), (6, SSH)})
    site.emergency(ends=(cut.id,))
    let = Order(
        "p-0123abcd", Kind.PERMISSION, "ann", "looks", now, site.end(CLIENT), site.end(SERVER),
        services=parse_service("tcp/8080"), ends=now + 600,
    )  # fmt: skip
    site.emergency(let)
    site.reaches(CLIENT, SERVER, {(family, port) for family in (4, 6) for port in (80, 8080)})
    assert site.told(full) == []
    site.emergency(ends=(let.id,))
    site.reaches(CLIENT, SERVER, {(4, 80), (6, 80)})

    # what is denied and stands ends where that is asked for
    site.enforce(site.plan(Mode.FULL, cut=True))
    ends.sendall(b"over")
    with pytest.raises(TimeoutError):
        accepted.recv(16)
    assert site.target.ask("remove", {"force": "1"})[1].last("state") == "none"
    site.reaches(CLIENT, SERVER, every)
