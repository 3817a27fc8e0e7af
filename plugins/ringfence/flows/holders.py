"""Which asset held an address when a flow was seen, from dated snapshots."""

# ruff: noqa: S608 - the SQL is put together from names of ours
from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Generic, TypeVar

import duckdb

from ringfence.flows.shared_ends import none_ambiguous, resolve_shared, visible_realms
from ringfence.model.addresses import address_text
from ringfence.model.assets import Asset, Snapshot

K = TypeVar("K", bound=Hashable)


class Holders:
    """The holders of addresses over time: the newest snapshot not after a moment counts, before the first the first."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self._snapshots = sorted(snapshots, key=lambda snapshot: snapshot.taken)
        self._taken = [snapshot.taken for snapshot in self._snapshots]
        self._holders: dict[int, dict[int, tuple[Asset, ...]]] = {}

    def asset(self, address: int, when: datetime) -> str | None:
        """Return the name of the asset that held an address (a point), or None; of several the first by name."""
        if not self._snapshots:
            return None
        index = max(bisect_right(self._taken, when) - 1, 0)
        holders = self._index(index).get(address, ())
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


def resolved(connection: duckdb.DuckDBPyConnection, flows: str, snapshots: Iterable[Snapshot]) -> str:
    """Return the SQL of a table of flows with `client_asset` and `server_asset`: who held the addresses then.

    It makes tables on the connection: who held each address from when until when, and what was ambiguous
    (`ringfence.flows.shared_ends`).
    """
    ((first, last),) = connection.execute(f"SELECT min(first_seen), max(first_seen) FROM {flows}").fetchall()
    spans = _spans(snapshots, first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)) if first else []
    if not spans:
        none_ambiguous(connection)
        return f"SELECT *, NULL::VARCHAR AS client_asset, NULL::VARCHAR AS server_asset FROM {flows}"
    holders = _Tables(spans)
    _create(connection, "held_first", ("address", "name"), holders.first.rows())
    none_ambiguous(connection)
    if not holders.shared:
        timed = len(spans) > 1
        joins = "".join(
            f" LEFT JOIN held_first {e} ON {e}.address = f.{end}"
            + (f" AND f.first_seen >= {e}.since AND f.first_seen < {e}.until" if timed else "")
            for e, end in _ENDS
        )
        return f"SELECT f.*, c.name AS client_asset, s.name AS server_asset FROM {flows} f{joins}"
    _create(connection, "held_all", ("address", "name", "realm"), holders.every.rows())
    _create(connection, "observers", ("name", "realm"), holders.observers.rows())
    _create(connection, "held_shared", ("address",), [((one,), *_ALWAYS) for one in sorted(holders.shared)])
    connection.execute("ALTER TABLE held_shared DROP since; ALTER TABLE held_shared DROP until")
    _create(connection, "spans", ("number",), [((str(n),), since, till) for n, (_, since, till) in enumerate(spans)])
    visible = visible_realms(snapshot for snapshot, _, _ in spans)
    _create(connection, "seen_realms", ("one", "other"), [(pair, *_ALWAYS) for pair in visible])
    return resolve_shared(connection, flows)


_ALWAYS = ("-infinity", "infinity")
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
    """Who held each address in some spans: the first by name, and all with their realms; which several held."""

    def __init__(self, spans: Sequence[_Span]) -> None:
        self.first: _Periods[tuple[str, ...]] = _Periods()
        self.every: _Periods[tuple[str, ...]] = _Periods()
        self.observers: _Periods[tuple[str, ...]] = _Periods()
        self.shared: set[str] = set()
        for snapshot, since, until in spans:
            held: dict[int, list[Asset]] = {}
            for asset in sorted(snapshot.assets, key=lambda asset: asset.name):
                for address in asset.addresses:
                    held.setdefault(address, []).append(asset)
            texts = {address: address_text(address) for address in held}
            self.shared |= {texts[address] for address, assets in held.items() if len(assets) > 1}
            self.first.add(((texts[address], assets[0].name) for address, assets in held.items()), since, until)
            each = ((texts[at], one.name, one.realm) for at, assets in held.items() for one in assets)
            self.every.add(each, since, until)
            self.observers.add(((asset.name, asset.realm) for asset in snapshot.assets), since, until)


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
