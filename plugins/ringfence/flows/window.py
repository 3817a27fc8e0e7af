"""A window of flows, ready for questions: both ends' reports of one flow joined, down to single flows.

Two hosts that report the same connection each know their own process. In a window a process that one end did not say
is taken from the other end's report where that names a single one, and what both ends counted is counted once.
"""

# ruff: noqa: S608 - the SQL is put together from column names and paths of ours
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from ringfence.flows.columns import COLUMNS, COUNTS, connect, create, flow_at, insert
from ringfence.flows.holders import Holders
from ringfence.flows.possible import possible_rows
from ringfence.model.assets import Snapshot
from ringfence.model.errors import OutsideError
from ringfence.model.flows import Flow

KEY = ("client", "client_asset", "server", "server_asset", "protocol", "port", "outcome")
SAID = ("direction_by", "attributes")  # what any one observation of a flow says of it
CLIENT_PROCESS = ("client_unit", "client_user", "client_process")
SERVER_PROCESS = ("server_unit", "server_user", "server_process")
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
        connection = connect()
        if not paths:
            create(connection, "observations")
            return FlowWindow(connection, since, until)
        bounds = [f"last_seen >= TIMESTAMP '{_stamp(since)}'"] if since else []
        bounds += [f"first_seen < TIMESTAMP '{_stamp(until)}'"] if until else []
        where = f" WHERE {' AND '.join(bounds)}" if bounds else ""
        possible = possible_rows(latest) if latest else "true"
        with reading_files():
            connection.execute(f"CREATE VIEW kept AS SELECT * FROM {parquet_list(paths)}{where}")
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
        self.connection.close()

    def rows(self, query: str, parameters: object = None) -> list[tuple[object, ...]]:
        """Return the rows of a query over `flows`."""
        self._make_flows()
        return self.connection.execute(query, parameters).fetchall()

    @cached_property
    def distinct(self) -> Distinct:
        """Return the distinct flows in short, without the times and sizes of single ones."""
        with reading_files():
            if self._processes_said:
                self._make_flows()
                return Distinct.of_flows(self.connection)
            ((several,),) = self.connection.execute(_SEVERAL_SOURCES).fetchall()
            return Distinct.of_observations(self.connection, several=bool(several))

    @cached_property
    def _processes_said(self) -> bool:
        """Return whether any observation names a process; files answer that by their statistics."""
        said = " OR ".join(f"count({name}) > 0" for name in (*CLIENT_PROCESS, *SERVER_PROCESS))
        return bool(self.connection.execute(f"SELECT {said} FROM observations").fetchall()[0][0])

    def _make_flows(self) -> None:
        with reading_files():
            self.connection.execute(f"CREATE TABLE IF NOT EXISTS flows AS {_joined()}")

    def __len__(self) -> int:
        """Return how many distinct flows there are."""
        return self.distinct.count

    def __iter__(self) -> Iterator[Flow]:
        return self.flows()

    def flows(self, where: str = "true", parameters: object = None) -> Iterator[Flow]:
        """Yield the flows that a SQL condition over the columns holds for, the most connections first."""
        self._make_flows()
        cursor = self.connection.cursor()
        order = ", ".join(("client", "server", "protocol", "port", *CLIENT_PROCESS, *SERVER_PROCESS, "first_seen"))
        cursor.execute(f"SELECT * FROM flows WHERE {where} ORDER BY connections DESC, {order}", parameters)
        while rows := cursor.fetchmany(FETCH):
            for row in rows:
                yield flow_at(row)

    def totals(self) -> dict[str, object]:
        """Return the window's counts and the times of its first and last flow as plain data."""
        distinct = self.distinct
        seen = "flows" if self._processes_said else "observations"
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


@dataclass(frozen=True, slots=True)
class Distinct:
    """The view `distinct_flows`: KEY, the processes, `connections`, and `flow`, the row's number; how many it has, and
    the sum of their connections. `processes` says that any row names a process."""

    count: int
    connections: int
    processes: bool

    @staticmethod
    def of_flows(connection: duckdb.DuckDBPyConnection) -> Distinct:
        """Make the view over the table `flows`."""
        columns = ", ".join((*KEY, *CLIENT_PROCESS, *SERVER_PROCESS, "connections"))
        connection.execute(f"CREATE VIEW distinct_flows AS SELECT rowid AS flow, {columns} FROM flows")
        return Distinct._counted(connection, processes=True)

    @staticmethod
    def of_observations(connection: duckdb.DuckDBPyConnection, *, several: bool) -> Distinct:
        """Make the view over observations of which none names a process; `several` says that sources may repeat them."""
        key = ", ".join(KEY)
        counted = f"SELECT {key}, sum(connections)::HUGEINT AS connections FROM observations GROUP BY {key}"
        if several:
            by_source = f"SELECT {key}, sum(connections) AS connections FROM observations GROUP BY {key}, {_SOURCE}"
            counted = f"SELECT {key}, max(connections) AS connections FROM ({by_source}) GROUP BY {key}"
        connection.execute(f"CREATE TABLE distinct_keys AS {counted}")
        nothing = ", ".join(f"NULL::VARCHAR AS {name}" for name in (*CLIENT_PROCESS, *SERVER_PROCESS))
        connection.execute(
            f"CREATE VIEW distinct_flows AS SELECT rowid AS flow, {key}, {nothing}, connections FROM distinct_keys"
        )
        return Distinct._counted(connection, processes=False)

    @staticmethod
    def _counted(connection: duckdb.DuckDBPyConnection, *, processes: bool) -> Distinct:
        sums = "SELECT count(*), coalesce(sum(connections), 0) FROM distinct_flows"
        ((count, connections),) = connection.execute(sums).fetchall()
        return Distinct(int(count), int(connections), processes)


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
    files = f"read_parquet([{', '.join(_quoted(str(path)) for path in paths)}], union_by_name=true)"
    none = ", ".join(f"NULL::{kind} AS {name}" for name, kind in COLUMNS.items())
    whole = f"SELECT * FROM (SELECT {none} LIMIT 0) UNION ALL BY NAME SELECT * FROM {files}"
    return f"(SELECT * REPLACE (coalesce(outcome, 'answered') AS outcome) FROM ({whole}))"


def _joined() -> str:
    """Return the SQL that makes one row a flow of `observations`; the module's first lines say how."""
    key, client, server = ", ".join(KEY), ", ".join(CLIENT_PROCESS), ", ".join(SERVER_PROCESS)
    client_said, server_said = f"coalesce({client}) IS NOT NULL", f"coalesce({server}) IS NOT NULL"
    client_one = ", ".join(
        f"CASE WHEN c_said OR clients <> 1 THEN {n} ELSE c_one.{n} END AS {n}" for n in CLIENT_PROCESS
    )
    server_one = ", ".join(
        f"CASE WHEN s_said OR servers <> 1 THEN {n} ELSE s_one.{n} END AS {n}" for n in SERVER_PROCESS
    )
    sums = ", ".join(f"sum({name}) AS {name}" for name in COUNTS)
    largest = ", ".join(f"max({name})::HUGEINT AS {name}" for name in COUNTS)
    said = ", ".join(f"min({name}) AS {name}" for name in SAID)
    packed_client = ", ".join(f"{n} := {n}" for n in CLIENT_PROCESS)
    packed_server = ", ".join(f"{n} := {n}" for n in SERVER_PROCESS)
    return f"""
WITH seen AS (
    SELECT {key}, {client}, {server}, coalesce(source, '') AS source, {client_said} AS c_said, {server_said} AS s_said,
        min(first_seen) AS first_seen, max(last_seen) AS last_seen, {sums}, {said}
    FROM observations GROUP BY ALL
), told AS (
    SELECT *,
        count(DISTINCT CASE WHEN c_said THEN struct_pack({packed_client}) END) OVER same AS clients,
        count(DISTINCT CASE WHEN s_said THEN struct_pack({packed_server}) END) OVER same AS servers,
        any_value(CASE WHEN c_said THEN struct_pack({packed_client}) END) OVER same AS c_one,
        any_value(CASE WHEN s_said THEN struct_pack({packed_server}) END) OVER same AS s_one
    FROM seen WINDOW same AS (PARTITION BY {key})
), filled AS (
    SELECT {key}, {client_one}, {server_one}, source, first_seen, last_seen, {", ".join((*COUNTS, *SAID))}
    FROM told
    WHERE NOT (starts_with(source, 'hosts:') AND (
        (s_said AND NOT c_said AND clients > 1) OR (c_said AND NOT s_said AND clients = 1 AND servers > 1)))
), by_source AS (
    SELECT {key}, {client}, {server}, source, min(first_seen) AS first_seen, max(last_seen) AS last_seen, {sums}, {said}
    FROM filled GROUP BY ALL
), once AS (
    SELECT {key}, {client}, {server}, min(first_seen) AS first_seen, max(last_seen) AS last_seen, {largest}, {said},
        string_agg(source, ' ' ORDER BY source) AS source
    FROM by_source GROUP BY {key}, {client}, {server}
)
SELECT {", ".join(COLUMNS)} FROM once"""


_SOURCE = "coalesce(source, '')"
_SEVERAL_SOURCES = f"SELECT count(*) > 1 FROM (SELECT DISTINCT {_SOURCE} FROM observations LIMIT 2)"
_TEXT = ", ".join(f"coalesce({name}::VARCHAR, chr(0))" for name in COLUMNS)
_DIGEST = f"""
SELECT sha256(string_agg(line, '' ORDER BY line)) FROM (
    SELECT md5(concat_ws(chr(1), {_TEXT})) AS line FROM observations
) GROUP BY line[1:2] ORDER BY line[1:2]"""


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
