"""The columns that flows are read and kept in, and flows put into DuckDB tables of them."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb

from ringfence.flows.database import connect as connect  # noqa: PLC0414 - of those who ask here
from ringfence.flows.records import PROCESSES
from ringfence.flows.relation import FLOW_COLUMNS
from ringfence.model.addresses import point_of
from ringfence.model.flows import ANSWERED, Flow

COLUMNS: dict[str, str] = {**FLOW_COLUMNS, "client_asset": "VARCHAR", "server_asset": "VARCHAR"}
COUNTS = ("connections", "packets", "bytes")
IDENTITY = tuple(name for name in COLUMNS if name not in (*COUNTS, "client_asset", "server_asset"))


def create(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Create an empty table of flows."""
    connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")


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
        outcome=str(row[16] or ANSWERED),
        direction_by=str(row[17] or ""),
        attributes=str(row[18] or ""),
        **words,
    )
