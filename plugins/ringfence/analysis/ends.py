"""Ends: what a peer chooses, as assets with their chosen addresses and as addresses that no asset holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ringfence.model.addresses import EVERY_ADDRESS
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
            return points if asset.name == name else EMPTY
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


@dataclass(frozen=True)
class Ends:
    """Answers what selectors choose in one snapshot under one workspace's settings."""

    snapshot: Snapshot
    settings: Settings
    _unheld: dict[frozenset[str], IntervalSet] = field(default_factory=dict)

    def assets(self, selectors: Sequence[Selector]) -> list[tuple[Asset, IntervalSet]]:
        """Return every asset that one of the selectors chooses, with its chosen addresses, in order of names."""
        found = []
        for asset in self.snapshot.assets:
            points = points_of(asset)
            chosen = union(chosen_addresses(selector, asset, points) for selector in selectors)
            if chosen:
                found.append((asset, chosen))
        return found

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

    def meets(self, asset: Asset, other: Asset) -> bool:
        """Return whether the addresses of `other` are those of an asset to `asset`."""
        return other.realm in self.settings.sees(asset.realm)
