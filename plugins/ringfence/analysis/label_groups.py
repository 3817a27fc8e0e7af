"""Groups of assets that carry equal labels: a selector over labels is answered once for all assets of a group."""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.model.assets import Asset
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
)

_NONE: frozenset[int] = frozenset()


class LabelGroups:
    """`members` are the numbers of the assets of each group, in order."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        self.members: list[list[int]] = []
        self._by_pair: dict[tuple[str, str], set[int]] = {}
        self._by_key: dict[str, set[int]] = {}
        numbers: dict[frozenset[tuple[str, str]], int] = {}
        for asset_number, asset in enumerate(assets):
            labels = frozenset((key, label.value) for key, label in asset.labels.items())
            number = numbers.setdefault(labels, len(self.members))
            if number == len(self.members):
                self.members.append([])
                for pair in labels:
                    self._by_pair.setdefault(pair, set()).add(number)
                    self._by_key.setdefault(pair[0], set()).add(number)
            self.members[number].append(asset_number)
        self._all = frozenset(range(len(self.members)))

    def chosen(self, selector: Selector) -> frozenset[int]:
        """Return the groups whose assets a selector over labels chooses.

        Raise ValueError for a selector that tells assets of equal labels apart.
        """
        match selector:
            case LabelIn(key, values):
                return _NONE.union(*(self._by_pair.get((key, value), _NONE) for value in values))
            case LabelExists(key, exists):
                having = self._by_key.get(key, _NONE)
                return self._all & having if exists else self._all - having
            case AllOf(parts):
                return self._all.intersection(*map(self.chosen, parts))
            case AnyOf(parts):
                return _NONE.union(*map(self.chosen, parts))
            case Not(part):
                return self._all - self.chosen(part)
            case AnyAddress():
                return self._all
            case Unknown() | Internet() | FqdnIs():
                return _NONE
            case AssetNamed() | AddressIn():
                raise ValueError("names and addresses tell assets of equal labels apart")
