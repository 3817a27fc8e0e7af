"""What sensors saw, packet by packet summed: raw text checked and cast by SQL, what is wrong counted and located.

A reader of a sensor's log says in SQL where the values stand (`RAW_COLUMNS`); this is what all of them share.
"""

# ruff: noqa: S608 - the SQL is put together from names of ours
from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

import duckdb

from ringfence.flows.possible import EARLIEST, V6_HEADERS, WITH_PORTS
from ringfence.flows.reading import SHOWN, Reading
from ringfence.flows.records import PROTOCOLS, clean_text
from ringfence.flows.relation import insert_rows, new_table
from ringfence.model.addresses import address_text, point_of
from ringfence.model.counts import counted
from ringfence.model.errors import InputError, Place
from ringfence.model.services import ICMP, ICMPV6

# What a reader gives for each row: text as it stands in the file (NULL where nothing is said), times and decisions as
# SQL of its own. `said`: 1 the source is the client, -1 the destination is. `alone`: the row shows nothing but an
# attempt, `reset` nothing but its refusal by the far end.
# `colon` is false where a row certainly has no IPv6 address, which is asked first and must be cheap; `malformed` is the
# reason why the reader could not take the row apart; `empty` a row that tells of no traffic.
RAW_COLUMNS = (
    *("n", "colon", "malformed", "empty", "src", "dst", "sport", "dport", "protocol", "first", "last", "times"),
    *("packets", "bytes", "observer", "refused", "said", "alone", "reset", "attributes"),
)
SIGHTINGS = {
    "src": "VARCHAR",
    "dst": "VARCHAR",
    "sport": "INTEGER",
    "dport": "INTEGER",
    "protocol": "UTINYINT",
    "first": "TIMESTAMP",
    "last": "TIMESTAMP",
    "packets": "BIGINT",
    "bytes": "BIGINT",
    "observer": "VARCHAR",
    "refused": "BOOLEAN",
    "said": "TINYINT",
    "alone": "BOOLEAN",
    "reset": "BOOLEAN",
    "attributes": "VARCHAR",
}
_BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
V4 = rf"{_BYTE}\.{_BYTE}\.{_BYTE}\.{_BYTE}"
_NO_CLIENT = r"(22[4-9]|23[0-9])\..*|255\.255\.255\.255|ff.*"
_KEPT_REASONS = 20


def new_sightings(connection: duckdb.DuckDBPyConnection) -> str:
    """Create an empty table of `SIGHTINGS` and return its name."""
    return new_table(connection, {**SIGHTINGS, "wrong": "VARCHAR", "n": "BIGINT"})


def add_sightings(
    connection: duckdb.DuckDBPyConnection, table: str, raw: str, reading: Reading, place: Callable[[int], Place]
) -> None:
    """Add the right rows of a query of `RAW_COLUMNS` to a table of sightings; wrong rows go to the reading.

    `place` returns file and line of a row by its `n`.
    """
    view = f"{new_table(connection, {'n': 'BIGINT'})}_raw"
    connection.execute(f"CREATE TEMP VIEW {view} AS {raw}")
    connection.execute(f"INSERT INTO {table} {_cast(view, _addresses(connection, view), reading)}")
    counts = dict(
        connection.execute(f"SELECT wrong = '', count(*) FROM {table} WHERE wrong IS NOT NULL GROUP BY ALL").fetchall()
    )
    reading.empty += counts.get(True, 0)
    if wrong := counts.get(False, 0):
        _tell(connection, table, wrong, reading, place)
    if counts:
        connection.execute(f"DELETE FROM {table} WHERE wrong IS NOT NULL")


def _tell(
    connection: duckdb.DuckDBPyConnection, table: str, rows: int, reading: Reading, place: Callable[[int], Place]
) -> None:
    """Give wrong rows to the reading: the first ones one by one, the rest in one line."""
    first = connection.execute(
        f"SELECT n, wrong FROM {table} WHERE wrong <> '' ORDER BY n LIMIT {min(_KEPT_REASONS, SHOWN)}"
    ).fetchall()
    for n, wrong in first:
        reading.reject(InputError(clean_text(wrong)), place(n))
    if rows > len(first):
        last = place(first[-1][0])
        reading.reject(
            InputError(f"{counted(rows - len(first), 'more wrong row')}"), Place(last.file), rows - len(first)
        )


def _addresses(connection: duckdb.DuckDBPyConnection, raw: str) -> str:
    """Return a table that gives every IPv6 address of the rows in canonical text; what is none is not in it."""
    table = new_table(connection, {"said": "VARCHAR", "canonical": "VARCHAR"})
    texts = connection.execute(
        f"SELECT DISTINCT unnest([src, dst]) AS said FROM {raw} WHERE colon AND concat(src, dst) LIKE '%:%'"
    ).fetchall()

    def canonical(text: str) -> str | None:
        try:
            return address_text(point_of(text))
        except InputError:
            return None

    rows = ((text, known) for (text,) in texts if text and (known := canonical(text)))
    insert_rows(connection, table, iter(rows), {"said": "VARCHAR", "canonical": "VARCHAR"})
    return table


def _cast(raw: str, addresses: str, reading: Reading) -> str:
    names = " ".join(f"WHEN '{name}' THEN {number}" for name, number in sorted(PROTOCOLS.items()))
    with_ports = ", ".join(map(str, sorted(WITH_PORTS)))
    headers = ", ".join(map(str, sorted(V6_HEADERS)))
    latest = f"TIMESTAMP '{reading.latest.astimezone(UTC).replace(tzinfo=None).isoformat(' ')}'"
    earliest = f"TIMESTAMP '{EARLIEST.replace(tzinfo=None).isoformat(' ')}'"
    icmp = f"({ICMP}, {ICMPV6})"
    # A number is decimal digits: a cast alone would take '1e3', ' 1' and '1.5'.
    number = "CASE WHEN regexp_full_match({0}, '[0-9]+') THEN try_cast({0} AS {1}) END"
    checks = [
        ("malformed IS NOT NULL", "malformed"),
        ("empty", "''"),
        ("src IS NULL OR dst IS NULL", "'an address is missing'"),
        ("s IS NULL", "format('''{}'' is not a valid IPv4 or IPv6 address', src)"),
        ("d IS NULL", "format('''{}'' is not a valid IPv4 or IPv6 address', dst)"),
        (
            "contains(s, ':') <> contains(d, ':')",
            "format('no packet goes from {} to {}: they are of two families', s, d)",
        ),
        ("proto IS NULL", "format('protocol ''{}'' is not a valid IP protocol', coalesce(protocol, ''))"),
        (
            f"proto = {ICMP} AND contains(s, ':') OR proto = {ICMPV6} AND NOT contains(s, ':')",
            "'ICMP of one family between addresses of the other'",
        ),
        (f"contains(s, ':') AND proto IN ({headers})", "format('protocol {} is an extension header of IPv6', proto)"),
        (
            f"proto IN ({with_ports}) AND coalesce(sp NOT BETWEEN 0 AND 65535, true)",
            "format('port ''{}'' is not a number from 0 to 65535', coalesce(sport, ''))",
        ),
        (
            f"proto IN ({with_ports}) AND coalesce(dp NOT BETWEEN 0 AND 65535, true)",
            "format('port ''{}'' is not a number from 0 to 65535', coalesce(dport, ''))",
        ),
        ("first IS NULL OR last IS NULL", "format('''{}'' is not a valid time', times)"),
        (f"first > {latest} OR last > {latest}", "format('{} lies in the future', greatest(first, last)::VARCHAR)"),
        (f"first < {earliest}", "format('{} is before 1990', first::VARCHAR)"),
        ("last < first", "format('the end {} is before the start {}', last::VARCHAR, first::VARCHAR)"),
        ("packets IS NOT NULL AND p IS NULL", "format('packets ''{}'' is not a valid count', packets)"),
        ("bytes IS NOT NULL AND b IS NULL", "format('bytes ''{}'' is not a valid count', bytes)"),
        (
            f"regexp_full_match(s, '{_NO_CLIENT}')",
            "format('{} cannot send: it is a multicast or broadcast address', s)",
        ),
        ("d IN ('0.0.0.0', '::')", "format('{} cannot be a server: it is the unspecified address', d)"),
        (
            f"s IN ('0.0.0.0', '::') AND NOT regexp_full_match(d, '{_NO_CLIENT}')",
            "format('{} cannot be a client: it is the unspecified address', s)",
        ),
    ]
    reasons = " ".join(f"WHEN {condition} THEN {reason}" for condition, reason in checks)
    return f"""
WITH texts AS (
    SELECT r.*,
        CASE WHEN regexp_full_match(r.src, '{V4}') THEN r.src ELSE a.canonical END AS s,
        CASE WHEN regexp_full_match(r.dst, '{V4}') THEN r.dst ELSE z.canonical END AS d,
        CASE lower(r.protocol) {names} ELSE {number.format("r.protocol", "UTINYINT")} END AS proto,
        {number.format("r.sport", "INTEGER")} AS sp, {number.format("r.dport", "INTEGER")} AS dp,
        {number.format("r.packets", "BIGINT")} AS p, {number.format("r.bytes", "BIGINT")} AS b
    FROM {raw} r LEFT JOIN {addresses} a ON a.said = r.src LEFT JOIN {addresses} z ON z.said = r.dst
)
SELECT s, d, CASE WHEN proto IN ({with_ports}) THEN sp END,
    CASE WHEN proto IN ({with_ports}) OR proto IN {icmp} THEN dp END,
    proto, first, last, coalesce(p, 0), coalesce(b, 0), coalesce(observer, ''), coalesce(refused, false),
    CASE WHEN regexp_full_match(d, '{_NO_CLIENT}') THEN 1 ELSE said END, coalesce(alone, false),
    coalesce(reset, false), attributes,
    CASE {reasons} END, n
FROM texts"""
