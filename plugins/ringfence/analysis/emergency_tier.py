"""Emergencies in verdict tables: what stands decides before everything else, in every mode, on both sides.

Hosts carry them beside their tables, so they are laid over tables that are made already and never compiled into a plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ringfence.analysis.carrying_hosts import Carriers, carriers, met_over_hosts, unmet
from ringfence.analysis.emergency_members import of_now
from ringfence.analysis.held_containers import held_by
from ringfence.compiler import Compilation
from ringfence.compiler.precedence import fused
from ringfence.model.addresses import EVERY_ADDRESS, FAMILIES
from ringfence.model.assets import Asset
from ringfence.model.emergencies import EmergencyEnd, Kind, Order
from ringfence.model.errors import Place
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import EMERGENCY, Action, Direction, Peer, Rule, Settings
from ringfence.model.selectors import AddressIn, AssetNamed
from ringfence.model.services import ANY_SERVICE, EVERY_SERVICE
from ringfence.model.tables import Cell, DirectionTable, Effect, Outcome, Piece, ServiceMap, VerdictTable


@dataclass(frozen=True, slots=True)
class Override:
    """What one emergency decides on one workload: for some remote addresses, at some points of the service line."""

    direction: Direction
    remote: IntervalSet
    points: IntervalSet
    outcome: Outcome


# A table with emergencies, and the one that it was made of, which lives as long.
Laid = dict[tuple[int, tuple["Override", ...]], tuple[VerdictTable, VerdictTable]]


def with_emergencies(compilation: Compilation, orders: Sequence[Order], known: Laid | None = None) -> Compilation:
    """Return the tables with emergencies before everything in them, and the policy with them as rules of their tier.

    `known` has tables that were made before: one that did not change stays the same object.
    """
    if not orders:
        return compilation
    named = compilation.snapshot.named()
    tables = overridden(compilation.tables, named, compilation.settings, orders, known)
    rules = tuple(rule for order in orders for rule in rules_of(order))
    policy = replace(compilation.policy, rules=(*rules, *compilation.policy.rules))
    return replace(compilation, tables=tables, policy=policy)


def overridden(
    tables: Mapping[str, VerdictTable],
    named: Mapping[str, Asset],
    settings: Settings,
    orders: Sequence[Order],
    known: Laid | None = None,
) -> dict[str, VerdictTable]:
    """Return tables by asset name with emergencies before everything in them; equal ones stay one object."""
    known = {} if known is None else known
    orders = [of_now(order, named.values()) for order in orders]
    titles = {order.id: order.title for order in orders}
    found = {}
    inside = {host: {one.asset.name for one in several} for host, several in held_by(named.values()).items()}
    holders = {one: host for host, several in inside.items() for one in several}
    carried = carriers(named.values())
    for name, table in tables.items():
        realms = settings.sees(named[name].realm) if name in named else settings.sees("default")
        # a quarantine is looked at last, so it decides
        ranked = sorted(orders, key=lambda order: order.kind is Kind.QUARANTINE)
        holder = holders.get(name, "")
        near = inside.get(holder or name, set()) | {holder}
        overrides = tuple(one for order in ranked for one in overrides_of(order, name, realms, holder, near, carried))
        key = id(table), overrides
        if key not in known:
            known[key] = table, _overridden(table, overrides, titles)
        found[name] = known[key][1]
    return found


def overrides_of(
    order: Order,
    name: str,
    realms: frozenset[str],
    holder: str = "",
    near: Collection[str] = (),
    carried: Carriers | None = None,
) -> Iterator[Override]:
    """Yield what an emergency decides on a workload that sees some realms.

    A container that is not named shares the fate of its `holder`, which forwards for it. What is `near` it meets in
    any realm, and containers of other hosts, which are `carried`, at the addresses of these.
    """
    if order.kind is Kind.QUARANTINE:
        named = name in order.first.names | order.second.names
        whose = name if named else holder
        if whose in order.first.names:
            remote = EVERY_ADDRESS - order.second.met_in(realms, near)
        elif whose in order.second.names:
            return
        else:
            remote = order.first.met_in(realms, near)
        for direction in Direction if remote else ():
            yield Override(direction, remote, EVERY_SERVICE, Outcome(Effect.DENY, order.id))
        return
    for direction, own, far in ((Direction.OUT, order.first, order.second), (Direction.IN, order.second, order.first)):
        if name in own.names:
            some = unmet(far, carried or {}, realms, {name, *near})
            for remote, points in met_over_hosts(some, order.services, realms, asked=direction is Direction.OUT):
                yield Override(direction, remote, points, Outcome(Effect.ALLOW, order.id))
            for family, whole in FAMILIES.items():
                remote, points = far.met_in(realms, near) & whole, order.services.of(family)
                if remote and points:
                    yield Override(direction, remote, points, Outcome(Effect.ALLOW, order.id))


def rules_of(order: Order) -> tuple[Rule, ...]:
    """Return an emergency as the rules of its tier that answers name; its tables do not come of them."""
    place = order.place or Place("emergencies")
    isolated = _peers(order.first)
    if order.kind is Kind.PERMISSION:
        ends, services, action = [(isolated, _peers(order.second))], order.services, Action.ALLOW
    else:
        others = (Peer(AddressIn(EVERY_ADDRESS - order.second.addresses, "any")),)
        ends, services, action = [(isolated, others), (others, isolated)], ANY_SERVICE, Action.DENY
    return tuple(
        Rule(order.id, order.title, place, clients, servers, action, services, EMERGENCY, 0, ruleset=place.file)
        for clients, servers in ends
    )


def _peers(end: EmergencyEnd) -> tuple[Peer, ...]:
    outside = (Peer(AddressIn(end.outside, ", ".join(end.said))),) if end.outside else ()
    return (*(Peer(AssetNamed(member.name)) for member in end.members), *outside)


def _overridden(table: VerdictTable, overrides: Sequence[Override], titles: Mapping[str, str]) -> VerdictTable:
    if not overrides:
        return table
    names = {one.outcome.rule: titles[one.outcome.rule] for one in overrides}
    return replace(
        table,
        inbound=_directed(table.inbound, [one for one in overrides if one.direction is Direction.IN]),
        outbound=_directed(table.outbound, [one for one in overrides if one.direction is Direction.OUT]),
        rule_names={**table.rule_names, **names},
    )


def _directed(table: DirectionTable, overrides: Iterable[Override]) -> DirectionTable:
    cells = table.cells
    for override in overrides:
        cells = tuple(part for cell in cells for part in _cut(cell, override))
    return DirectionTable(table.mode, cells, named=table.named)


def _cut(cell: Cell, override: Override) -> Iterator[Cell]:
    remote = cell.remote
    hit = remote & override.remote
    if not hit:
        yield cell
        return
    if rest := remote - hit:
        yield Cell(cell.local, cell.process, rest, cell.services, cell.membership)
    yield Cell(cell.local, cell.process, hit, _services(cell.services, override), cell.membership)


def _services(services: ServiceMap, override: Override) -> ServiceMap:
    pieces: list[Piece] = [(low, high, override.outcome) for low, high in override.points]
    for low, high, outcome in services.pieces:
        pieces.extend((first, last, outcome) for first, last in IntervalSet(((low, high),)) - override.points)
    return fused(pieces)
