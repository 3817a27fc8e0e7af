"""What a selector chooses: entries of a view as a bitmap, and whether it holds for one workload's own address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pyroaring import BitMap

from ringfence.compiler.kinds import Kinds
from ringfence.compiler.view import View
from ringfence.model.intervals import IntervalSet
from ringfence.model.selectors import (
    AddressIn,
    AllOf,
    AnyAddress,
    AnyOf,
    AssetNamed,
    FqdnIs,
    Internet,
    LabelExists,
    LabelIn,
    Not,
    Selector,
    Unknown,
    leaves,
)


class Selection:
    """Evaluates selectors over the entries of one view, each distinct selector once."""

    def __init__(self, view: View, kinds: Kinds, private: IntervalSet) -> None:
        self.view = view
        self.kinds = kinds
        self.private = private
        self._known: dict[Selector, BitMap] = {}

    def entries(self, selector: Selector) -> BitMap:
        """Return the entries that a selector chooses."""
        known = self._known.get(selector)
        if known is None:
            known = self._known[selector] = self._evaluate(selector)
        return known

    def _evaluate(self, selector: Selector) -> BitMap:
        view, kinds = self.view, self.kinds
        match selector:
            case LabelIn(key, values):
                return self._of_kinds(kind for value in values for kind in kinds.by_pair.get((key, value), ()))
            case LabelExists(key, exists):
                having = self._of_kinds(kinds.by_key.get(key, ()))
                return having if exists else view.held - having
            case AssetNamed(name):
                return self._of_kinds([kinds.by_name[name]] if name in kinds.by_name else [])
            case AllOf(parts):
                chosen = self.entries(parts[0]) if parts else view.held
                for part in parts[1:]:
                    chosen = chosen & self.entries(part)
                return chosen
            case AnyOf(parts):
                return BitMap.union(*(self.entries(part) for part in parts)) if parts else BitMap()
            case Not(part):
                return view.held - self.entries(part)
            case AddressIn(addresses):
                return self._of_regions(addresses)
            case AnyAddress():
                return view.entries
            case Unknown():
                return view.unheld
            case Internet():
                return view.unheld - self._of_regions(self.private)
            case FqdnIs():
                return BitMap()

    def _of_kinds(self, kinds: Iterable[int]) -> BitMap:
        found = [self.view.by_kind[kind] for kind in kinds if kind in self.view.by_kind]
        return BitMap.union(*found) if found else BitMap()

    def _of_regions(self, addresses: IntervalSet) -> BitMap:
        regions = self.view.regions.within(addresses)
        found = [self.view.by_region[region] for region in regions if region in self.view.by_region]
        return BitMap.union(*found) if found else BitMap()


def address_sets(selector: Selector) -> Iterator[IntervalSet]:
    """Yield the address sets that a selector names."""
    return (leaf.addresses for leaf in leaves(selector) if isinstance(leaf, AddressIn))


def holds_locally(selector: Selector, labels: Mapping[str, str], name: str | None, point: int) -> bool:
    """Return whether a selector chooses a workload, given by its labels and name, at a local address.

    Labels choose the workload with whatever local address a packet carries; `unknown`, `internet` and names never do:
    whether an address of its own is an answer is not asked.
    """
    match selector:
        case LabelIn(key, values):
            return labels.get(key) in values
        case LabelExists(key, exists):
            return (key in labels) == exists
        case AssetNamed(wanted):
            return name == wanted
        case AllOf(parts):
            return all(holds_locally(part, labels, name, point) for part in parts)
        case AnyOf(parts):
            return any(holds_locally(part, labels, name, point) for part in parts)
        case Not(part):
            return not holds_locally(part, labels, name, point)
        case AddressIn(addresses):
            return point in addresses
        case AnyAddress():
            return True
        case Unknown() | Internet() | FqdnIs():
            return False
