"""Flows of an estate as a store's Parquet files, written by DuckDB itself: habits that come again every hour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
from ringfence.flows.batches import roll_up
from ringfence.flows.columns import COLUMNS
from ringfence.flows.database import connect
from ringfence.flows.ledger import Ledger

Host = tuple[str, str, str, str, str]  # name, address, app, env, role
DAYS = 7
FIRST = date(2026, 1, 1)
# Of a thousand distinct flows: inside an application and environment, between applications, from outside, to outside.
INSIDE, ACROSS, FROM_OUTSIDE = 800, 950, 980
OUTSIDE = 5_000


def write_flows(directory: Path, hosts: Iterable[Host], rows: int, distinct: int) -> None:
    """Write as many observations of so many distinct flows, spread over seven days, each day sorted as the store does.

    What differs from day to day are times and counts.
    """
    directory.mkdir(parents=True)
    with connect() as connection:
        _habits(connection, list(hosts), distinct)
        day = FIRST.isoformat()
        share = rows // DAYS
        connection.execute(
            "CREATE TABLE one_day AS SELECT h.*, t.i AS n FROM (SELECT i, "
            f"(hash(i, 11) % {distinct})::BIGINT AS habit FROM range({share}) t(i)) t JOIN habits h ON h.id = t.habit"
            " ORDER BY client, server, port, protocol"
            if distinct < rows
            else "CREATE TABLE one_day AS SELECT h.*, h.id AS n FROM habits h ORDER BY client, server, port, protocol"
        )
        for number in range(DAYS):
            every = f"n % {DAYS} = {number}" if distinct >= rows else "true"
            seconds = f"(hash(n, {number}) % 86000)::BIGINT"
            begin = f"TIMESTAMP '{day}' + to_days({number}) + to_seconds({seconds})"
            columns = {
                **dict.fromkeys(COLUMNS, ""),
                **{name: name for name in ("client", "server", "port", "protocol", "client_asset", "server_asset")},
                "first_seen": begin,
                "last_seen": f"{begin} + to_seconds(300)",
                "connections": f"1 + hash(n, {number}, 1) % 9",
                "packets": f"hash(n, {number}, 2) % 1000",
                "bytes": f"hash(n, {number}, 3) % 100000",
                "source": "'vpc:eni-1'",
                "outcome": "'answered'",
            }
            chosen = ", ".join(f"({value or 'NULL'})::{COLUMNS[name]} AS {name}" for name, value in columns.items())
            path = directory / f"{(FIRST + timedelta(days=number)).isoformat()}.{number + 1}.parquet"
            connection.execute(
                f"COPY (SELECT {chosen} FROM one_day WHERE {every}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
            )
        connection.execute("DROP TABLE one_day")
        keep_ledger(connection, directory)


def keep_ledger(connection: duckdb.DuckDBPyConnection, directory: Path) -> None:
    """Write the ledger of the batch files of a directory, and the rollups that a store keeps of them."""
    ledger = Ledger(next=DAYS + 1)
    for path in sorted(directory.glob("*.parquet")):
        ((rows,),) = connection.execute(f"SELECT num_rows FROM parquet_file_metadata('{path}')").fetchall()
        ledger = roll_up(connection, directory, replace(ledger, batches={**ledger.batches, path.name: rows}), path.name)
    ledger.save(directory)


def _habits(connection: duckdb.DuckDBPyConnection, hosts: list[Host], distinct: int) -> None:
    """Make the table of distinct flows: who talks to whom on which port."""
    names = ("name", "address", "app", "env", "role")
    lists = ", ".join(f"unnest(?::VARCHAR[]) AS {name}" for name in names)
    connection.execute(f"CREATE TABLE hosts AS SELECT {lists}", [list(column) for column in zip(*hosts, strict=True)])
    connection.execute(
        "CREATE TABLE members AS SELECT *, dense_rank() OVER (ORDER BY app, env) - 1 AS place FROM hosts"
    )
    connection.execute(
        "CREATE TABLE places AS SELECT place::INTEGER AS place, list(name ORDER BY name) AS names,"
        " list(address ORDER BY name) AS addresses FROM members GROUP BY 1"
    )
    ((places,),) = connection.execute("SELECT count(*) FROM places").fetchall()
    outside = f"'203.' || (hash(id, 5) % 50) || '.' || (hash(id, 6) % 10) || '.' || (hash(id, 7) % {OUTSIDE // 500})"
    member = "[1 + (hash(id, {}) % len({}.names)::UBIGINT)::BIGINT]"
    client, server = member.format(3, "pa"), member.format(4, "pb")
    incoming, outgoing = f"kind BETWEEN {ACROSS} AND {FROM_OUTSIDE - 1}", f"kind >= {FROM_OUTSIDE}"
    connection.execute(
        "CREATE TABLE habits AS WITH drawn AS ("
        f"SELECT i AS id, (hash(i, 1) % {places})::INTEGER AS a, hash(i, 2) % 1000 AS kind,"
        f" CASE WHEN hash(i, 2) % 1000 < {INSIDE} THEN (hash(i, 1) % {places})::INTEGER"
        f" ELSE (hash(hash(i, 1) % {places}, hash(i, 8) % 5) % {places})::INTEGER END AS b,"
        " [8443, 5432, 8080, 9100, 53, 443][(1 + hash(i, 9) % 6)::BIGINT] AS port"
        f" FROM range({distinct}) t(i))"
        " SELECT id, port::USMALLINT AS port, CASE port WHEN 53 THEN 17 ELSE 6 END::UTINYINT AS protocol,"
        f" CASE WHEN {incoming} THEN {outside} ELSE pa.addresses{client} END AS client,"
        f" CASE WHEN {incoming} THEN NULL ELSE pa.names{client} END AS client_asset,"
        f" CASE WHEN {outgoing} THEN {outside} ELSE pb.addresses{server} END AS server,"
        f" CASE WHEN {outgoing} THEN NULL ELSE pb.names{server} END AS server_asset"
        " FROM drawn JOIN places pa ON pa.place = a JOIN places pb ON pb.place = b"
    )
