"""Batch files of a store: what comes is kept apart from what is there already, and small batches become one."""

# ruff: noqa: S608 - the SQL is put together from column names and paths of ours
from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from ringfence.flows.columns import COLUMNS, COUNTS, IDENTITY
from ringfence.flows.engine import parquet_list, quoted
from ringfence.flows.holders import resolved
from ringfence.flows.ledger import REPLACES, ROLLUPS, Ledger, now, source_of
from ringfence.flows.rollups import rolled_up
from ringfence.model.assets import Snapshot

MOST = (1 << 63) - 1
# So many batches may a day have; beyond it the smaller half of them becomes one.
MOST_BATCHES = 8
ASSETS = ("client_asset", "server_asset")
NEVER_NULL = ("client", "server", "protocol", "first_seen", "last_seen", "outcome")


def incoming(
    connection: duckdb.DuckDBPyConnection,
    flows: duckdb.DuckDBPyRelation,
    snapshots: Sequence[Snapshot],
    origin: int | None,
) -> tuple[int, list[date]]:
    """Make the table `incoming` of flows, both ends resolved; return how many there were and their days.

    Equal observations are one, with the sum of their counts.
    """
    flows.create_view("flows_read", replace=True)
    identity = ", ".join(IDENTITY)
    sums = ", ".join(f"least(sum({name}), {MOST})::BIGINT AS {name}" for name in COUNTS)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE flows_once AS SELECT {identity}, {sums}, count(*) AS observed"
        f" FROM flows_read GROUP BY {identity}"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT {', '.join(COLUMNS)}, {origin or 'NULL'}::UINTEGER AS origin,"
        f" observed FROM ({resolved(connection, 'flows_once', snapshots)})"
    )
    ((count,),) = connection.execute("SELECT coalesce(sum(observed), 0) FROM incoming").fetchall()
    days = connection.execute("SELECT DISTINCT first_seen::DATE FROM incoming ORDER BY 1").fetchall()
    return int(count), [day for (day,) in days]


def write_day(
    connection: duckdb.DuckDBPyConnection, directory: Path, ledger: Ledger, day: date, replaced: int | None
) -> tuple[Ledger, int]:
    """Write what came of one day, in place of what an origin brought before; return how many observations are new.

    What is there already is not written again; only where it changes is the day written anew.
    """
    # what is folded from records is not merged with anything: it is folded anew
    names = [name for name in ledger.days(directory).get(day, []) if not source_of(name)]
    columns = ", ".join((*COLUMNS, "origin"))
    came = f"(SELECT {columns} FROM incoming WHERE first_seen::DATE = DATE '{day.isoformat()}')"
    if not names:
        return _written(connection, directory, ledger, day, f"SELECT * FROM {came}")
    kept = parquet_list([directory / name for name in names])
    if replaced is None:
        larger = " OR ".join(
            [f"i.{name} > k.{name}" for name in COUNTS]
            + [f"(k.{name} IS NULL AND i.{name} IS NOT NULL)" for name in ASSETS]
        )
        span = f"(SELECT * FROM {kept} WHERE first_seen BETWEEN (SELECT min(first_seen) FROM {came})"
        span += f" AND (SELECT max(first_seen) FROM {came}))"
        query = f"SELECT count(*) FROM {span} k JOIN {came} i ON {_same('k', 'i')} WHERE {larger}"
        ((changes,),) = connection.execute(query).fetchall()
        if not changes:
            fresh = f"SELECT i.* FROM {came} i ANTI JOIN {span} k ON {_same('k', 'i')}"
            return _written(connection, directory, ledger, day, fresh)
    identity = ", ".join(IDENTITY)
    largest = ", ".join(f"max({name}) AS {name}" for name in COUNTS)
    # What was resolved first stays, because a later snapshot says nothing of then; what was not (arg_min passes over
    # NULL) is filled. What two origins brought stays when one of them is replaced.
    holders = ", ".join(f"arg_min({name}, age) AS {name}" for name in ASSETS)
    origin = "CASE WHEN min(coalesce(origin, 0)) = max(coalesce(origin, 0)) THEN min(origin) END AS origin"
    merged = (
        f"SELECT {identity}, {largest}, {holders}, {origin} FROM (SELECT *, 0 AS age FROM {kept}"
        f" WHERE origin IS DISTINCT FROM {replaced or 0} UNION ALL BY NAME SELECT *, 1 AS age FROM {came})"
        f" GROUP BY {identity}"
    )
    ((before,),) = connection.execute(f"SELECT count(*) FROM {kept}").fetchall()
    ledger, rows = _written(connection, directory, ledger, day, f"SELECT {columns} FROM ({merged})", names)
    return ledger, max(rows - int(before), 0)


def compacted(connection: duckdb.DuckDBPyConnection, directory: Path, ledger: Ledger, day: date) -> Ledger:
    """Make one batch of a day's smaller ones where there are too many; return the ledger."""
    names = [name for name in ledger.days(directory).get(day, []) if name in ledger.batches and not source_of(name)]
    if len(names) <= MOST_BATCHES:
        return ledger
    small = sorted(names, key=lambda name: ledger.batches[name])[: len(names) - MOST_BATCHES // 2]
    columns = ", ".join((*COLUMNS, "origin"))
    query = f"SELECT {columns} FROM {parquet_list([directory / name for name in small])}"
    return _written(connection, directory, ledger, day, query, small)[0]


def write_batch(
    connection: duckdb.DuckDBPyConnection, directory: Path, name: str, query: str, replaced: Sequence[str] = ()
) -> int:
    """Write the rows of a query as a file of the store, none where there are none; return how many there were.

    The file says which ones it replaces: so much is known of a store whose ledger is lost.
    """
    path = directory / name
    path.parent.mkdir(exist_ok=True)
    scratch = path.with_suffix(".new")
    scratch.unlink(missing_ok=True)  # a link would be followed
    try:
        connection.execute(
            f"COPY ({query}) TO {quoted(str(scratch))} (FORMAT parquet, COMPRESSION zstd,"
            f" KV_METADATA {{{REPLACES}: {quoted(' '.join(replaced))}}})"
        )
        ((rows,),) = connection.execute(
            f"SELECT num_rows FROM parquet_file_metadata({quoted(str(scratch))})"
        ).fetchall()
        if not rows:
            return 0
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    return int(rows)


def _written(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    ledger: Ledger,
    day: date,
    query: str,
    replaced: Sequence[str] = (),
) -> tuple[Ledger, int]:
    """Write the rows of a query as a batch in place of others; return the ledger and how many there were."""
    ledger, name = ledger.without(replaced, now()).with_batch(day, 0)
    rows = write_batch(connection, directory, name, f"{query} ORDER BY {_SORTED}", replaced)
    return roll_up(connection, directory, ledger.counted(name, rows), name), rows


def roll_up(connection: duckdb.DuckDBPyConnection, directory: Path, ledger: Ledger, name: str) -> Ledger:
    """Write the rollup of a batch where that is much smaller; return the ledger."""
    table = rolled_up(connection, directory / name, ledger.batches.get(name, 0))
    if table is None:
        return ledger
    rows = write_batch(connection, directory, f"{ROLLUPS}/{name}", f"SELECT * FROM {table} ORDER BY {_SORTED}")
    connection.execute(f"DROP TABLE {table}")
    return ledger.with_rollup(name, rows)


_SORTED = "client, server, port, protocol, first_seen, last_seen, source"


def _same(one: str, other: str) -> str:
    return " AND ".join(
        f"{one}.{name} {'=' if name in NEVER_NULL else 'IS NOT DISTINCT FROM'} {other}.{name}" for name in IDENTITY
    )
