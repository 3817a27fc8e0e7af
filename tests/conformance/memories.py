"""What the kernel remembers: every denied or watched probe under the rule that the host's table names for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ringfence.model.addresses import point_of
from ringfence.model.rules import Direction
from ringfence.model.services import SCTP, TCP, UDP
from ringfence.model.services import point_of as service_point
from ringfence.model.tables import Effect, Outcome, ProcessClass

from .case import Case
from .enforcers import Under
from .hosts import Host
from .placement import Placement
from .probes import Probe
from .reference import Side, sides_of, stands_above

# Effect, rule, direction, peer, protocol, port: what one element of a kernel's set says.
Memory = tuple[str, str, str, int, int, int | None]


def outcome_of(placement: Placement, host: Host, side: Side) -> Outcome:
    """Return what the table of a host does with a packet."""
    table = placement.tables[host].direction(side.direction)
    process = ProcessClass(side.unit, side.user)
    members = {f"fqdn:{name}" for name in side.names}
    return table.services_at(side.local, process, side.remote, members).outcome(service_point(side.protocol, side.port))


def forgotten(
    case: Case,
    placement: Placement,
    probes: Sequence[Probe],
    listings: Mapping[Host, str],
    under: Under,
) -> dict[Probe, str]:
    """Return the probes that a host denied or watched and does not remember so, with what it should."""
    remembered = {host: _memories(under.read(text)) for host, text in listings.items()}
    told = {}
    for probe in probes:
        if not under.remembers(probe):
            continue
        sides = sides_of(case.snapshot, probe.packet)
        for direction in (Direction.OUT, Direction.IN):
            side = sides.get(direction)
            if side is None or stands_above(side, case.settings):
                continue
            host = probe.client if direction is Direction.OUT else probe.server
            outcome = outcome_of(placement, host, side)
            if outcome.effect is not Effect.ALLOW and _expected(outcome, side) not in remembered[host]:
                told[probe] = f"{host.name} does not remember: {outcome.effect} by {outcome.rule}"
            if not outcome.passes:
                break  # what does not leave is never met by the other side
    return told


def _expected(outcome: Outcome, side: Side) -> Memory:
    port = side.port if side.protocol in (TCP, UDP, SCTP) else None
    return (str(outcome.effect), outcome.rule, str(side.direction), side.remote, side.protocol, port)


def _memories(found: dict[str, object]) -> set[Memory]:
    return {
        (one["effect"], one["rule"], one["direction"], point_of(one["peer"]), one["protocol"], one["port"])
        for one in found["filled"]["remembered"]  # type: ignore[index]
    }
