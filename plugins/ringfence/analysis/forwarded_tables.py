"""A workload's table as a host on the way can enforce it: without its processes, and in the host's own mode."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from ringfence.model.intervals import IntervalSet, union
from ringfence.model.memberships import Membership
from ringfence.model.processes import LINUX_KINDS
from ringfence.model.rules import Direction, Mode
from ringfence.model.tables import (
    NOTHING_NAMED,
    OTHER,
    Cell,
    DirectionTable,
    Effect,
    Outcome,
    Piece,
    ServiceMap,
    VerdictTable,
)

_PASSING_FIRST = (Effect.ALLOW, Effect.WATCH, Effect.DENY)
_Part = tuple[IntervalSet, IntervalSet, Membership, ServiceMap]


def on_the_way(table: VerdictTable, observing: Collection[Direction], urgent: Collection[str]) -> VerdictTable:
    """Return the table that a host enforces for others.

    A process of theirs is not seen there: what one of them may, passes, and the workload itself decides the rest. In
    the directions that the host itself is `observing` it denies nothing but what the rules `urgent` deny.
    """
    inbound, outbound = (_direction(table.direction(one)) for one in (Direction.IN, Direction.OUT))
    if Direction.IN in observing:
        inbound = observed(inbound, urgent)
    if Direction.OUT in observing:
        outbound = observed(outbound, urgent)
    return replace(table, inbound=inbound, outbound=outbound)


def _direction(table: DirectionTable) -> DirectionTable:
    classes = table.process_classes
    if len(classes) == 1 and table.kinds == LINUX_KINDS:
        return table
    met: list[_Part] | None = None
    for process in classes:
        parts = [(one.local, one.remote, one.membership, one.services) for one in table.cells if one.process == process]
        met = parts if met is None else list(_either(met, parts))
    fused: dict[tuple[IntervalSet, Membership, ServiceMap], list[IntervalSet]] = {}
    for local, remote, membership, services in met or ():
        fused.setdefault((local, membership, services), []).append(remote)
    cells = (
        Cell(local, OTHER, union(remotes), services, membership)
        for (local, membership, services), remotes in fused.items()
    )
    return DirectionTable(table.mode, tuple(cells), named=NOTHING_NAMED)


def _either(first: Sequence[_Part], second: Sequence[_Part]) -> Iterator[_Part]:
    """Yield what passes for one of two process classes, for everything that both tell of."""
    for local, remote, membership, services in first:
        for other_local, other_remote, other_membership, other_services in second:
            both = membership.merged(other_membership)
            near, far = local & other_local, remote & other_remote
            if both is not None and near and far:
                yield near, far, both, services if services == other_services else _of_both(services, other_services)


def _of_both(first: ServiceMap, second: ServiceMap) -> ServiceMap:
    """Return the outcome that lets more pass, at every point."""
    lows = sorted({low for one in (first, second) for low, _, _ in one.pieces})
    last = first.pieces[-1][1]
    stretches = [(low, following - 1) for low, following in pairwise((*lows, last + 1))]
    return _fused(
        (low, high, min((first.outcome(low), second.outcome(low)), key=lambda one: _PASSING_FIRST.index(one.effect)))
        for low, high in stretches
    )


def observed(table: DirectionTable, urgent: Collection[str]) -> DirectionTable:
    """Return a direction in which nothing is denied but what the rules `urgent` deny."""
    known: dict[ServiceMap, ServiceMap] = {}
    cells = []
    for one in table.cells:
        if one.services not in known:
            known[one.services] = _fused((low, high, _watched(it, urgent)) for low, high, it in one.services.pieces)
        remote = one.remote_classes or one.remote
        cells.append(Cell(one.local, one.process, remote, known[one.services], one.membership))
    return DirectionTable(Mode.OBSERVE, tuple(cells), named=table.named)


def _watched(outcome: Outcome, urgent: Collection[str]) -> Outcome:
    if outcome.effect is Effect.DENY and outcome.rule not in urgent:
        return replace(outcome, effect=Effect.WATCH)
    return outcome


def _fused(pieces: Iterator[Piece]) -> ServiceMap:
    found: list[Piece] = []
    for low, high, outcome in pieces:
        if found and found[-1][2] == outcome:
            found[-1] = (found[-1][0], high, outcome)
        else:
            found.append((low, high, outcome))
    return ServiceMap(tuple(found))
