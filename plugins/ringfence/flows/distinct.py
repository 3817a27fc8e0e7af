"""Distinct flows of observations: both ends' reports of one flow joined, and what sources repeat counted once.

Two hosts that report the same connection each know their own process. A process that one end did not say is taken from
the other end's report where that names a single one, and what both ends counted is counted once.
"""

# ruff: noqa: S608 - the SQL is put together from column names of ours
from __future__ import annotations

from dataclasses import dataclass

import duckdb

from ringfence.flows.columns import COLUMNS, COUNTS

KEY = ("client", "client_asset", "server", "server_asset", "protocol", "port", "outcome")
SAID = ("direction_by", "attributes")  # what any one observation of a flow says of it
CLIENT_PROCESS = ("client_unit", "client_user", "client_process")
SERVER_PROCESS = ("server_unit", "server_user", "server_process")


@dataclass(frozen=True, slots=True)
class Distinct:
    """The view `distinct_flows` of a connection: KEY, the processes, `connections`, and `flow`, the number of the row.

    Where `processes` says that any observation names a process, it is one of the table `flows`. Else, and so it is with
    most traffic, it is one grouping of few columns. `count` is how many rows it has, `connections` their sum.
    """

    processes: bool
    count: int
    connections: int

    @staticmethod
    def made(connection: duckdb.DuckDBPyConnection) -> Distinct:
        """Make the view over the table or view `observations`."""
        processes = (*CLIENT_PROCESS, *SERVER_PROCESS)
        # files answer it by their statistics
        said = " OR ".join(f"count({name}) > 0" for name in processes)
        ((any_said,),) = connection.execute(f"SELECT {said} FROM observations").fetchall()
        if any_said:
            make_flows(connection)
            named, table = ", ".join(processes), "flows"
        else:
            _group(connection)
            named, table = ", ".join(f"NULL::VARCHAR AS {name}" for name in processes), "distinct_keys"
        columns = f"rowid AS flow, {', '.join(KEY)}, {named}, connections"
        connection.execute(f"CREATE VIEW distinct_flows AS SELECT {columns} FROM {table}")
        sums = "SELECT count(*), coalesce(sum(connections), 0) FROM distinct_flows"
        ((count, connections),) = connection.execute(sums).fetchall()
        return Distinct(bool(any_said), int(count), int(connections))


def make_flows(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `flows` of the table or view `observations`, unless it is there."""
    connection.execute(f"CREATE TABLE IF NOT EXISTS flows AS {joined('observations')}")


def same_key(one: str, other: str) -> str:
    """Return the condition that two rows are of the same ends, service and outcome."""
    nullable = ("client_asset", "server_asset", "port")
    return " AND ".join(
        f"{one}.{name} {'IS NOT DISTINCT FROM' if name in nullable else '='} {other}.{name}" for name in KEY
    )


def busiest_first(rows: str) -> str:
    """Return the order of rows of flows for people: the most connections first, then by everything that tells apart."""
    ends = ("client", "server", "protocol", "port", *CLIENT_PROCESS, *SERVER_PROCESS)
    order = ", ".join(f"{rows}.{name}" for name in (*ends, "client_asset", "server_asset", "outcome"))
    return f"{rows}.connections DESC, {order}"


def _group(connection: duckdb.DuckDBPyConnection) -> None:
    key = ", ".join(KEY)
    ((several,),) = connection.execute(_SEVERAL_SOURCES).fetchall()
    counted = f"SELECT {key}, sum(connections)::HUGEINT AS connections FROM observations GROUP BY {key}"
    if several:
        by_source = f"SELECT {key}, sum(connections) AS connections FROM observations GROUP BY {key}, {_SOURCE}"
        counted = f"SELECT {key}, max(connections) AS connections FROM ({by_source}) GROUP BY {key}"
    connection.execute(f"CREATE TABLE distinct_keys AS {counted}")


def joined(observations: str) -> str:
    """Return the SQL that makes one row a flow of a table of observations; the module's first lines say how."""
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
    FROM {observations} GROUP BY ALL
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
