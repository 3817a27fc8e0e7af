"""Which asset held an address when a flow was seen, from dated snapshots."""

# ruff: noqa: S608 - the SQL is put together from names of ours
from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Generic, TypeVar

import duckdb

from ringfence.model.addresses import address_text
from ringfence.model.assets import Asset, Snapshot

K = TypeVar("K", bound=Hashable)


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


def resolved(connection: duckdb.DuckDBPyConnection, flows: str, snapshots: Iterable[Snapshot]) -> str:
    """Return the SQL of a table of flows with `client_asset` and `server_asset`, as `Holders` has them.

    It makes tables on the connection: who held each address from when until when.
    """
    ((first, last),) = connection.execute(f"SELECT min(first_seen), max(first_seen) FROM {flows}").fetchall()
    spans = _spans(snapshots, first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)) if first else []
    if not spans:
        return f"SELECT *, NULL::VARCHAR AS client_asset, NULL::VARCHAR AS server_asset FROM {flows}"
    holders = _Tables(spans)
    _create(connection, "held_first", ("address", "name"), holders.first.rows())
    _create(connection, "held_own", ("address", "name"), holders.own.rows())
    _create(connection, "held_near", ("address", "realm", "name"), holders.near.rows())
    _create(connection, "observers", ("name", "realm"), holders.observers.rows())
    timed = len(spans) > 1

    def at(alias: str) -> str:
        return f" AND f.first_seen >= {alias}.since AND f.first_seen < {alias}.until" if timed else ""

    if not holders.shared:
        joins = "".join(f" LEFT JOIN held_first {e} ON {e}.address = f.{end}{at(e)}" for e, end in _ENDS)
        return f"SELECT f.*, c.name AS client_asset, s.name AS server_asset FROM {flows} f{joins}"
    joins = f" LEFT JOIN observers r ON r.name = f.observer{at('r')}" + "".join(
        f" LEFT JOIN held_first {e} ON {e}.address = f.{end}{at(e)}"
        f" LEFT JOIN held_own {e}o ON {e}o.address = f.{end} AND {e}o.name = f.observer{at(f'{e}o')}"
        f" LEFT JOIN held_near {e}n ON {e}n.address = f.{end} AND {e}n.realm = r.realm{at(f'{e}n')}"
        for e, end in _ENDS
    )
    return (
        "SELECT f.* EXCLUDE (observer), coalesce(co.name, cn.name, c.name) AS client_asset,"
        " coalesce(so.name, sn.name, s.name) AS server_asset FROM (SELECT *, CASE WHEN starts_with(source, 'hosts:')"
        f" THEN source[7:] END AS observer FROM {flows}) f{joins}"
    )


_ENDS = (("c", "client"), ("s", "server"))
_Span = tuple[Snapshot, str, str]


def _spans(snapshots: Iterable[Snapshot], first: datetime, last: datetime) -> list[_Span]:
    """Return the snapshots that hold at some time between two, each with the first moment and the end of its span."""
    ordered = sorted(snapshots, key=lambda snapshot: snapshot.taken)
    if not ordered:
        return []
    bounds = ["-infinity", *(_stamp(one.taken) for one in ordered[1:]), "infinity"]
    spans = [(one, *bound) for one, bound in zip(ordered, pairwise(bounds), strict=True)]
    taken = [one.taken for one in ordered]
    return spans[max(bisect_right(taken, first) - 1, 0) : max(bisect_right(taken, last), 1)]


class _Periods(Generic[K]):
    """When each of some keys held, in spans that follow one another."""

    def __init__(self) -> None:
        self._open: dict[K, str] = {}
        self._closed: list[tuple[K, str, str]] = []
        self._until = "infinity"

    def add(self, keys: Iterable[K], since: str, until: str) -> None:
        """Take the keys of the next span."""
        before, self._open = self._open, {}
        for key in keys:
            self._open[key] = before.pop(key, since)
        self._closed.extend((key, began, since) for key, began in before.items())
        self._until = until

    def rows(self) -> list[tuple[K, str, str]]:
        """Return every key with the beginning and end of each time that it held."""
        return [*self._closed, *((key, since, self._until) for key, since in self._open.items())]


class _Tables:
    """Who held each address in some spans: the first by name; where several did, all, and the first of each realm."""

    def __init__(self, spans: Sequence[_Span]) -> None:
        self.first: _Periods[tuple[str, ...]] = _Periods()
        self.own: _Periods[tuple[str, ...]] = _Periods()
        self.near: _Periods[tuple[str, ...]] = _Periods()
        self.observers: _Periods[tuple[str, ...]] = _Periods()
        self.shared = False
        for snapshot, since, until in spans:
            held: dict[int, list[Asset]] = {}
            for asset in sorted(snapshot.assets, key=lambda asset: asset.name):
                for address in asset.addresses:
                    held.setdefault(address, []).append(asset)
            texts = {address: address_text(address) for address in held}
            shared = {address: assets for address, assets in held.items() if len(assets) > 1}
            self.shared |= bool(shared)
            self.first.add(((texts[address], assets[0].name) for address, assets in held.items()), since, until)
            own = ((texts[address], asset.name) for address, assets in shared.items() for asset in assets)
            self.own.add(own, since, until)
            near: dict[tuple[str, str], str] = {}
            for address, assets in shared.items():
                for asset in assets:
                    near.setdefault((texts[address], asset.realm), asset.name)
            self.near.add(((address, realm, name) for (address, realm), name in near.items()), since, until)
            named = {asset.name: asset.realm for asset in snapshot.assets} if shared else {}
            self.observers.add(named.items(), since, until)


def _create(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    names: Sequence[str],
    rows: Sequence[tuple[tuple[str, ...], str, str]],
) -> None:
    columns = [[key[place] for key, _, _ in rows] for place in range(len(names))]
    times = [[since for _, since, _ in rows], [until for _, _, until in rows]]
    lists = ", ".join(f"unnest(?::VARCHAR[]) AS {name}" for name in names)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {lists}, unnest(?::VARCHAR[])::TIMESTAMP AS since,"
        " unnest(?::VARCHAR[])::TIMESTAMP AS until",
        [*columns, *times],
    )


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
