"""Compilation: a snapshot and a policy turned into the verdict tables of all workloads, equal ones shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from ringfence.compiler.assembly import Assembly, Near, Outline
from ringfence.compiler.kinds import Kinds
from ringfence.compiler.partition import Partition
from ringfence.compiler.precedence import Ranked, in_deciding_order
from ringfence.compiler.regions import Regions
from ringfence.compiler.selection import Selection, address_sets
from ringfence.compiler.terms import Terms
from ringfence.compiler.view import View
from ringfence.model.assets import Asset, Control, Snapshot
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Direction, Enforcement, Mode, Policy, Settings
from ringfence.model.selectors import AnyAddress, Selector
from ringfence.model.tables import DEFAULT_RULE, DirectionTable, VerdictTable


@dataclass(frozen=True, slots=True)
class Compilation:
    """The tables of all workloads that have an address, by asset name; equal workloads share one object.

    `enforcement` is the entry of the policy that set a workload's modes, None where no entry chose it (observe).
    `unaddressed` names the workloads that have no address and so no table.
    """

    snapshot: Snapshot
    policy: Policy
    settings: Settings
    tables: Mapping[str, VerdictTable]
    enforcement: Mapping[str, Enforcement | None]
    unaddressed: tuple[str, ...] = ()

    def distinct(self) -> list[VerdictTable]:
        """Return every table once."""
        return list({id(table): table for table in self.tables.values()}.values())


def compile_policy(snapshot: Snapshot, policy: Policy, settings: Settings, *, full: bool = False) -> Compilation:
    """Compile a policy for a snapshot; with `full`, as if every workload's modes were `full`.

    Rules in a tier that the settings do not name raise KeyError: the language refuses them before.
    """
    ranked = in_deciding_order(policy.rules, settings.tiers)
    selectors = _selectors(policy)
    private = settings.private_addresses()
    kinds = Kinds(snapshot.assets, selectors)
    regions = Regions([*(one for selector in selectors for one in address_sets(selector)), private])
    tables: dict[str, VerdictTable] = {}
    enforcement: dict[str, Enforcement | None] = {}
    unaddressed = []
    by_view: dict[frozenset[str], list[Asset]] = {}
    for asset in snapshot.assets:
        if not asset.workload:
            continue
        if asset.addresses:
            by_view.setdefault(settings.sees(asset.realm), []).append(asset)
        else:
            unaddressed.append(asset.name)
    for realms, workloads in by_view.items():
        seen = [asset for asset in snapshot.assets if asset.realm in realms]
        view = View(seen, kinds, regions)
        compiler = _ViewCompiler(view, kinds, private, ranked, policy, settings, full=full)
        compiler.compile(workloads, tables, enforcement)
    return Compilation(snapshot, policy, settings, tables, enforcement, tuple(unaddressed))


class _ViewCompiler:
    """Compiles the workloads of one view, grouped by all that the rules can know of them."""

    def __init__(
        self,
        view: View,
        kinds: Kinds,
        private: IntervalSet,
        ranked: Sequence[Ranked],
        policy: Policy,
        settings: Settings,
        *,
        full: bool,
    ) -> None:
        self.view = view
        self.kinds = kinds
        self.ranked = ranked
        self.policy = policy
        self.settings = settings
        self.full = full
        self.selection = Selection(view, kinds, private)
        self.names = {one.rule.id: one.rule.name for one in ranked}
        self._tables: dict[tuple[object, ...], DirectionTable] = {}
        self._whole: dict[tuple[int, int, Control | None], VerdictTable] = {}

    def compile(
        self,
        workloads: Sequence[Asset],
        tables: dict[str, VerdictTable],
        enforcement: dict[str, Enforcement | None],
    ) -> None:
        groups: dict[tuple[int, frozenset[int], Control | None], list[Asset]] = {}
        for asset in workloads:
            regions = frozenset(map(self.view.regions.at, asset.addresses))
            control = asset.control or self.settings.control
            groups.setdefault((self.kinds.of_asset[asset.name], regions, control), []).append(asset)
        near = {key: self._near(key[0], key[1]) for key in groups}
        entries = BitMap.union(*(one.entries for one in near.values()))
        partition = Partition(self.view)
        assemblies = {
            direction: Assembly(
                self.ranked, direction, Terms(self.ranked, direction, self.selection, entries), partition
            )
            for direction in Direction
        }
        for key, members in groups.items():
            chosen = self._enforcement(near[key].entries)
            inbound, outbound = (
                self._direction(assemblies[direction].outline(near[key], self._mode(chosen, direction)))
                for direction in (Direction.IN, Direction.OUT)
            )
            table = self._table(inbound, outbound, key[2])
            for asset in members:
                tables[asset.name] = table
                enforcement[asset.name] = chosen

    def _near(self, kind: int, regions: frozenset[int]) -> Near:
        entries = self.view.by_kind[kind]
        inside = BitMap.union(*(self.view.by_region[region] for region in regions))
        name = next((name for name, number in self.kinds.by_name.items() if number == kind), None)
        return Near(self.kinds.labels[kind], name, entries & inside)

    def _enforcement(self, entries: BitMap) -> Enforcement | None:
        for one in self.policy.enforcement:
            if isinstance(one.where, AnyAddress) or self.selection.entries(one.where) & entries:
                return one
        return None

    def _mode(self, chosen: Enforcement | None, direction: Direction) -> Mode:
        if self.full:
            return Mode.FULL
        return chosen.mode(direction) if chosen else Mode.OBSERVE

    def _direction(self, outline: Outline) -> DirectionTable:
        key = outline.key()
        known = self._tables.get(key)
        if known is None:
            known = self._tables[key] = outline.table(self.view)
        return known

    def _table(self, inbound: DirectionTable, outbound: DirectionTable, control: Control | None) -> VerdictTable:
        key = (id(inbound), id(outbound), control)
        known = self._whole.get(key)
        if known is None:
            deciding = {
                outcome.rule
                for table in (inbound, outbound)
                for services in {id(cell.services): cell.services for cell in table.cells}.values()
                for _, _, outcome in services.pieces
            }
            names = {rule: self.names[rule] for rule in sorted(deciding - {DEFAULT_RULE})}
            known = self._whole[key] = VerdictTable(inbound, outbound, control, names)
        return known


def _selectors(policy: Policy) -> list[Selector]:
    """Return every selector of a policy that the tables depend on, once."""
    peers = (peer for rule in policy.rules for peer in (*rule.sources, *rule.destinations))
    return list(dict.fromkeys([*(peer.selector for peer in peers), *(one.where for one in policy.enforcement)]))
