"""Rollups of batch files: what a batch tells again and again of one flow, summed, where that is much less to read.

A batch never changes, so neither does its rollup. A window that has all rows of a batch in it asks the rollup: nothing
that is asked of a window needs single observations, except the digest of its content.
"""

# ruff: noqa: S608 - the SQL is put together from column names and paths of ours
from __future__ import annotations

from pathlib import Path

import duckdb

from ringfence.flows.columns import COLUMNS, COUNTS
from ringfence.flows.distinct import summed
from ringfence.flows.engine import parquet_list
from ringfence.flows.records import MOST
from ringfence.flows.relation import new_table

# Below this a batch is read as fast as a second file is opened.
LEAST_ROWS = 100_000
# A rollup is kept where it has at most one row for so many of its batch.
TIMES_SMALLER = 4
# So far off is DuckDB's estimate of distinct values at most, nearly always: it spares the work for what repeats little.
ABOUT = 1.2


def rolled_up(connection: duckdb.DuckDBPyConnection, batch: Path, rows: int) -> str | None:
    """Return the name of a new table with the rollup of a batch of so many rows, None where none is worth keeping.

    There is none either where a sum is beyond what the columns hold: such a batch is read itself.
    """
    if rows < LEAST_ROWS:
        return None
    told = f"SELECT approx_count_distinct(hash(client, server, port)) FROM {parquet_list([batch], origin=False)}"
    ((flows,),) = connection.execute(told).fetchall()
    if flows * TIMES_SMALLER > rows * ABOUT:
        return None
    table = new_table(connection, COLUMNS)
    # a sum beyond what the column holds becomes the most that it holds
    held = ", ".join(f"least({name}, {MOST})" if name in COUNTS else name for name in COLUMNS)
    connection.execute(f"INSERT INTO {table} SELECT {held} FROM ({summed(parquet_list([batch], origin=False))})")
    full = " OR ".join(f"max({name}) = {MOST}" for name in COUNTS)
    ((count, beyond),) = connection.execute(f"SELECT count(*), {full} FROM {table}").fetchall()
    if beyond or count * TIMES_SMALLER > rows:
        connection.execute(f"DROP TABLE {table}")
        return None
    return table
