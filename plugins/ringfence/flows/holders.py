"""Which asset held an address when a flow was seen, from dated snapshots."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime

from ringfence.model.assets import Asset, Snapshot


class Holders:
    """The holders of addresses over time: the newest snapshot not after a moment counts, before the first the first."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self._snapshots = sorted(snapshots, key=lambda snapshot: snapshot.taken)
        self._taken = [snapshot.taken for snapshot in self._snapshots]
        self._holders: dict[int, dict[int, tuple[Asset, ...]]] = {}

    def asset(self, address: int, when: datetime, observer: str | None = None) -> str | None:
        """Return the name of the asset that held an address (a point), or None.

        Where several held it: the observer itself, else the first by name of the observer's realm, else the first by
        name. `observer` is the asset that reported the flow, where one did.
        """
        if not self._snapshots:
            return None
        index = max(bisect_right(self._taken, when) - 1, 0)
        holders = self._index(index).get(address, ())
        if len(holders) > 1 and observer:
            realm = self._realm(index, observer)
            own = [asset for asset in holders if asset.name == observer]
            near = [asset for asset in holders if asset.realm == realm]
            return (own or near or holders)[0].name
        return holders[0].name if holders else None

    def _index(self, index: int) -> dict[int, tuple[Asset, ...]]:
        if index not in self._holders:
            found: dict[int, list[Asset]] = {}
            for asset in self._snapshots[index].assets:
                for address in asset.addresses:
                    found.setdefault(address, []).append(asset)
            self._holders[index] = {
                address: tuple(sorted(assets, key=lambda asset: asset.name)) for address, assets in found.items()
            }
        return self._holders[index]

    def _realm(self, index: int, name: str) -> str | None:
        return next((asset.realm for asset in self._snapshots[index].assets if asset.name == name), None)


def observer_of(source: str) -> str | None:
    """Return the asset that a flow's source names as its reporter, `hosts:NAME`, or None."""
    kind, _, name = source.partition(":")
    return name if kind == "hosts" and name else None
