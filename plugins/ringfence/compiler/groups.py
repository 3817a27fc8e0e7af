"""Groups: the workloads of one view that no rule can tell apart, each group compiled once to one verdict table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

from pyroaring import BitMap

from ringfence.compiler.assembly import Assembly, Near, Outline
from ringfence.compiler.kinds import Kinds
from ringfence.compiler.partition import Partition
from ringfence.compiler.precedence import Ranked
from ringfence.compiler.selection import Selection
from ringfence.compiler.terms import Terms
from ringfence.compiler.view import View
from ringfence.model.abilities import Abilities
from ringfence.model.assets import Asset, Control
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Direction, Enforcement, Mode, Policy, Settings
from ringfence.model.selectors import AddressIn, AnyAddress, AssetNamed, leaves
from ringfence.model.tables import DEFAULT_RULE, DirectionTable, ServiceMap, VerdictTable

GroupKey = tuple[int, frozenset[int], Control | None, Abilities]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a policy gives to every view: its rules in deciding order, and how workloads are to be enforced.

    `abilities` gives those of the enforcer of a name.
    """

    ranked: Sequence[Ranked]
    policy: Policy
    settings: Settings
    private: IntervalSet
    full: bool
    abilities: Callable[[str], Abilities]

    def mode(self, chosen: Enforcement | None, direction: Direction) -> Mode:
        """Return the mode of one direction under the enforcement entry that chose a workload, if any did."""
        if self.full:
            return Mode.FULL
        return chosen.mode(direction) if chosen else Mode.OBSERVE


class Groups:
    """The groups of the workloads of one view: their members, enforcement entries, outlines and tables."""

    def __init__(self, workloads: Sequence[Asset], view: View, kinds: Kinds, rules: Rules) -> None:
        self.view = view
        self.kinds = kinds
        self.rules = rules
        self.members: dict[GroupKey, set[str]] = {}
        for asset in workloads:
            self.members.setdefault(self.key(asset), set()).add(asset.name)
        self._selection = Selection(view, kinds, rules.private)
        self._nears = {key: self._near(key) for key in self.members}
        self._interned: dict[ServiceMap, ServiceMap] = {}
        self._assemblies = self._assembled()
        self.enforcement = {key: self._enforcement(one.entries) for key, one in self._nears.items()}
        self.outlines: dict[GroupKey, Mapping[Direction, Outline]] = {
            key: {direction: self._outline(key, direction) for direction in Direction} for key in self.members
        }
        self.names = {one.rule.id: one.rule.name for one in rules.ranked}
        self._directions: dict[tuple[object, ...], DirectionTable] = {}
        self._whole: dict[tuple[int, int, Control | None], VerdictTable] = {}
        self.tables = {key: self._table(key) for key in self.members}

    def key(self, asset: Asset) -> GroupKey:
        """Return all that rules and settings can know of a workload."""
        regions = frozenset(map(self.view.regions.at, asset.addresses))
        abilities = self.rules.abilities(asset.enforcer)
        control = asset.control or self.rules.settings.control if abilities.control else None
        return self.kinds.of_asset[asset.name], regions, control, abilities

    def moved(self, view: View, old: int, new: int) -> frozenset[GroupKey]:
        """Take a view in which an address moved from class `old` to class `new`; return the groups whose table changed.

        Tables that cannot tell the two classes apart stay the same objects, with the view they were made from.
        """
        self.view = view
        self._directions.clear()
        self._whole.clear()
        changed = set()
        for key, outlines in self.outlines.items():
            # One cell loses the address and another gets it: such a direction is another, nothing has to be compared.
            met = [direction for direction in Direction if outlines[direction].separates(old, new)]
            if not met:
                continue
            before = self.tables[key]
            inbound, outbound = (
                self._direction(outlines[direction]) if direction in met else before.direction(direction)
                for direction in (Direction.IN, Direction.OUT)
            )
            self.tables[key] = self._joined(inbound, outbound, key[2])
            changed.add(key)
        return frozenset(changed)

    def knows(self, rules: Rules, ids: Collection[str]) -> bool:
        """Return whether the view has every address set and every asset that those rules of some ids name."""
        selectors = [
            peer.selector for one in rules.policy.rules if one.id in ids for peer in (*one.sources, *one.destinations)
        ]
        known = self.view.regions.numbers
        return all(
            leaf.name in self.kinds.names if isinstance(leaf, AssetNamed) else leaf.addresses in known
            for selector in selectors
            for leaf in leaves(selector)
            if isinstance(leaf, AssetNamed | AddressIn)
        )

    def ruled(self, rules: Rules, ids: Collection[str]) -> Groups:
        """Return new groups under rules that differ from these groups' own in those with some ids alone.

        The order of the other rules, modes and settings has to be the same, and the view has to know every address and
        every asset that the rules name. Only groups that meet one of those rules get another table.
        """
        after = copy(self)
        after.rules = rules
        after.names = {one.rule.id: one.rule.name for one in rules.ranked}
        entries = dict(zip(map(id, self.rules.policy.enforcement), rules.policy.enforcement, strict=True))
        after.enforcement = {key: entries.get(id(one)) for key, one in self.enforcement.items()}
        if not ids:
            return after
        after._assemblies = after._assembled()
        after.outlines, after.tables = dict(self.outlines), dict(self.tables)
        standing = {id(table.direction(direction)) for table in self.tables.values() for direction in Direction}
        after._directions = {key: table for key, table in self._directions.items() if id(table) in standing}
        after._whole = {}
        for key, near in self._nears.items():
            met = [
                direction
                for direction in Direction
                if self._assemblies[direction].meets(near, ids) or after._assemblies[direction].meets(near, ids)
            ]
            if met:
                after._renew(key, met)
        return after

    def _renew(self, key: GroupKey, met: Collection[Direction]) -> None:
        """Make the table of a group anew in some directions, and keep what it was where that is the same."""
        before, outlines = self.tables[key], dict(self.outlines[key])
        tables = {direction: before.direction(direction) for direction in Direction}
        for direction in met:
            outlines[direction] = self._outline(key, direction)
            tables[direction] = self._direction(outlines[direction])
        self.outlines[key] = outlines
        if (tables[Direction.IN], tables[Direction.OUT]) != (before.inbound, before.outbound):
            self.tables[key] = self._joined(tables[Direction.IN], tables[Direction.OUT], key[2])

    def _assembled(self) -> dict[Direction, Assembly]:
        ranked = self.rules.ranked
        entries = BitMap.union(*(one.entries for one in self._nears.values()))
        partition = Partition(self.view)
        return {
            direction: Assembly(
                ranked,
                direction,
                Terms(ranked, direction, self._selection, entries),
                partition,
                self._interned,
            )
            for direction in Direction
        }

    def _outline(self, key: GroupKey, direction: Direction) -> Outline:
        mode = self.rules.mode(self.enforcement[key], direction)
        return self._assemblies[direction].outline(self._nears[key], mode, key[3])

    def _near(self, key: GroupKey) -> Near:
        kind, regions, _, _ = key
        entries = self.view.by_kind[kind]
        inside = BitMap.union(*(self.view.by_region[region] for region in regions))
        name = next((name for name, number in self.kinds.by_name.items() if number == kind), None)
        return Near(self.kinds.labels[kind], name, entries & inside)

    def _enforcement(self, entries: BitMap) -> Enforcement | None:
        for one in self.rules.policy.enforcement:
            if isinstance(one.where, AnyAddress) or self._selection.entries(one.where) & entries:
                return one
        return None

    def _table(self, key: GroupKey) -> VerdictTable:
        outlines = self.outlines[key]
        return self._joined(self._direction(outlines[Direction.IN]), self._direction(outlines[Direction.OUT]), key[2])

    def _direction(self, outline: Outline) -> DirectionTable:
        key = outline.key()
        known = self._directions.get(key)
        if known is None:
            known = self._directions[key] = outline.table(self.view)
        return known

    def _joined(self, inbound: DirectionTable, outbound: DirectionTable, control: Control | None) -> VerdictTable:
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
