"""A window of flows, ready for questions: counts of distinct flows, who talks to whom by labels, single flows."""

# ruff: noqa: S608 - the SQL is put together from column names and paths of ours
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from ringfence.flows.columns import COLUMNS, create, flow_at, insert
from ringfence.flows.database import close, connect
from ringfence.flows.distinct import Distinct, busiest_first, joined, make_flows, same_key
from ringfence.flows.holders import Holders
from ringfence.flows.possible import possible_rows
from ringfence.model.assets import Snapshot
from ringfence.model.errors import OutsideError
from ringfence.model.flows import Flow

FETCH = 50_000


class FlowWindow:
    """Flows of one span of time in a DuckDB connection of its own; close it, or use it with `with`.

    The table `flows` has the columns of `ringfence.flows.columns`, one row for each pair of addresses, service and
    processes; `distinct` has of the same rows what they are judged by. Both are made when they are first asked for.
    `since` and `until` are the span that was asked for; `wrong` counts rows that could not be read or be.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, since: datetime | None = None, until: datetime | None = None
    ) -> None:
        """Take a connection that holds a table or view `observations`."""
        self.connection = connection
        self.since = since
        self.until = until
        self.wrong = 0

    @staticmethod
    def of_files(
        paths: Sequence[Path], since: datetime | None, until: datetime | None, latest: datetime | None = None
    ) -> FlowWindow:
        """Return the flows of a store's files that touch a span of time, open where an end is None.

        With `latest`, what cannot be (`ringfence.flows.possible`) is left out and counted in `wrong`.
        """
        connection = connect(paths[0].parent if paths else None)
        if not paths:
            create(connection, "observations")
            return FlowWindow(connection, since, until)
        bounds = [f"last_seen >= TIMESTAMP '{_stamp(since)}'"] if since else []
        bounds += [f"first_seen < TIMESTAMP '{_stamp(until)}'"] if until else []
        where = f" WHERE {' AND '.join(bounds)}" if bounds else ""
        possible = possible_rows(latest) if latest else "true"
        with reading_files():
            connection.execute(f"CREATE VIEW kept AS SELECT {', '.join(COLUMNS)} FROM {parquet_list(paths)}{where}")
            connection.execute(f"CREATE VIEW observations AS SELECT * FROM kept WHERE {possible}")
            ((wrong,),) = connection.execute(f"SELECT count(*) FROM kept WHERE NOT ({possible})").fetchall()
        window = FlowWindow(connection, since, until)
        window.wrong = int(wrong)
        return window

    @staticmethod
    def of_flows(flows: Iterable[Flow], snapshots: Sequence[Snapshot] = ()) -> FlowWindow:
        """Return a window of flows that no store holds, both ends resolved by the snapshots."""
        connection = connect()
        create(connection, "observations")
        insert(connection, "observations", flows, Holders(snapshots))
        return FlowWindow(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory of the window."""
        close(self.connection)

    def rows(self, query: str, parameters: object = None) -> list[tuple[object, ...]]:
        """Return the rows of a query over `flows`."""
        self._make_flows()
        return self.connection.execute(query, parameters).fetchall()

    @cached_property
    def distinct(self) -> Distinct:
        """Return the distinct flows in short, without the times and sizes of single ones."""
        with reading_files():
            return Distinct.made(self.connection)

    def _make_flows(self) -> None:
        with reading_files():
            make_flows(self.connection)

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

    def chosen(self, query: str, more: str, parameters: object = None) -> Iterator[tuple[object, ...]]:
        """Yield flows whole, the most connections first: their columns, then `more`, a column of the query besides.

        `query` gives rows of `distinct_flows`. Only what these flows were seen with is read again.
        """
        columns = ", ".join(f"f.{name}" for name in COLUMNS)
        if self.distinct.processes:
            chosen, source, same = query, "flows", "f.rowid = k.flow"
        else:
            chosen = f"{query}), touched AS (SELECT o.* FROM observations o SEMI JOIN chosen k ON {same_key('o', 'k')}"
            source, same = f"({joined('touched')})", same_key("f", "k")
        cursor = self.connection.cursor()
        with reading_files():
            cursor.execute(
                f"WITH chosen AS MATERIALIZED ({chosen}) SELECT {columns}, k.{more} FROM {source} f"
                f" JOIN chosen k ON {same} ORDER BY {busiest_first('f')}",
                parameters,
            )
        while rows := cursor.fetchmany(FETCH):
            yield from rows

    def totals(self) -> dict[str, object]:
        """Return the window's counts and the times of its first and last flow as plain data."""
        distinct = self.distinct
        seen = "flows" if distinct.processes else "observations"
        with reading_files():
            times_of = self.connection.execute(f"SELECT min(first_seen), max(last_seen) FROM {seen}")
            times = dict(zip(("first_seen", "last_seen"), times_of.fetchall()[0], strict=True))
        return {
            "flows": distinct.count,
            "connections": distinct.connections,
            **{name: f"{time.isoformat()}Z" if isinstance(time, datetime) else None for name, time in times.items()},
        }

    def by_labels(self, snapshot: Snapshot, keys: Sequence[str]) -> list[dict[str, object]]:
        """Return who talks to whom by the labels of both ends: `from`, `to`, `protocol`, `port`, counts, busiest first.

        An end of no asset has None for its labels; one of an asset has the keys that the asset carries.
        """
        names = name_labels(self.connection, snapshot, keys)
        rows = self.rows(
            "SELECT c.label, s.label, f.protocol, f.port, count(*), sum(connections) FROM flows f"
            " LEFT JOIN asset_labels c ON c.asset = f.client_asset LEFT JOIN asset_labels s ON s.asset = f.server_asset"
            " GROUP BY 1, 2, 3, 4 ORDER BY 6 DESC, 5 DESC, 1, 2, 3, 4"
        )
        return [
            {
                "from": names.get(client),
                "to": names.get(server),
                "protocol": protocol,
                "port": port,
                "flows": count,
                "connections": connections,
            }
            for client, server, protocol, port, count, connections in rows
        ]

    def digest(self) -> str:
        """Return the sha256 of the window's content, whatever order or files it came in."""
        return hashlib.sha256("".join(str(part) for (part,) in self.rows(_DIGEST)).encode()).hexdigest()


def name_labels(
    connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, keys: Sequence[str]
) -> Mapping[object, Mapping[str, str]]:
    """Make the table `asset_labels` (asset, label number) and return the labels, of `keys` alone, by number."""
    numbers: dict[tuple[tuple[str, str], ...], int] = {}
    assets: list[str] = []
    labels: list[int] = []
    for asset in snapshot.assets:
        values = asset.label_values()
        combination = tuple((key, values[key]) for key in keys if key in values)
        assets.append(asset.name)
        labels.append(numbers.setdefault(combination, len(numbers)))
    connection.execute("CREATE OR REPLACE TABLE asset_labels (asset VARCHAR, label INTEGER)")
    connection.execute("INSERT INTO asset_labels SELECT unnest(?::VARCHAR[]), unnest(?::INTEGER[])", [assets, labels])
    return {number: dict(combination) for combination, number in numbers.items()}


@contextmanager
def reading_files() -> Iterator[None]:
    """Turn what DuckDB says of a file it cannot read or write into an OutsideError."""
    try:
        yield
    except duckdb.Error as error:
        raise OutsideError(
            f"the flows cannot be read or written: {str(error).splitlines()[0]}",
            remedy="move a damaged day's file away and read its flows again; make room on a full disk",
        ) from error


def parquet_list(paths: Sequence[Path]) -> str:
    """Return the SQL that reads Parquet files; what an earlier release did not write is absent, its flows answered."""
    files = f"read_parquet([{', '.join(quoted(str(path)) for path in paths)}], union_by_name=true)"
    columns = {**COLUMNS, "origin": "UINTEGER"}
    if all(path.name.count(".") > 1 for path in paths):
        return f"(SELECT {', '.join(columns)} FROM {files})"
    none = ", ".join(f"NULL::{kind} AS {name}" for name, kind in columns.items())
    whole = f"SELECT * FROM (SELECT {none} LIMIT 0) UNION ALL BY NAME SELECT * FROM {files}"
    return f"(SELECT * REPLACE (coalesce(outcome, 'answered') AS outcome) FROM ({whole}))"


_TEXT = ", ".join(f"coalesce({name}::VARCHAR, chr(0))" for name in COLUMNS)
_DIGEST = f"""
SELECT sha256(string_agg(line, '' ORDER BY line)) FROM (
    SELECT md5(concat_ws(chr(1), {_TEXT})) AS line FROM observations
) GROUP BY line[1:2] ORDER BY line[1:2]"""


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


def quoted(text: str) -> str:
    """Return a text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"
