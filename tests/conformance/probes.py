"""Probes: packets worth sending in a case, what the reference says of them, and how their arrival is recognised."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from ringfence.model.addresses import address_text, family_of
from ringfence.model.rules import Direction
from ringfence.model.services import ICMP, ICMPV6, SCTP, TCP, UDP
from ringfence.model.tables import Effect

from .case import Case, packet_text
from .hosts import OTHER_UNIT, UIDS, Host
from .placement import End, Placement
from .points import BUILT_IN, CLIENT_PORTS, HOPS, services
from .reference import Packet, Side, judge_side, sides_of, stands_above
from .strategies import UNITS

FIRST_NUMBER = 256  # probes are numbered from here; the number travels in two bytes of the packet
# Not to be sent as a transport protocol: hop-by-hop and the reserved number; in IPv6 also the extension headers.
NO_TRANSPORT = {4: {0, 255}, 6: {0, 43, 44, 51, 59, 60, 255}}
SSH = (TCP, 22)  # every lab host's own sshd answers there, and is in none of the named units
Listeners = dict[tuple[Host, int, int], str | None]


@dataclass(frozen=True)
class Probe:
    """One packet to send; `shape` is short, empty, large (it travels in fragments) or bare (no transport header)."""

    number: int
    packet: Packet
    shape: str
    client: Host
    server: Host
    passes: bool

    def request(self) -> dict[str, object]:
        """Return what the client's agent is asked to send."""
        one = self.packet
        return {
            "id": self.number,
            "source": address_text(one.client_address),
            "target": address_text(one.server_address),
            "protocol": one.protocol,
            "port": one.port,
            "shape": self.shape,
            "unit": one.client_unit,
            "uid": UIDS[one.client_user],
            "client_port": one.client_port,
            "hops": one.hops,
        }

    def arrival(self, source_port: int) -> tuple[int, str, int, int]:
        """Return protocol, source, number and port or type as the server's agent reports them."""
        protocol, port = self.packet.protocol, self.packet.port
        source = address_text(self.packet.client_address)
        if self.shape == "bare":
            return (protocol, source, self.number, 0)
        if protocol in (TCP, UDP):
            return (protocol, source, source_port, port)
        if carries_number(protocol, family_of(self.packet.client_address)):
            return (protocol, source, self.number, port)
        return (protocol, source, -1 if self.shape == "empty" else self.number, 0)

    def __str__(self) -> str:
        return f"{packet_text(self.packet)}, {self.shape}, from {self.client.name} to {self.server.name}"


def draw_probes(
    case: Case, placement: Placement, count: int, units: bool, bare: bool = True
) -> tuple[list[Probe], Listeners]:
    """Return up to `count` probes, half of them of each verdict where there are as many, and who listens where.

    `units` says whether hosts can have control groups, `bare` whether packets without a transport header are sent.
    """
    chance = random.Random(0)
    points = [*services(case), (ICMP, 8), (ICMPV6, 128), SSH, *BUILT_IN]
    listeners: Listeners = {}
    runners = (None, OTHER_UNIT, *UNITS) if units else (None,)
    taken: set[tuple[int, frozenset[object]]] = set()
    found: dict[bool, list[Probe]] = {True: [], False: []}
    for number in range(FIRST_NUMBER, FIRST_NUMBER + 8 * count):
        client, server = chance.choice(placement.ends), chance.choice(placement.ends)
        protocol, port = chance.choice(points)
        shape = _shape(chance, client, server, protocol, port, placement)
        if shape == "bare" and not bare:
            continue
        if shape is None:
            continue
        pair = (protocol, frozenset({client.address, server.address}))
        if not carries_number(protocol, family_of(client.address)) or shape == "bare":
            # connection tracking knows such packets by their addresses alone: two would be one connection
            if pair in taken:
                continue
            taken.add(pair)
        client_port = chance.choice(CLIENT_PORTS) if (protocol, port) in BUILT_IN and protocol == UDP else None
        if client_port is not None:
            # what answers another probe by its ports would be taken for that connection's
            ends = (protocol, frozenset({(client.address, client_port), (server.address, port)}))
            if shape == "bare" or ends in taken:
                continue
            taken.add(ends)
        listens = shape != "bare" and protocol in (TCP, UDP) and (protocol, port) != SSH
        if listens:
            listeners.setdefault((server.host, protocol, port), chance.choice(runners))
        packet = Packet(
            client.address,
            server.address,
            protocol,
            port,
            client.asset,
            server.asset,
            chance.choice(runners),
            chance.choice(tuple(UIDS)),
            listeners[server.host, protocol, port] if listens else None,
            server_names=case.names_of(server.address),
            client_port=client_port,
            hops=chance.choice(HOPS) if (protocol, port) in BUILT_IN and protocol != UDP else None,
        )
        passes = _passes(case, packet, shape)
        found[passes].append(Probe(number, packet, shape, client.host, server.host, passes))
        if all(len(probes) >= count // 2 for probes in found.values()):
            break
    few, many = sorted(found.values(), key=len)
    few = few[: count // 2]
    chosen = sorted([*few, *many[: count - len(few)]], key=lambda probe: probe.number)
    return chosen, {key: unit for key, unit in listeners.items() if any(_is_for(probe, key) for probe in chosen)}


def carries_number(protocol: int, family: int) -> bool:
    """Return whether a packet of a protocol has ports or an identifier that tells connections apart."""
    return protocol in (TCP, UDP, SCTP, ICMP if family == 4 else ICMPV6)


def _shape(
    chance: random.Random, client: End, server: End, protocol: int, port: int, placement: Placement
) -> str | None:
    """Return the shape of a probe, None where it cannot be sent or says nothing."""
    family = family_of(client.address)
    if client.host is server.host or family != family_of(server.address) or protocol in NO_TRANSPORT[family]:
        return None
    if client.host not in placement.tables and server.host not in placement.tables:
        return None
    if protocol in (TCP, UDP, SCTP) and chance.random() < 0.06:
        return "bare"
    if protocol in (TCP, UDP) and port == 0:
        return None
    if carries_number(protocol, family) and protocol in (ICMP, ICMPV6) and port > 255:
        return None
    return "short" if protocol in (TCP, SCTP) else chance.choice(("short", "empty", "large"))


def _passes(case: Case, packet: Packet, shape: str) -> bool:
    return all(_side_passes(case, side, shape) for side in sides_of(case.snapshot, packet).values())


def _side_passes(case: Case, side: Side, shape: str) -> bool:
    """Return what the reference says; without a header a packet passes only where no port would be denied."""
    if shape == "bare":
        ports = {port for protocol, port in services(case) if protocol == side.protocol}
        unseen = replace(side, unit=None) if side.direction is Direction.IN else side
        return all(_allowed(case, replace(unseen, port=port)) for port in ports)
    return stands_above(side, case.settings) or _allowed(case, side)


def _allowed(case: Case, side: Side) -> bool:
    return judge_side(case.snapshot, case.policy, case.settings, side).effect is not Effect.DENY


def _is_for(probe: Probe, key: tuple[Host, int, int]) -> bool:
    return (probe.server, probe.packet.protocol, probe.packet.port) == key and probe.shape != "bare"
