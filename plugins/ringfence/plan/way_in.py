"""The way in through a bastion that is a workload itself: a plan must not keep it from reaching the hosts behind it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ringfence.analysis.lookup import TableLookup
from ringfence.compiler import Compilation
from ringfence.model.addresses import address_text, addresses_of, family_of
from ringfence.model.assets import Asset, Control
from ringfence.model.intervals import Interval
from ringfence.model.rules import Direction
from ringfence.model.services import TCP, point_of
from ringfence.model.tables import ProcessClass


class WaysIn:
    """What the tables of a compilation let out of the assets that Ansible comes through."""

    def __init__(self, compilation: Compilation) -> None:
        self._assets = compilation.snapshot.named()
        self._tables = compilation.tables
        self._holders = {point: name for name in compilation.tables for point in self._assets[name].addresses}
        self._lookups: dict[str, TableLookup] = {}

    def closed(self, asset: Asset, control: Control, target: int | None) -> str | None:
        """Return the name of a bastion whose own table keeps it from a host, where no other way in is left.

        `target` is the address that Ansible connects to, None where it is not known: then every one of the host's.
        A network of several addresses, and an address that no workload holds, are ways in that no table closes.
        """
        shut = ""
        for low, high in _ways(control):
            reached = list(_reached(asset, target, low))
            if not reached:
                continue
            holder = self._holders.get(low) if low == high else None
            if holder is None or holder == asset.name or self._assets[holder].realm != asset.realm:
                return None
            if all(self._lets_out(holder, low, far, control.port) for far in reached):
                return None
            shut = f"'{holder}' ({address_text(low)})"
        return shut or None

    def _lets_out(self, holder: str, near: int, far: int, port: int) -> bool:
        lookup = self._lookups.setdefault(holder, TableLookup(self._tables[holder]))
        ssh = point_of(TCP, port)
        return lookup.outcome(Direction.OUT, near, far, ProcessClass(), ssh).passes


@lru_cache(maxsize=1024)
def _ways(control: Control) -> tuple[Interval, ...]:
    """Return the networks of a control path, in its order."""
    return tuple(interval for network in control.networks for interval in addresses_of([network]))


def _reached(asset: Asset, target: int | None, near: int) -> Iterator[int]:
    """Yield the addresses of a host that are reached from an address of the same family."""
    for point in asset.addresses if target is None else (target,):
        if family_of(point) == family_of(near):
            yield point
