"""Sightings of packets folded into flows: which end is the client and why, and every connection counted once.

A connection is seen at up to two interfaces, question and answer apart, and in as many records as it took minutes. All
of them are one connection; packets and bytes of a direction are those of the interface that counted most.
"""

# ruff: noqa: S608 - the SQL is put together from names of ours
from __future__ import annotations

from collections.abc import Collection

import duckdb

from ringfence.flows.relation import FLOW_COLUMNS, insert_rows, new_table
from ringfence.model.flows import ANSWERED, REFUSED, UNANSWERED
from ringfence.model.services import BLOCK, ICMP, ICMPV6, PORT_PROTOCOLS, WELL_KNOWN, parse_service

# Why the client is the client, the strongest reason first.
SENSOR, LISTENER, PORT, FIRST, GUESS = REASONS = ("sensor", "listener", "port", "first", "guess")
# From here on systems take the ports of clients (Linux; IANA and Windows from 49152).
EPHEMERAL = 32768
_LISTENERS = {"address": "VARCHAR", "protocol": "UTINYINT", "port": "INTEGER"}


def fold(
    connection: duckdb.DuckDBPyConnection, sightings: str, source: str, listeners: Collection[tuple[str, int, int]] = ()
) -> duckdb.DuckDBPyRelation:
    """Return the flows of a table of `ringfence.flows.sightings.SIGHTINGS` as a relation of `FLOW_COLUMNS`.

    The table is dropped. `listeners` are addresses, protocols and ports that hosts report to listen on.
    """
    known = new_table(connection, _LISTENERS)
    insert_rows(connection, known, iter(sorted(listeners)), _LISTENERS)
    flows = new_table(connection, FLOW_COLUMNS)
    connection.execute(f"INSERT INTO {flows} {_folded(sightings, known, source)}")
    connection.execute(f"DROP TABLE {sightings}")
    return connection.table(flows)


def _folded(sightings: str, listeners: str, source: str) -> str:
    sums = ", ".join(f"sum({name}) AS {name}" for name in ("packets", "bytes"))
    both = ", ".join(
        f"coalesce(max({name}) FILTER (forth), 0) + coalesce(max({name}) FILTER (NOT forth), 0) AS {name}"
        for name in ("packets", "bytes")
    )
    nothing = ", ".join("NULL" for _ in range(6))
    return f"""
WITH turned AS (
    -- one order for both directions: a is the lesser end
    SELECT *, (src < dst OR src = dst AND coalesce(sport, 0) <= coalesce(dport, 0)) AS forth FROM {sightings}
), seen AS (
    SELECT if(forth, src, dst) AS a, if(forth, sport, dport) AS ap, if(forth, dst, src) AS b,
        if(forth, dport, sport) AS bp, protocol, forth, observer,
        min(first) AS first, max(last) AS last, {sums}, bool_or(refused) AS refused, bool_or(NOT refused) AS passed,
        max(if(forth, said, -said)) AS said, min(if(forth, said, -said)) AS gainsaid, bool_and(alone) AS alone,
        bool_and(reset) AS reset, min(attributes) AS attributes
    FROM turned GROUP BY ALL
), connections AS (
    SELECT a, ap, b, bp, protocol, min(first) AS first_seen, max(last) AS last_seen, {both},
        bool_or(refused) AS refused, bool_or(forth AND passed) AND bool_or(NOT forth AND passed) AS answered,
        bool_and(alone) FILTER (forth) AS a_alone, bool_and(alone) FILTER (NOT forth) AS b_alone,
        bool_and(reset) FILTER (forth) AS a_reset, bool_and(reset) FILTER (NOT forth) AS b_reset,
        min(first) FILTER (forth) AS a_first, min(first) FILTER (NOT forth) AS b_first,
        if(max(said) = min(gainsaid), max(said), NULL) AS said, min(attributes) AS attributes
    FROM seen GROUP BY a, ap, b, bp, protocol
), ranked AS (
    SELECT c.*, {_rank("ap")} AS a_rank, {_rank("bp")} AS b_rank,
        x.port IS NOT NULL AS a_listens, y.port IS NOT NULL AS b_listens
    FROM connections c
    LEFT JOIN {listeners} x ON x.address = a AND x.protocol = c.protocol AND x.port = ap
    LEFT JOIN {listeners} y ON y.address = b AND y.protocol = c.protocol AND y.port = bp
), reasons AS (
    SELECT *, CASE WHEN said <> 0 THEN '{SENSOR}' WHEN a_listens <> b_listens THEN '{LISTENER}'
        WHEN a_rank <> b_rank THEN '{PORT}' WHEN a_first IS DISTINCT FROM b_first THEN '{FIRST}'
        ELSE '{GUESS}' END AS direction_by
    FROM ranked
), ends AS (
    SELECT *, CASE direction_by WHEN '{SENSOR}' THEN said > 0 WHEN '{LISTENER}' THEN b_listens
        WHEN '{PORT}' THEN b_rank < a_rank WHEN '{FIRST}' THEN coalesce(a_first < b_first, a_first IS NOT NULL)
        ELSE coalesce(bp <= ap, true) END AS onward,
        CASE WHEN refused AND NOT answered OR a_alone AND b_reset OR b_alone AND a_reset THEN '{REFUSED}'
        WHEN coalesce(a_alone, true) AND coalesce(b_alone, true) THEN '{UNANSWERED}' ELSE '{ANSWERED}' END AS outcome
    FROM reasons
)
SELECT if(onward, a, b), if(onward, b, a), {_port()} AS port, protocol, min(first_seen), max(last_seen),
    count(*), sum(packets), sum(bytes), {nothing}, '{source}', outcome,
    ['{"', '".join(REASONS)}'][min(list_position(['{"', '".join(REASONS)}'], direction_by))], attributes
FROM ends GROUP BY 1, 2, port, protocol, outcome, attributes, first_seen::DATE"""


def _rank(port: str) -> str:
    """Return the SQL that ranks a port: 0 a service's, 1 one that may be either, 2 one that clients are given."""
    known = sorted(
        {
            str(point % BLOCK)
            for texts in WELL_KNOWN.values()
            for text in texts
            for low, high in parse_service(text).v4
            for point in range(low, high + 1)
            if point // BLOCK in PORT_PROTOCOLS.values() and point % BLOCK >= 1024
        },
        key=int,
    )
    return (
        f"CASE WHEN {port} IS NULL THEN 0 WHEN {port} BETWEEN 1 AND 1023 OR {port} IN ({', '.join(known)}) THEN 0"
        f" WHEN {port} < {EPHEMERAL} THEN 1 ELSE 2 END"
    )


def _port() -> str:
    return f"CASE WHEN protocol IN ({ICMP}, {ICMPV6}) THEN if(onward, bp, ap) ELSE coalesce(if(onward, bp, ap), 0) END"
