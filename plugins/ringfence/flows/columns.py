"""The columns that flows are kept in, and flows put into a DuckDB table of them."""

# ruff: noqa: S608 - the SQL is put together from column names and paths of ours
from __future__ import annotations

import atexit
import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp

import duckdb

from ringfence.flows.holders import Holders, observer_of
from ringfence.flows.records import PROCESSES, clean_text
from ringfence.model.addresses import address_text, point_of
from ringfence.model.flows import Flow

# Addresses are canonical text: Parquet has no 128-bit integer (DuckDB would write a float), text is stored once for
# each distinct address of a row group, and every other tool can read it. Times are UTC.
COLUMNS: dict[str, str] = {
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
    "client_asset": "VARCHAR",
    "server_asset": "VARCHAR",
}
COUNTS = ("connections", "packets", "bytes")
IDENTITY = tuple(name for name in COLUMNS if name not in (*COUNTS, "client_asset", "server_asset"))
BATCH = 200_000


def connect() -> duckdb.DuckDBPyConnection:
    """Return a connection to a database in memory that loads nothing from the network and spills to a place of its own.

    DuckDB would otherwise write what does not fit into memory below the current directory, the user's repository.
    """
    return duckdb.connect(
        config={
            "temp_directory": _spill_directory(),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )


@cache
def _spill_directory() -> str:
    path = mkdtemp(prefix="ringfence-flows-")
    atexit.register(rmtree, path, ignore_errors=True)
    return path


def create(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Create an empty table of flows."""
    connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")


def insert(connection: duckdb.DuckDBPyConnection, table: str, flows: Iterable[Flow], holders: Holders) -> int:
    """Put flows into a table that `create` made, both ends resolved to assets, and return how many there were."""
    rows = _rows(flows, holders)
    total = 0
    with TemporaryDirectory(prefix="ringfence-flows-") as directory:
        # CSV on the way in: the only bulk load that DuckDB offers a process without pyarrow or pandas.
        path = Path(directory) / "batch.csv"
        while batch := list(islice(rows, BATCH)):
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(batch)
            columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
            connection.execute(
                f"INSERT INTO {table} SELECT * FROM read_csv(?, auto_detect=false, header=false, delim=',', quote='\"',"
                f" escape='\"', nullstr='', columns={{{columns}}})",
                [str(path)],
            )
            total += len(batch)
    return total


def flow_at(row: tuple[object, ...]) -> Flow:
    """Return the flow of a row whose first columns are those of a `Flow`, in order."""
    client, server, port, protocol, first, last, connections, packets, size = row[:9]
    words = dict(zip(PROCESSES, (None if word is None else str(word) for word in row[9:15]), strict=True))
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    return Flow(
        point_of(str(client)),
        point_of(str(server)),
        None if port is None else int(str(port)),
        int(str(protocol)),
        first.replace(tzinfo=UTC),
        last.replace(tzinfo=UTC),
        int(str(connections)),
        int(str(packets)),
        int(str(size)),
        source=str(row[15] or ""),
        **words,
    )


def _rows(flows: Iterable[Flow], holders: Holders) -> Iterator[tuple[object, ...]]:
    texts: dict[int, str] = {}

    def text(point: int) -> str:
        found = texts.get(point)
        if found is None:
            found = texts[point] = address_text(point)
        return found

    def word(value: str | None) -> str | None:
        return clean_text(value) if value else None

    for flow in flows:
        observer = observer_of(flow.source)
        yield (
            text(flow.client),
            text(flow.server),
            flow.port,
            flow.protocol,
            _stamp(flow.first_seen),
            _stamp(flow.last_seen),
            flow.connections,
            flow.packets,
            flow.bytes,
            word(flow.client_unit),
            word(flow.client_user),
            word(flow.client_process),
            word(flow.server_unit),
            word(flow.server_user),
            word(flow.server_process),
            word(flow.source),
            holders.asset(flow.client, flow.first_seen, observer),
            holders.asset(flow.server, flow.first_seen, observer),
        )


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
