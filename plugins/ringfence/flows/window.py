"""A window of flows, ready for questions: counts of distinct flows, who talks to whom by labels, single flows."""

# ruff: noqa: S608 - the SQL is put together from column names and paths of ours
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from ringfence.flows.columns import COLUMNS, create, flow_at
from ringfence.flows.database import close, connect
from ringfence.flows.directions import decide, guesses
from ringfence.flows.distinct import Distinct, Known, busiest_first, joined, same_key
from ringfence.flows.engine import DuckEngine, Engine
from ringfence.flows.holders import resolved
from ringfence.flows.relation import FLOW_COLUMNS, insert_rows, new_table, row_of
from ringfence.flows.shared_ends import ambiguous
from ringfence.flows.window_files import KeptFiles, reading_files
from ringfence.model.assets import Snapshot
from ringfence.model.flows import Flow

FETCH = 50_000


class FlowWindow:
    """Flows of one span of time in a DuckDB connection of its own; close it, or use it with `with`.

    `distinct` makes what flows are judged by in `engine`: a row for each pair of addresses, service and processes. The
    table `flows` of `connection` has all columns of the same rows. Both are made when they are first asked for.
    `since` and `until` are the span that was asked for; `wrong` counts rows that could not be read or be.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        since: datetime | None = None,
        until: datetime | None = None,
        engine: Engine | None = None,
    ) -> None:
        """Take a connection that holds a table or view `observed`, and the engine where it is another one."""
        self.connection = connection
        self.engine: Engine = engine or DuckEngine(connection)
        self.since = since
        self.until = until
        self.wrong = 0
        self.ambiguous: tuple[str, ...] = ()
        self.known = Known()
        self._times: tuple[datetime, datetime] | None = None
        self._files: KeptFiles | None = None
        self._decided: dict[int, bool] = {}

    @staticmethod
    def of_files(
        paths: Sequence[Path],
        since: datetime | None,
        until: datetime | None,
        latest: datetime | None = None,
        engine: Engine | None = None,
        rollups: Mapping[Path, Path] | None = None,
    ) -> FlowWindow:
        """Return the flows of a store's files that touch a span of time, open where an end is None.

        With `latest`, what cannot be (`ringfence.flows.possible`) is left out and counted in `wrong`. `engine` answers
        heavy questions, DuckDB in this process all others; both have the same `observations`. `rollups` are those
        that files have (`ringfence.flows.rollups`).
        """
        connection = connect(paths[0].parent if paths else None)
        if not paths:
            create(connection, "observed")
            return FlowWindow(connection, since, until)
        window = FlowWindow(connection, since, until, engine)
        with reading_files():
            files = KeptFiles.of(connection, paths, since, until, latest, rollups)
            files.make_views(DuckEngine(connection))
            if engine is not None:
                files.make_views(engine)
            window.wrong = files.wrong(window.engine)
        window.known, window._times, window._files = files.known, files.times, files
        return window

    @staticmethod
    def of_flows(flows: Iterable[Flow], snapshots: Sequence[Snapshot] = ()) -> FlowWindow:
        """Return a window of flows that no store holds, both ends resolved by the snapshots."""
        connection = connect()
        flows_read = new_table(connection, FLOW_COLUMNS)
        insert_rows(connection, flows_read, map(row_of, flows), FLOW_COLUMNS)
        return FlowWindow.of_table(connection, flows_read, snapshots)

    @staticmethod
    def of_table(connection: duckdb.DuckDBPyConnection, table: str, snapshots: Sequence[Snapshot] = ()) -> FlowWindow:
        """Return a window of a table of `relation.FLOW_COLUMNS`, both ends resolved; the table is dropped."""
        found = resolved(connection, table, snapshots)
        connection.execute(f"CREATE TABLE observed AS SELECT {', '.join(COLUMNS)} FROM ({found})")
        connection.execute(f"DROP TABLE {table}")
        window = FlowWindow(connection)
        window.ambiguous = ambiguous(connection)
        return window

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free what the window holds."""
        self.engine.close()
        close(self.connection)

    def rows(self, query: str, parameters: object = None) -> list[tuple[object, ...]]:
        """Return the rows of a query over `flows`, answered by DuckDB in this process."""
        self._make_flows()
        return self.connection.execute(query, parameters).fetchall()

    @cached_property
    def distinct(self) -> Distinct:
        """Return the distinct flows in short, without the times and sizes of single ones."""
        with reading_files():
            self._decide(self.engine)
            return Distinct.made(self.engine, self.known)

    def timed_here(self) -> Distinct:
        """Return the distinct flows with the time of the last, in DuckDB of this process, whatever the engine is."""
        here = isinstance(self.engine, DuckEngine)
        if here and "distinct" in self.__dict__ and self.distinct.timed:
            return self.distinct
        engine = DuckEngine(self.connection)
        with reading_files():
            self._decide(engine)
            found = Distinct.made(engine, self.known, timed=True)
        if here:
            self.distinct = found
        return found

    @cached_property
    def guesses(self) -> int:
        """Return how many distinct flows have a direction that was only guessed."""
        with reading_files():
            return guesses(self.engine) if self._decide(self.engine) else 0

    def _decide(self, engine: Engine) -> bool:
        """Make the view `observations` where it is not there; return whether any direction was guessed."""
        key = id(getattr(engine, "connection", engine))
        if key not in self._decided:
            if self.known.no_guess:
                engine.view("observations", "SELECT * FROM observed")
            self._decided[key] = not self.known.no_guess and decide(engine)
        return self._decided[key]

    def _make_flows(self) -> None:
        with reading_files():
            self._decide(DuckEngine(self.connection))
            self.connection.execute(f"CREATE TABLE IF NOT EXISTS flows AS {joined('observations')}")

    def __len__(self) -> int:
        """Return how many distinct flows there are."""
        return self.distinct.count

    def __iter__(self) -> Iterator[Flow]:
        return self.flows()

    def flows(self, where: str = "true", parameters: object = None) -> Iterator[Flow]:
        """Yield the flows that a SQL condition over the columns holds for, the most connections first."""
        self._make_flows()
        cursor = self.connection.cursor()
        order = busiest_first("flows")
        cursor.execute(f"SELECT * FROM flows WHERE {where} ORDER BY {order}, first_seen", parameters)
        while rows := cursor.fetchmany(FETCH):
            for row in rows:
                yield flow_at(row)

    def chosen(self, query: str, more: str) -> Iterator[tuple[object, ...]]:
        """Yield flows whole, the most connections first: their columns, then `more`, a column of the query besides.

        `query` gives rows of `distinct_flows`. Only what these flows were seen with is read again.
        """
        columns = ", ".join(f"f.{name}" for name in COLUMNS)
        if self.distinct.processes:
            whole = f"SELECT {columns}, f.{more} AS {more}_of FROM ({query}) AS f"
        else:
            self.engine.keep("chosen_flows", query)
            touched = f"SELECT o.* FROM observations AS o SEMI JOIN chosen_flows AS k ON {same_key('o', 'k')}"
            whole = (
                f"SELECT {columns}, k.{more} AS {more}_of FROM ({joined(f'({touched}) AS touched')}) AS f"
                f" JOIN chosen_flows AS k ON {same_key('f', 'k')}"
            )
        with reading_files():
            for rows in self.engine.batches(f"SELECT * FROM ({whole}) AS whole ORDER BY {busiest_first('whole')}"):
                yield from rows

    def totals(self) -> dict[str, object]:
        """Return the window's counts and the times of its first and last flow as plain data."""
        distinct = self.distinct
        times: Sequence[object] | None = self._times
        if times is None or distinct.processes:
            seen = "flows" if distinct.processes else "observations"
            with reading_files():
                (times,) = self.engine.rows(f"SELECT min(first_seen) AS first, max(last_seen) AS last FROM {seen}")
        return {
            "flows": distinct.count,
            "connections": distinct.connections,
            "guesses": self.guesses,
            **{
                name: f"{time.isoformat()}Z" if isinstance(time, datetime) else None
                for name, time in zip(("first_seen", "last_seen"), times, strict=True)
            },
        }

    def by_labels(self, snapshot: Snapshot, keys: Sequence[str]) -> list[dict[str, object]]:
        """Return who talks to whom by labels: `from`, `to`, `protocol`, `port`, `outcome`, counts, busiest first.

        An end of no asset has None for its labels; one of an asset has the keys that the asset carries.
        """
        _ = self.distinct
        numbers, names = label_numbers(snapshot, keys)
        self.engine.put(
            "asset_labels", {"asset": "VARCHAR", "label": "INTEGER"}, [list(numbers), list(numbers.values())]
        )
        rows = self.engine.rows(
            "SELECT c.label AS client, s.label AS server, f.protocol, f.port, f.outcome, count(*) AS flows,"
            " sum(connections) AS connections FROM distinct_flows AS f"
            " LEFT JOIN asset_labels AS c ON c.asset = f.client_asset"
            " LEFT JOIN asset_labels AS s ON s.asset = f.server_asset GROUP BY 1, 2, 3, 4, 5"
            " ORDER BY 7 DESC, 6 DESC, 1, 2, 3, 4, 5"
        )
        return [
            {
                "from": names.get(client),
                "to": names.get(server),
                "protocol": protocol,
                "port": port,
                "outcome": outcome,
                "flows": count,
                "connections": connections,
            }
            for client, server, protocol, port, outcome, count, connections in rows
        ]

    def digest(self) -> str:
        """Return the sha256 of the window's content, whatever order or files it came in."""
        with reading_files():
            if self._files is not None:
                self._files.make_recorded(DuckEngine(self.connection))
            recorded = "observed" if self._files is None else "recorded"
            parts = self.connection.execute(_DIGEST.format(recorded=recorded)).fetchall()
        return hashlib.sha256("".join(str(part) for (part,) in parts).encode()).hexdigest()


def label_numbers(snapshot: Snapshot, keys: Sequence[str]) -> tuple[dict[str, int], Mapping[object, Mapping[str, str]]]:
    """Return the number of each asset's labels, of `keys` alone, and the labels by number."""
    numbers: dict[tuple[tuple[str, str], ...], int] = {}
    of_assets: dict[str, int] = {}
    # assets of a kept answer share their labels
    alike: dict[int, int] = {}
    for asset in snapshot.assets:
        number = alike.get(id(asset.labels))
        if number is None:
            combination = tuple((key, asset.labels[key].value) for key in keys if key in asset.labels)
            number = alike[id(asset.labels)] = numbers.setdefault(combination, len(numbers))
        of_assets[asset.name] = number
    return of_assets, {number: dict(combination) for combination, number in numbers.items()}


_TEXT = ", ".join(f"coalesce({name}::VARCHAR, chr(0))" for name in COLUMNS)
_DIGEST = f"""
SELECT sha256(string_agg(line, '' ORDER BY line)) FROM (
    SELECT md5(concat_ws(chr(1), {_TEXT})) AS line FROM {{recorded}}
) GROUP BY line[1:2] ORDER BY line[1:2]"""
