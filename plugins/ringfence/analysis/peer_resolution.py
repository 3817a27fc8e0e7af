"""Ends: what a peer chooses, as assets with their chosen addresses and as addresses that no asset holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ringfence.model.addresses import EVERY_ADDRESS, FAMILIES, addresses_of
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.intervals import EMPTY, IntervalSet, union
from ringfence.model.rules import Settings
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


def points_of(asset: Asset) -> IntervalSet:
    """Return the addresses of an asset as a set."""
    return IntervalSet.of((point, point) for point in asset.addresses)


def chosen_addresses(selector: Selector, asset: Asset, points: IntervalSet) -> IntervalSet:
    """Return those of an asset's addresses that a selector chooses."""
    match selector:
        case LabelIn(key, values):
            return points if key in asset.labels and asset.labels[key].value in values else EMPTY
        case LabelExists(key, exists):
            return points if (key in asset.labels) == exists else EMPTY
        case AssetNamed(name):
            return points if name in (asset.name, *asset.also) else EMPTY
        case AllOf(parts):
            for part in parts:
                points = points & chosen_addresses(part, asset, points)
            return points
        case AnyOf(parts):
            return union(chosen_addresses(part, asset, points) for part in parts)
        case Not(part):
            return points - chosen_addresses(part, asset, points)
        case AddressIn(addresses):
            return points & addresses
        case AnyAddress():
            return points
        case Unknown() | Internet() | FqdnIs():
            return EMPTY


def chosen_outside(selector: Selector, unheld: IntervalSet, private: IntervalSet) -> IntervalSet:
    """Return those of the addresses that no asset holds that a selector chooses."""
    match selector:
        case AnyAddress() | Unknown():
            return unheld
        case Internet():
            return unheld - private
        case AddressIn(addresses):
            return unheld & addresses
        case AllOf(parts):
            if not parts:
                return EMPTY
            chosen = unheld
            for part in parts:
                chosen = chosen & chosen_outside(part, unheld, private)
            return chosen
        case AnyOf(parts):
            return union(chosen_outside(part, unheld, private) for part in parts)
        case LabelIn() | LabelExists() | AssetNamed() | Not() | FqdnIs():
            return EMPTY


Chosen = tuple[Asset, IntervalSet]
# Where a name may resolve to when nothing else is known of its addresses.
_ANYWHERE = addresses_of(["1.0.0.0-223.255.255.255", "2000::/3"])


@dataclass(frozen=True)
class Ends:
    """Answers what selectors choose in one snapshot under one workspace's settings; what is asked twice is kept."""

    snapshot: Snapshot
    settings: Settings
    _unheld: dict[frozenset[str], IntervalSet] = field(default_factory=dict)
    _chosen: dict[Selector, list[Chosen]] = field(default_factory=dict)

    @cached_property
    def _everyone(self) -> list[Chosen]:
        return [(asset, points_of(asset)) for asset in self.snapshot.assets]

    @cached_property
    def _by_labels(self) -> list[list[tuple[int, Chosen]]]:
        """All assets with their numbers, those of equal labels together."""
        groups: dict[tuple[tuple[str, str], ...], list[tuple[int, Chosen]]] = {}
        for number, one in enumerate(self._everyone):
            labels = tuple(sorted((key, label.value) for key, label in one[0].labels.items()))
            groups.setdefault(labels, []).append((number, one))
        return list(groups.values())

    def assets(self, selectors: Sequence[Selector]) -> list[Chosen]:
        """Return every asset that one of the selectors chooses, with its chosen addresses, in order of names."""
        if len(selectors) == 1:
            return self._assets(selectors[0])
        found: dict[str, Chosen] = {}
        for selector in selectors:
            for asset, points in self._assets(selector):
                before = found.get(asset.name)
                found[asset.name] = (asset, before[1] | points if before else points)
        return [found[asset.name] for asset, _ in self._everyone if asset.name in found]

    def _assets(self, selector: Selector) -> list[Chosen]:
        known = self._chosen.get(selector)
        if known is None:
            known = self._chosen[selector] = self._choose(selector)
        return known

    def _choose(self, selector: Selector) -> list[Chosen]:
        if any(isinstance(leaf, AssetNamed | AddressIn) for leaf in leaves(selector)):
            # two assets of equal labels may be chosen differently
            chosen = ((asset, chosen_addresses(selector, asset, points)) for asset, points in self._everyone)
            return [one for one in chosen if one[1]]
        numbered: list[tuple[int, Chosen]] = []
        for group in self._by_labels:
            if chosen_addresses(selector, group[0][1][0], EVERY_ADDRESS):
                numbered += group
        return [one for _, one in sorted(numbered, key=lambda pair: pair[0]) if one[1]]

    def outside(self, selectors: Iterable[Selector], realm: str) -> IntervalSet:
        """Return the chosen addresses that no asset holds, as a workload of `realm` meets them."""
        unheld, private = self.unheld(realm), self.settings.private_addresses()
        return union(chosen_outside(selector, unheld, private) for selector in selectors)

    def unheld(self, realm: str) -> IntervalSet:
        """Return all addresses that no asset of the realms seen from `realm` holds."""
        realms = self.settings.sees(realm)
        if realms not in self._unheld:
            held = union(points_of(asset) for asset in self.snapshot.assets if asset.realm in realms)
            self._unheld[realms] = EVERY_ADDRESS - held
        return self._unheld[realms]

    def anywhere(self) -> list[int]:
        """Return an address of each family that stands for those of which nothing is known: unheld, not private."""
        held = union(points_of(asset) for asset in self.snapshot.assets)
        free = [(whole & _ANYWHERE) - held - self.settings.private_addresses() for whole in FAMILIES.values()]
        return [one.intervals[0][0] for one in free if one]

    def meets(self, asset: Asset, other: Asset) -> bool:
        """Return whether the addresses of `other` are those of an asset to `asset`."""
        return other.realm in self.settings.sees(asset.realm)
