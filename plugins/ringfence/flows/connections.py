"""Sightings of packets folded into flows: which end is the client and why, and every connection counted once.

A connection is seen at up to two interfaces, question and answer apart, and in as many records as it took minutes. All
of them of one day are one connection; packets and bytes of a direction are those of the interface that counted most.
The same record twice, from two files, is one.
"""

# ruff: noqa: S608 - the SQL is put together from names of ours
from __future__ import annotations

from collections.abc import Collection

import duckdb

from ringfence.flows.reasons import FIRST, GUESS, LISTENER, PORT, REASONS, SENSOR
from ringfence.flows.records import MOST, PROCESSES
from ringfence.flows.relation import FLOW_COLUMNS, insert_rows, new_table
from ringfence.model.flows import ANSWERED, REFUSED, UNANSWERED
from ringfence.model.services import BLOCK, ICMP, ICMPV6, PORT_PROTOCOLS, WELL_KNOWN, parse_service

# From here on systems take the ports of clients (Linux; IANA and Windows from 49152).
EPHEMERAL = 32768
# What `fold` gives of a flow: its columns, and the greatest `origin` of the sightings that it was made of.
FOLDED = {**FLOW_COLUMNS, "origin": "UINTEGER"}
_LISTENERS = {"address": "VARCHAR", "protocol": "UTINYINT", "port": "INTEGER"}


def fold(
    connection: duckdb.DuckDBPyConnection,
    sightings: str,
    source: str,
    listeners: Collection[tuple[str, int, int]] = (),
    *,
    whole: bool = False,
) -> str:
    """Return the name of a new table of `FOLDED` with the flows of a table of `ringfence.flows.sightings.SEEN`.

    `listeners` are addresses, protocols and ports that hosts report to listen on. `whole` says that a sighting is a
    whole connection, both directions of it, and its source the client unless `said` is null: then its source was seen
    first.
    """
    # Numbers for texts: grouping by them takes half the time. They sort as the texts do, so what is decided by order
    # comes out alike whatever else is folded with it.
    ends, observers = (new_table(connection, {"text": "VARCHAR", "id": "UINTEGER"}) for _ in range(2))
    for table, texts in (
        (ends, f"SELECT src AS text FROM {sightings} UNION SELECT dst FROM {sightings}"),
        (observers, f"SELECT DISTINCT observer FROM {sightings}"),
    ):
        connection.execute(f"INSERT INTO {table} SELECT text, row_number() OVER (ORDER BY text) FROM ({texts}) t(text)")
    flows = new_table(connection, FOLDED)
    same = _unsaid(connection, sightings)
    once = _once(connection, sightings, ends, observers, same)
    known = new_table(connection, _LISTENERS)
    insert_rows(connection, known, iter(sorted(listeners)), _LISTENERS)
    query = _summed(_turned(once, known, ends), source) if whole else _folded(once, known, ends, source, same)
    columns = ", ".join("x.text" if name == "client" else "y.text" if name == "server" else name for name in FOLDED)
    connection.execute(
        f"INSERT INTO {flows} SELECT {columns} FROM ({query}) f JOIN {ends} x ON x.id = client"
        f" JOIN {ends} y ON y.id = server"
    )
    connection.execute(f"DROP TABLE {ends}")
    connection.execute(f"DROP TABLE {observers}")
    return flows


# What most sensors never say: asked for once, it is not grouped a million times.
_UNSAID = {"said": "NULL::TINYINT", "alone": "false", "reset": "false", "attributes": "NULL::VARCHAR"}


def _unsaid(connection: duckdb.DuckDBPyConnection, sightings: str) -> frozenset[str]:
    """Return the columns of `_UNSAID` that are the same in all rows."""
    query = f"SELECT count(said) = 0, NOT bool_or(alone), NOT bool_or(reset), count(attributes) = 0 FROM {sightings}"
    (found,) = connection.execute(query).fetchall()
    return frozenset(name for name, unsaid in zip(_UNSAID, found, strict=True) if unsaid)


def _kept(name: str, how: str, same: frozenset[str], alias: str = "") -> str:
    """Return the SQL of a column of `_UNSAID`, taken as `how` says unless it is the same in all rows."""
    return f"{_UNSAID[name] if name in same else how} AS {alias or name}"


_RECORD = ("src", "dst", "sport", "dport", "protocol", "first", "last", "observer", "refused")


def _once(
    connection: duckdb.DuckDBPyConnection, sightings: str, ends: str, observers: str, same: frozenset[str]
) -> str:
    """Return the query of the records, with numbers for texts; one that two files have is one, of the larger counts."""
    joined = (
        f"SELECT s.* REPLACE (x.id AS src, y.id AS dst, o.id AS observer) FROM {sightings} s"
        f" JOIN {ends} x ON x.text = s.src JOIN {ends} y ON y.text = s.dst JOIN {observers} o ON o.text = s.observer"
    )
    record = ", ".join(_RECORD)
    twice = f"SELECT 1 FROM {sightings} GROUP BY hash({record}) HAVING count(*) > 1 LIMIT 1"
    if not connection.execute(twice).fetchall():
        return joined
    kept = ", ".join(
        _kept(name, how, same)
        for name, how in (
            ("said", "max(said)"),
            ("alone", "bool_and(alone)"),
            ("reset", "bool_and(reset)"),
            ("attributes", "min(attributes)"),
        )
    )
    return (
        f"SELECT {record}, max(packets) AS packets, max(bytes) AS bytes, {kept}, max(origin) AS origin"
        f" FROM ({joined}) GROUP BY {record}"
    )


def _turned(once: str, listeners: str, ends: str) -> str:
    """Return the query of whole connections with `direction_by`, their source the client."""
    heard = f"(SELECT id, protocol, port FROM {listeners} JOIN {ends} ON text = address)"
    ranks = f"{_rank('sport')} AS a_rank, {_rank('dport')} AS b_rank"
    return f"""
SELECT * REPLACE (if(back, dst, src) AS src, if(back, src, dst) AS dst, if(back, sport, dport) AS dport),
    CASE WHEN said IS NOT NULL THEN '{SENSOR}' WHEN a_listens <> b_listens THEN '{LISTENER}'
        WHEN a_rank <> b_rank THEN '{PORT}' ELSE '{FIRST}' END AS direction_by
FROM (
    SELECT *, said IS NULL AND if(a_listens = b_listens, a_rank < b_rank, a_listens) AS back
    FROM (
        SELECT r.*, {ranks}, x.id IS NOT NULL AS a_listens, y.id IS NOT NULL AS b_listens
        FROM ({once}) r
        LEFT JOIN {heard} x ON said IS NULL AND x.id = src AND x.protocol = r.protocol AND x.port = sport
        LEFT JOIN {heard} y ON said IS NULL AND y.id = dst AND y.protocol = r.protocol AND y.port = dport
    )
)"""


def _summed(once: str, source: str) -> str:
    return (
        f"SELECT src AS client, dst AS server, CASE WHEN protocol IN ({ICMP}, {ICMPV6}) THEN dport"
        " ELSE coalesce(dport, 0) END AS port, protocol, min(first) AS first_seen, max(last) AS last_seen,"
        f" count(*) AS connections, {_most('packets')} AS packets, {_most('bytes')} AS bytes, {_NOBODY},"
        f" '{source}' AS source, CASE WHEN refused THEN '{REFUSED}' WHEN alone THEN '{UNANSWERED}'"
        f" ELSE '{ANSWERED}' END AS outcome, {_STRONGEST}, attributes, max(origin) AS origin"
        f" FROM ({once}) GROUP BY src, dst, port, protocol, outcome, attributes, first::DATE"
    )


def _folded(once: str, listeners: str, ends: str, source: str, same: frozenset[str]) -> str:
    sums = ", ".join(f"sum({name}) AS {name}" for name in ("packets", "bytes"))
    both = ", ".join(
        f"coalesce(max({name}) FILTER (forth), 0) + coalesce(max({name}) FILTER (NOT forth), 0) AS {name}"
        for name in ("packets", "bytes")
    )
    sides = (("a", "(forth)"), ("b", "(NOT forth)"))
    flags = ", ".join(
        _kept(name, f"bool_and({name}) FILTER {side}", same, f"{end}_{name}")
        for name in ("alone", "reset")
        for end, side in sides
    )
    return f"""
WITH turned AS (
    -- one order for both directions: a is the lesser end
    SELECT *, (src < dst OR src = dst AND coalesce(sport, 0) <= coalesce(dport, 0)) AS forth FROM ({once})
), seen AS (
    SELECT if(forth, src, dst) AS a, if(forth, sport, dport) AS ap, if(forth, dst, src) AS b,
        if(forth, dport, sport) AS bp, protocol, forth, observer, first::DATE AS day,
        min(first) AS first, max(last) AS last, {sums}, bool_or(refused) AS refused, bool_or(NOT refused) AS passed,
        {_kept("said", "max(if(forth, said, -said))", same)},
        {_kept("said", "min(if(forth, said, -said))", same, "gainsaid")},
        {_kept("alone", "bool_and(alone)", same)}, {_kept("reset", "bool_and(reset)", same)},
        {_kept("attributes", "min(attributes)", same)}, max(origin) AS origin
    FROM turned GROUP BY ALL
), connections AS (
    SELECT a, ap, b, bp, protocol, day, min(first) AS first_seen, max(last) AS last_seen, {both},
        bool_or(refused) AS refused, bool_or(forth AND passed) AND bool_or(NOT forth AND passed) AS answered,
        {flags}, min(first) FILTER (forth) AS a_first, min(first) FILTER (NOT forth) AS b_first,
        {_kept("said", "if(max(said) = min(gainsaid), max(said), NULL)", same)},
        {_kept("attributes", "min(attributes)", same)}, max(origin) AS origin
    FROM seen GROUP BY a, ap, b, bp, protocol, day
), listening AS (
    SELECT id, protocol, port FROM {listeners} JOIN {ends} ON text = address
), ranked AS (
    SELECT c.*, {_rank("ap")} AS a_rank, {_rank("bp")} AS b_rank,
        x.port IS NOT NULL AS a_listens, y.port IS NOT NULL AS b_listens
    FROM connections c
    LEFT JOIN listening x ON x.id = a AND x.protocol = c.protocol AND x.port = ap
    LEFT JOIN listening y ON y.id = b AND y.protocol = c.protocol AND y.port = bp
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
SELECT if(onward, a, b) AS client, if(onward, b, a) AS server, {_port()} AS port, protocol,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen, count(*) AS connections,
    {_most("packets")} AS packets, {_most("bytes")} AS bytes, {_NOBODY}, '{source}' AS source, outcome,
    {_STRONGEST}, attributes, max(origin) AS origin
FROM ends GROUP BY 1, 2, port, protocol, outcome, attributes, day"""


_REASONS = f"[{', '.join(map(repr, REASONS))}]"
_STRONGEST = f"{_REASONS}[min(list_position({_REASONS}, direction_by))] AS direction_by"
# A sensor on the network knows no process.
_NOBODY = ", ".join(f"NULL AS {name}" for name in PROCESSES)


def _most(name: str) -> str:
    return f"least(sum({name}), {MOST})::BIGINT"


def service_port(port: str) -> str:
    """Return the SQL of whether a port is a service's."""
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
    return f"{port} BETWEEN 1 AND 1023 OR {port} IN ({', '.join(known)})"


def _rank(port: str) -> str:
    """Return the SQL that ranks a port: 0 a service's, 1 one that may be either, 2 one that clients are given."""
    return f"CASE WHEN {port} IS NULL OR {service_port(port)} THEN 0 WHEN {port} < {EPHEMERAL} THEN 1 ELSE 2 END"


def _port() -> str:
    return f"CASE WHEN protocol IN ({ICMP}, {ICMPV6}) THEN if(onward, bp, ap) ELSE coalesce(if(onward, bp, ap), 0) END"
