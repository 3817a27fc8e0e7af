"""The ends of seen flows as a draft meets them: which tables, which addresses, which process classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ringfence.analysis.builtins import LOOPBACK
from ringfence.analysis.lookup import TableLookup
from ringfence.analysis.simulate_judge import Pair, Side
from ringfence.flows.holders import Holders
from ringfence.model.addresses import addresses_of, family_of, point_of
from ringfence.model.assets import Asset, Control, Snapshot
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Direction
from ringfence.model.tables import ProcessClass, VerdictTable


@dataclass(frozen=True, slots=True)
class End:
    """One end of a flow as the store has it; `said` tells that the host named the process, so no unit means none."""

    address: str
    asset: str | None
    unit: str | None
    user: str | None
    said: bool


class GoneError(LookupError):
    """The asset that held an end's address then is no asset any more: a draft says nothing of it."""


@dataclass
class Pairs:
    """Turns pairs of ends into numbers of pairs that are judged alike."""

    snapshot: Snapshot
    draft: Mapping[str, VerdictTable]
    current: Mapping[str, VerdictTable] | None
    labels: Mapping[str, int]
    alike: list[Pair] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._assets = self.snapshot.named()
        self._holders = Holders([self.snapshot])
        self._lookups: dict[int, TableLookup] = {}
        self._placed: dict[tuple[str, str | None], tuple[Asset | None, int]] = {}
        self._numbers: dict[tuple[object, ...], int] = {}

    def number(self, client: End, server: End) -> int:
        """Return the place in `alike` of the pair that two ends are judged as. Raises GoneError."""
        (client_asset, client_point), (server_asset, server_point) = self._place(client), self._place(server)
        ends = (client, client_asset, client_point), (server, server_asset, server_point)
        draft = self._sides(self.draft, *ends)
        current = self._sides(self.current, *ends) if self.current is not None else None
        labels = (
            self.labels[client_asset.name] if client_asset else None,
            self.labels[server_asset.name] if server_asset else None,
        )
        itself = client_asset is not None and client_asset is server_asset
        key = (
            itself or client_point == server_point or (client_point in LOOPBACK and server_point in LOOPBACK),
            family_of(server_point),
            labels,
            *map(_identity, draft),
            *map(_identity, current or ()),
        )
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.alike)
            self.alike.append(Pair(client_point, server_point, itself, labels, draft, current))
        return number

    def _place(self, end: End) -> tuple[Asset | None, int]:
        """Return the asset of an end and the address to judge it by.

        An asset that moved since is judged where it is now; an address that no asset held then belongs to who holds it
        now, so that flows from before an asset was known count for it.
        """
        key = (end.address, end.asset)
        placed = self._placed.get(key)
        if placed is None:
            placed = self._placed[key] = self._find(point_of(end.address), end.asset)
        return placed

    def _find(self, point: int, name: str | None) -> tuple[Asset | None, int]:
        if name is None:
            name = self._holders.asset(point, self.snapshot.taken)
        if name is None:
            return None, point
        asset = self._assets.get(name)
        if asset is None:
            raise GoneError(name)
        if point in asset.addresses:
            return asset, point
        same = [address for address in asset.addresses if family_of(address) == family_of(point)]
        return asset, same[0] if same else point

    def _sides(
        self,
        tables: Mapping[str, VerdictTable],
        client: tuple[End, Asset | None, int],
        server: tuple[End, Asset | None, int],
    ) -> tuple[Side | None, Side | None]:
        return (
            self._side(tables, Direction.OUT, client, server[2]),
            self._side(tables, Direction.IN, server, client[2]),
        )

    def _side(
        self,
        tables: Mapping[str, VerdictTable],
        direction: Direction,
        near: tuple[End, Asset | None, int],
        far: int,
    ) -> Side | None:
        end, asset, local = near
        table = tables.get(asset.name) if asset else None
        if table is None:
            return None
        lookup = self._lookups.get(id(table))
        if lookup is None:
            lookup = self._lookups[id(table)] = TableLookup(table)
        directed = lookup.directions[direction]
        units = (end.unit,) if end.unit or end.said else (None, *directed.table.units)
        users = (end.user,) if end.user or end.said else (None, *directed.table.users)
        maps = {
            id(services): services
            for unit in units
            for user in users
            for services in (directed.services_at(local, ProcessClass(unit, user), far),)
        }
        manages = direction is Direction.IN and table.control is not None and far in _networks(table.control)
        return Side(direction, tuple(maps.values()), table.control if manages else None)


def _identity(side: Side | None) -> object:
    return side and (*map(id, side.maps), side.control)


@lru_cache(maxsize=1024)
def _networks(control: Control) -> IntervalSet:
    return addresses_of(control.networks)
