"""Flows as a relation: the columns that a reader gives, and the way there for a reader that yields flow by flow."""

# ruff: noqa: S608 - the SQL is put together from column names of ours
from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, runtime_checkable

import duckdb

from ringfence.flows.reading import Reading
from ringfence.flows.records import clean_text
from ringfence.model.addresses import address_text
from ringfence.model.flows import Flow

# Addresses are canonical text (`ringfence.model.addresses.address_text`; IPv4 mapped into IPv6 is IPv4): Parquet has no
# 128-bit integer (DuckDB would write a float), text is stored once for each distinct address of a row group, and every
# other tool can read it. Times are UTC. What a source did not say is NULL; `outcome` is never NULL.
FLOW_COLUMNS: Mapping[str, str] = {
    "client": "VARCHAR",
    "server": "VARCHAR",
    "port": "USMALLINT",
    "protocol": "UTINYINT",
    "first_seen": "TIMESTAMP",
    "last_seen": "TIMESTAMP",
    "connections": "BIGINT",
    "packets": "BIGINT",
    "bytes": "BIGINT",
    "client_unit": "VARCHAR",
    "client_user": "VARCHAR",
    "client_process": "VARCHAR",
    "server_unit": "VARCHAR",
    "server_user": "VARCHAR",
    "server_process": "VARCHAR",
    "source": "VARCHAR",
    "outcome": "VARCHAR",
    "direction_by": "VARCHAR",
    "attributes": "VARCHAR",
}
BATCH = 200_000
_NUMBERS = count(1)


@runtime_checkable
class RelationReader(Protocol):
    """A reader that gives whole files as a relation: DuckDB reads and casts, no Python runs for a row."""

    def read(self, connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> duckdb.DuckDBPyRelation:
        """Return the flows of a path (a file or a directory) as a relation of `FLOW_COLUMNS` on the connection.

        When this returns, wrong rows are counted and located in `reading`, and their flows left out; `reading.read` is
        the caller's to count. Raise InputError where the path as a whole is none of the format.
        """
        ...


def relation_of(connection: duckdb.DuckDBPyConnection, flows: Iterable[Flow]) -> duckdb.DuckDBPyRelation:
    """Return flows that come one by one as a relation of `FLOW_COLUMNS`, taken in batches."""
    table = new_table(connection, FLOW_COLUMNS)
    insert_rows(connection, table, map(row_of, flows), FLOW_COLUMNS)
    return connection.table(table)


def new_table(connection: duckdb.DuckDBPyConnection, columns: Mapping[str, str]) -> str:
    """Create an empty temporary table and return its name, which no other of this process has."""
    table = f"rows_{next(_NUMBERS)}"
    connection.execute(f"CREATE TEMP TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    return table


def insert_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rows: Iterator[tuple[object, ...]],
    columns: Mapping[str, str],
) -> int:
    """Put rows of these columns into a table and return how many there were."""
    kinds = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    total = 0
    with TemporaryDirectory(prefix="ringfence-flows-") as directory:
        # CSV on the way in: without pyarrow or pandas (250 and 60 MB) DuckDB takes nothing in bulk that is as fast;
        # lists as parameters take four times as long.
        path = Path(directory) / "batch.csv"
        while batch := list(islice(rows, BATCH)):
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(batch)
            connection.execute(
                f"INSERT INTO {table} SELECT * FROM read_csv(?, auto_detect=false, header=false, delim=',', quote='\"',"
                f" escape='\"', nullstr='', columns={{{kinds}}})",
                [str(path)],
            )
            total += len(batch)
    return total


def row_of(flow: Flow) -> tuple[object, ...]:
    """Return a flow as a row of `FLOW_COLUMNS`."""
    return (
        address_text(flow.client),
        address_text(flow.server),
        flow.port,
        flow.protocol,
        _stamp(flow.first_seen),
        _stamp(flow.last_seen),
        flow.connections,
        flow.packets,
        flow.bytes,
        *(
            clean_text(word) if word else None
            for word in (
                flow.client_unit,
                flow.client_user,
                flow.client_process,
                flow.server_unit,
                flow.server_user,
                flow.server_process,
                flow.source,
            )
        ),
        flow.outcome,
        flow.direction_by or None,
        flow.attributes or None,
    )


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
