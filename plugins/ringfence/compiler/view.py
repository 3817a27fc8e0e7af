"""A view: the addresses that a workload of some realm can meet, cut into classes that no rule can tell apart."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from copy import copy

from pyroaring import BitMap

from ringfence.compiler.kinds import Kinds
from ringfence.compiler.range_writer import RangeWriter
from ringfence.compiler.regions import Regions
from ringfence.model.addresses import ALL_V4, ALL_V6
from ringfence.model.assets import Asset
from ringfence.model.intervals import IntervalSet
from ringfence.model.range_texts import RangeTexts

# How many ranges a view keeps made, the most recently used first: some 100 MB.
KEPT_INTERVALS = 4_000_000
ClassKey = tuple[tuple[int, ...], int]


class View:
    """Atoms, classes and entries of the realms that one realm sees.

    An *atom* is an interval of addresses with the same holders in the same region; neighbours have neighbouring
    numbers, with one number left out between the families so that no range spans both. A *class* is all atoms of the
    same holder kinds and region. An *entry* is a class with one of its holders' kinds: entry and class numbers are the
    same for the first holder, further holders of shared addresses (VIPs) have entries behind them.
    """

    def __init__(self, assets: Sequence[Asset], kinds: Kinds, regions: Regions) -> None:
        self.regions = regions
        self.holders = _holders(assets, kinds)
        self.class_numbers: dict[ClassKey, int] = {}
        self.atom_starts: list[int] = []
        self.atom_ends: list[int] = []
        self.atoms: list[BitMap] = []
        self._cut()
        self.all_atoms = BitMap.union(*self.atoms)
        self.entry_classes = list(range(len(self.class_keys)))
        self.entry_kinds: list[int | None] = [key[0][0] if key[0] else None for key in self.class_keys]
        for number, (held_by, _) in enumerate(self.class_keys):
            for kind in held_by[1:]:
                self.entry_classes.append(number)
                self.entry_kinds.append(kind)
        self.classes = BitMap(range(len(self.class_keys)))
        self.entries = BitMap(range(len(self.entry_classes)))
        self._index()
        self.unsettled = BitMap()
        self._classes_of_atoms: list[int] = []
        self._intervals = list(zip(self.atom_starts, self.atom_ends, strict=True))
        self._recent: OrderedDict[bytes, IntervalSet] = OrderedDict()
        self._recent_size = 0
        self._writer = RangeWriter(self.atom_starts, self.atom_ends)

    def _cut(self) -> None:
        starts, of_interval, holders = self.regions.starts, self.regions.of_interval, self.holders
        last_v4, last_v6 = ALL_V4.intervals[0][1], ALL_V6.intervals[0][1]
        cuts = sorted({*starts, *holders, *(point + 1 for point in holders)} - {last_v4 + 1})
        cuts = cuts[: bisect_right(cuts, last_v6)]
        members: list[list[int]] = []
        numbers, atom_starts, atom_ends = self.class_numbers, self.atom_starts, self.atom_ends
        region, next_start = -1, 0
        for start, following in zip(cuts, [*cuts[1:], last_v6 + 1], strict=True):
            while next_start < len(starts) and starts[next_start] <= start:
                region = of_interval[next_start]
                next_start += 1
            end = following - 1
            if start > last_v4:
                if atom_starts and atom_starts[-1] <= last_v4:  # one number is left out between the families
                    atom_starts.append(start)
                    atom_ends.append(start)
            elif end > last_v4:
                end = last_v4
            key = (holders.get(start, ()), region)
            number = numbers.get(key)
            if number is None:
                number = numbers[key] = len(members)
                members.append([])
            members[number].append(len(atom_starts))
            atom_starts.append(start)
            atom_ends.append(end)
        self.class_keys = list(numbers)
        self.atoms = [BitMap(atoms) for atoms in members]

    def _index(self) -> None:
        by_kind: dict[int, list[int]] = {}
        by_region: dict[int, list[int]] = {}
        unheld = []
        for entry, kind in enumerate(self.entry_kinds):
            region = self.class_keys[self.entry_classes[entry]][1]
            by_region.setdefault(region, []).append(entry)
            if kind is None:
                unheld.append(entry)
            else:
                by_kind.setdefault(kind, []).append(entry)
        self.by_kind = {kind: BitMap(entries) for kind, entries in by_kind.items()}
        self.by_region = {region: BitMap(entries) for region, entries in by_region.items()}
        self.unheld = BitMap(unheld)
        self.held = self.entries - self.unheld
        self.by_family = {
            family: BitMap(n for n, key in enumerate(self.class_keys) if self.regions.families[key[1]] == family)
            for family in (4, 6)
        }

    def classes_of(self, entries: BitMap) -> BitMap:
        """Return the classes of a set of entries."""
        count = len(self.class_keys)
        if len(self.entry_classes) == count:
            return entries
        first = entries & self.classes
        for entry in entries - first:
            first.add(self.entry_classes[entry])
        return first

    def class_at(self, point: int) -> int:
        """Return the class of an address."""
        if not self._classes_of_atoms:
            self._classes_of_atoms = [0] * len(self.atom_starts)
            for number, atoms in enumerate(self.atoms):
                for atom in atoms:
                    self._classes_of_atoms[atom] = number
        return self._classes_of_atoms[bisect_right(self.atom_starts, point) - 1]

    def first(self, classes: BitMap) -> int:
        """Return the first atom of a set of classes: their numbers follow their first atoms until an address moves."""
        settled = classes - self.unsettled
        candidates = [self.atoms[settled.min()].min()] if settled else []
        return min([*candidates, *(self.atoms[n].min() for n in classes & self.unsettled)])

    def moves(self, addresses: Iterable[int], old: int, new: int) -> list[tuple[int, int, int]] | None:
        """Return, for every address, itself and the classes it leaves and enters when its holder changes kind.

        None where that makes a class, empties one, or an address has several holders.
        """
        found: list[tuple[int, int, int]] = []
        for point in addresses:
            region = self.regions.at(point)
            left, entered = self.class_numbers.get(((old,), region)), self.class_numbers.get(((new,), region))
            if self.holders[point] != (old,) or left is None or entered is None:
                return None
            found.append((point, left, entered))
        leaving: dict[int, int] = {}
        for _, left, _ in found:
            leaving[left] = leaving.get(left, 0) + 1
        return found if all(len(self.atoms[left]) > count for left, count in leaving.items()) else None

    def moved(self, point: int, left: int, entered: int) -> View:
        """Return a view like this one in which an address has moved to another class; this one stays as it is."""
        view = copy(self)
        atom = BitMap([bisect_left(self.atom_starts, point)])
        view.atoms = list(self.atoms)
        view.atoms[left] = self.atoms[left] - atom
        view.atoms[entered] = self.atoms[entered] | atom
        view.holders = {**self.holders, point: self.class_keys[entered][0]}
        view.unsettled = self.unsettled | BitMap([left, entered])
        view._classes_of_atoms = []
        view._recent = OrderedDict()
        view._recent_size = 0
        view._writer = self._writer.moved(atom[0], left, entered)
        return view

    def deferred(self, classes: BitMap) -> ClassAddresses:
        """Return the addresses of a set of classes, to be made when somebody looks."""
        return ClassAddresses(self, classes, classes.serialize())

    def texts(self, classes: BitMap, key: bytes) -> RangeTexts:
        """Return the texts of a set of classes as fused ranges."""
        return self._writer.texts(key, classes, self._atoms_of)

    def addresses(self, classes: BitMap, key: bytes) -> IntervalSet:
        """Return the addresses of a set of classes (`key`: its serialized form) as fused ranges."""
        known = self._recent.get(key)
        if known is not None:
            self._recent.move_to_end(key)
            return known
        made = self._recent[key] = self._fuse(classes)
        self._recent_size += len(made)
        while self._recent_size > KEPT_INTERVALS and len(self._recent) > 1:
            self._recent_size -= len(self._recent.popitem(last=False)[1])
        return made

    def _atoms_of(self, classes: BitMap) -> BitMap:
        if 2 * len(classes) <= len(self.atoms):
            return BitMap.union(*(self.atoms[number] for number in classes)) if classes else BitMap()
        others = self.classes - classes
        return self.all_atoms - BitMap.union(*(self.atoms[n] for n in others)) if others else self.all_atoms

    def _fuse(self, classes: BitMap) -> IntervalSet:
        atoms = self._atoms_of(classes)
        starts, ends, single = self.atom_starts, self.atom_ends, self._intervals
        first = atoms - atoms.shift(1)
        last = atoms - atoms.shift(-1)
        return IntervalSet(
            tuple(
                single[low] if low == high else (starts[low], ends[high]) for low, high in zip(first, last, strict=True)
            )
        )


class ClassAddresses:
    """The addresses of some classes of a view, as ranges or as their texts."""

    __slots__ = ("_classes", "_key", "_view")

    def __init__(self, view: View, classes: BitMap, key: bytes) -> None:
        self._view = view
        self._classes = classes
        self._key = key

    @property
    def cut(self) -> View:
        """Return the view that the classes are of."""
        return self._view

    @property
    def numbers(self) -> BitMap:
        """Return the numbers of the classes."""
        return self._classes

    def ranges(self) -> IntervalSet:
        """Return the fused ranges."""
        return self._view.addresses(self._classes, self._key)

    def texts(self) -> RangeTexts:
        """Return the texts of the fused ranges."""
        return self._view.texts(self._classes, self._key)


def _holders(assets: Iterable[Asset], kinds: Kinds) -> dict[int, tuple[int, ...]]:
    """Return, for every held address, the sorted kinds of its holders."""
    holders: dict[int, tuple[int, ...]] = {}
    for asset in assets:
        kind = kinds.of_asset[asset.name]
        for point in asset.addresses:
            before = holders.get(point)
            if before is None:
                holders[point] = (kind,)
            elif kind not in before:
                holders[point] = tuple(sorted((*before, kind)))
    return holders
