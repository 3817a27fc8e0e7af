"""The tables of workloads that only hosts on their way enforce for, as these hosts enforce them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.analysis.forwarded_tables import observed
from ringfence.analysis.forwarding_hosts import NOBODY, alone, forwarding_hosts, observes
from ringfence.model.intervals import EMPTY, IntervalSet, union
from ringfence.model.rules import EMERGENCY, Direction, Mode
from ringfence.model.tables import Cell, DirectionTable, VerdictTable

if TYPE_CHECKING:
    from ringfence.analysis.forwarding_hosts import ForwardingHost
    from ringfence.compiler import Compilation
    from ringfence.model.assets import Snapshot
    from ringfence.model.rules import Settings


def as_on_the_way(compilation: Compilation) -> Compilation:
    """Return a compilation that says of such workloads what becomes of their packets.

    One that no host forwards for is no workload. An address that no host judges for is denied nothing; one that only
    hosts judge for which observe what they forward is denied what is urgent. `compilation` has the tables of the hosts
    that take theirs.
    """
    only = [asset for asset in compilation.snapshot.assets if asset.name in compilation.tables and alone(asset)]
    if not only:
        return compilation
    assets = compilation.snapshot.assets
    able = [one for one in assets if one.name in compilation.tables and not alone(one)]
    hosts = forwarding_hosts(able, compilation.settings)
    judges = _Judges(compilation, {one.asset.name: judged_by(compilation, one) for one in hosts})
    urgent = frozenset(rule.id for rule in compilation.policy.rules if rule.tier == EMERGENCY)
    tables, nobody = dict(compilation.tables), {}
    made: dict[tuple[object, ...], VerdictTable] = {}
    for asset in only:
        own = IntervalSet.of((point, point) for point in asset.addresses)
        ways = {one: judges.of(asset.name, own, one) for one in Direction}
        if all(unmet == own for unmet, _ in ways.values()):
            nobody[asset.name] = NOBODY
            continue
        table = compilation.tables[asset.name]
        key = (id(table), own, *ways.values())
        if key not in made:
            into, out = (
                _weakened(table.direction(one), own, *ways[one], urgent) for one in (Direction.IN, Direction.OUT)
            )
            same = into is table.inbound and out is table.outbound
            made[key] = table if same else replace(table, inbound=into, outbound=out)
        tables[asset.name] = made[key]
    return replace(compilation, tables=tables).without(nobody)


def needed(snapshot: Snapshot, settings: Settings, names: Collection[str]) -> Collection[str]:
    """Return the workloads whose tables say what becomes of packets of some: hosts on the way, and who shares one."""
    named = snapshot.named()
    only = [named[name] for name in names if name in named and alone(named[name])]
    if not only:
        return names
    own = {point for asset in only for point in asset.addresses}
    hosts = {one.asset.name for one in forwarding_hosts(snapshot.assets, settings)}
    return {*names, *hosts, *(one.name for one in snapshot.assets if not own.isdisjoint(one.addresses))}


def judged_by(compilation: Compilation, host: ForwardingHost) -> Mapping[str, IntervalSet]:
    """Return the addresses that a host judges for, by workload: one of several tables is nobody's."""
    named = compilation.snapshot.named()
    by_name = {name: its for name in compilation.tables if (its := host.judged(named[name]))}
    of_table: dict[tuple[str, bool], list[IntervalSet]] = {}
    for name, its in by_name.items():
        chosen = compilation.enforcement.get(name)
        of_table.setdefault((compilation.tables[name].digest, bool(chosen and chosen.cut)), []).append(its)
    shared = shared_addresses(union(several) for several in of_table.values())
    return {name: left for name, its in by_name.items() if (left := its - shared)}


def shared_addresses(sets: Iterable[IntervalSet]) -> IntervalSet:
    """Return what more than one of some sets has."""
    seen = shared = EMPTY
    for one in sets:
        shared |= seen & one
        seen |= one
    return shared


@dataclass(frozen=True, slots=True)
class _Judges:
    compilation: Compilation
    judged: Mapping[str, Mapping[str, IntervalSet]]

    def of(self, name: str, own: IntervalSet, direction: Direction) -> tuple[IntervalSet, IntervalSet]:
        """Return the addresses of a workload that no host judges for, and those that hosts only observe."""
        enforced = seen = EMPTY
        for host, by_name in self.judged.items():
            its = by_name.get(name, EMPTY)
            seen |= its
            if not observes(self.compilation, host, direction):
                enforced |= its
        return own - seen, seen - enforced


def _weakened(
    table: DirectionTable, own: IntervalSet, unmet: IntervalSet, watched: IntervalSet, urgent: frozenset[str]
) -> DirectionTable:
    """Return a direction in which `unmet` local addresses are denied nothing, and `watched` ones what is urgent alone.

    `own` are all addresses of the workload; a mode is that of all of them.
    """
    if not unmet and not watched:
        return table
    if watched == own:
        return observed(table, urgent)
    seen, open_to_all = observed(table, urgent), observed(table, ())
    cells = [
        Cell(local, one.process, one.remote_classes or one.remote, one.services, one.membership)
        for part, cells in ((None, table.cells), (watched, seen.cells), (unmet, open_to_all.cells))
        for one in cells
        if (local := one.local - unmet - watched if part is None else one.local & part)
    ]
    mode = Mode.OBSERVE if unmet | watched == own else table.mode
    return DirectionTable(mode, tuple(cells), named=table.named)
