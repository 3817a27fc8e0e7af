"""Groups: the workloads of one view that no rule can tell apart, each group compiled once to one verdict table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from ringfence.model.selectors import AnyAddress
from ringfence.model.tables import DEFAULT_RULE, DirectionTable, VerdictTable

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
        selection = Selection(view, kinds, rules.private)
        near = {key: self._near(key) for key in self.members}
        entries = BitMap.union(*(one.entries for one in near.values()))
        partition = Partition(view)
        assemblies = {
            direction: Assembly(rules.ranked, direction, Terms(rules.ranked, direction, selection, entries), partition)
            for direction in Direction
        }
        self.enforcement = {key: self._enforcement(selection, one.entries) for key, one in near.items()}
        self.outlines: dict[GroupKey, Mapping[Direction, Outline]] = {
            key: {
                direction: assembly.outline(one, rules.mode(self.enforcement[key], direction), key[3])
                for direction, assembly in assemblies.items()
            }
            for key, one in near.items()
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
            before = self.tables[key]
            inbound, outbound = (
                self._direction(outlines[direction])
                if outlines[direction].separates(old, new)
                else before.direction(direction)
                for direction in (Direction.IN, Direction.OUT)
            )
            if (inbound, outbound) != (before.inbound, before.outbound):
                self.tables[key] = self._joined(inbound, outbound, key[2])
                changed.add(key)
        return frozenset(changed)

    def _near(self, key: GroupKey) -> Near:
        kind, regions, _, _ = key
        entries = self.view.by_kind[kind]
        inside = BitMap.union(*(self.view.by_region[region] for region in regions))
        name = next((name for name, number in self.kinds.by_name.items() if number == kind), None)
        return Near(self.kinds.labels[kind], name, entries & inside)

    def _enforcement(self, selection: Selection, entries: BitMap) -> Enforcement | None:
        for one in self.rules.policy.enforcement:
            if isinstance(one.where, AnyAddress) or selection.entries(one.where) & entries:
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
