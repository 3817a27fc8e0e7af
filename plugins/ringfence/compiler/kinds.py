"""Kinds: assets that carry the same labels are the same to every selector, so they are compiled once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ringfence.model.assets import Asset
from ringfence.model.selectors import AssetNamed, Selector, leaves

KindKey = tuple[tuple[tuple[str, str], ...], str | None]


class Kinds:
    """Numbers for the distinct label combinations; an asset that a selector names is a kind of its own."""

    def __init__(self, assets: Sequence[Asset], selectors: Iterable[Selector]) -> None:
        self.names = {leaf.name for one in selectors for leaf in leaves(one) if isinstance(leaf, AssetNamed)}
        self.of_asset: dict[str, int] = {}
        self.numbers: dict[KindKey, int] = {}
        self.labels: list[Mapping[str, str]] = []
        self.by_pair: dict[tuple[str, str], list[int]] = {}
        self.by_key: dict[str, list[int]] = {}
        self.by_name: dict[str, int] = {}
        # Assets that share their labels, as those of a kept answer do, share their kind.
        known: dict[int, int] = {}
        for asset in assets:
            if asset.name in self.names:
                self.of_asset[asset.name] = self._number(asset)
                continue
            number = known.get(id(asset.labels))
            if number is None:
                number = known[id(asset.labels)] = self._number(asset)
            self.of_asset[asset.name] = number

    def key(self, asset: Asset) -> KindKey:
        """Return what makes the kind of an asset."""
        labels = tuple(sorted((key, label.value) for key, label in asset.labels.items()))
        return labels, asset.name if asset.name in self.names else None

    def _number(self, asset: Asset) -> int:
        key = self.key(asset)
        known = self.numbers.get(key)
        if known is not None:
            return known
        number = self.numbers[key] = len(self.labels)
        labels = asset.label_values()
        self.labels.append(labels)
        for pair in labels.items():
            self.by_pair.setdefault(pair, []).append(number)
            self.by_key.setdefault(pair[0], []).append(number)
        if key[1] is not None:
            self.by_name[key[1]] = number
        return number
