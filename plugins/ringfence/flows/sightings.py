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
# `colon` is no longer asked for; `malformed` is the reason why the reader could not take the row apart; `empty` a row
# that tells of no traffic.
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
    # The number of the file that a record came from, where several are read.
    "origin": "UINTEGER",
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
    rows = f"{new_table(connection, {'n': 'BIGINT'})}_raw"
    connection.execute(f"CREATE TEMP TABLE {rows} AS {raw}")
    cast_sightings(connection, table, rows, reading, _TEXT)
    connection.execute(f"DROP TABLE {rows}")
    counts = dict(
        connection.execute(f"SELECT wrong = '', count(*) FROM {table} WHERE wrong IS NOT NULL GROUP BY ALL").fetchall()
    )
    reading.empty += counts.get(True, 0)
    if wrong := counts.get(False, 0):
        _tell(connection, table, wrong, reading, place)
    if counts:
        connection.execute(f"DELETE FROM {table} WHERE wrong IS NOT NULL")


def cast_sightings(
    connection: duckdb.DuckDBPyConnection, table: str, raw: str, reading: Reading, number: str, origin: str = "NULL"
) -> None:
    """Add all rows of a table of `RAW_COLUMNS` to a table of sightings.

    `wrong` says what is wrong with a row, and is empty for one that tells of no traffic. `number` is the SQL that casts
    a value ({0}) to a type ({1}), NULL where it is none.
    """
    addresses = _addresses(connection, raw)
    connection.execute(f"INSERT INTO {table} {_cast(raw, addresses, reading, number, origin)}")
    connection.execute(f"DROP TABLE {addresses}")


# A number is decimal digits: a cast alone would take '1e3', ' 1' and '1.5'.
_TEXT = "CASE WHEN regexp_full_match({0}, '[0-9]+') THEN try_cast({0} AS {1}) END"
CASTED = "{0}::{1}"
"""How numbers are cast that are numbers already, of the right type."""


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
    """Return a table that gives every address of the rows in canonical text, and what of it matters to the checks.

    What is no address is not in it. Each is looked at once, however many rows have it.
    """
    said = new_table(connection, {"said": "VARCHAR"})
    connection.execute(f"INSERT INTO {said} SELECT src FROM {raw} UNION SELECT dst FROM {raw}")
    table = new_table(connection, _ADDRESSES)
    plain = f"SELECT said, said AS canonical FROM {said} WHERE regexp_full_match(said, '{V4}')"
    connection.execute(f"INSERT INTO {table} {_told_of(plain)}")
    others = connection.execute(f"SELECT said FROM {said} WHERE contains(said, ':')").fetchall()
    connection.execute(f"DROP TABLE {said}")

    def canonical(text: str) -> str | None:
        try:
            return address_text(point_of(text))
        except InputError:
            return None

    if rows := [(text, known) for (text,) in others if (known := canonical(text))]:
        columns = {"said": "VARCHAR", "canonical": "VARCHAR"}
        found = new_table(connection, columns)
        insert_rows(connection, found, iter(rows), columns)
        connection.execute(f"INSERT INTO {table} {_told_of(f'SELECT * FROM {found}')}")
        connection.execute(f"DROP TABLE {found}")
    return table


_ADDRESSES = {
    **dict.fromkeys(("said", "canonical"), "VARCHAR"),
    **dict.fromkeys(("v6", "no_client", "unspecified"), "BOOLEAN"),
}


def _told_of(addresses: str) -> str:
    return (
        f"SELECT said, canonical, contains(canonical, ':'), regexp_full_match(canonical, '{_NO_CLIENT}'),"
        f" canonical IN ('0.0.0.0', '::') FROM ({addresses})"
    )


def _cast(raw: str, addresses: str, reading: Reading, number: str, origin: str) -> str:
    names = " ".join(f"WHEN '{name}' THEN {code}" for name, code in sorted(PROTOCOLS.items()))
    with_ports = ", ".join(map(str, sorted(WITH_PORTS)))
    headers = ", ".join(map(str, sorted(V6_HEADERS)))
    latest = f"TIMESTAMP '{reading.latest.astimezone(UTC).replace(tzinfo=None).isoformat(' ')}'"
    earliest = f"TIMESTAMP '{EARLIEST.replace(tzinfo=None).isoformat(' ')}'"
    icmp = f"({ICMP}, {ICMPV6})"
    code = number.format("r.protocol", "UTINYINT")
    if number != CASTED:
        code = f"CASE lower(r.protocol) {names} ELSE {code} END"
    checks = [
        ("malformed IS NOT NULL", "malformed"),
        ("empty", "''"),
        ("src IS NULL OR dst IS NULL", "'an address is missing'"),
        ("s IS NULL", "format('''{}'' is not a valid IPv4 or IPv6 address', src)"),
        ("d IS NULL", "format('''{}'' is not a valid IPv4 or IPv6 address', dst)"),
        ("s6 <> d6", "format('no packet goes from {} to {}: they are of two families', s, d)"),
        ("proto IS NULL", "format('protocol ''{}'' is not a valid IP protocol', coalesce(protocol::VARCHAR, ''))"),
        (
            f"proto = {ICMP} AND s6 OR proto = {ICMPV6} AND NOT s6",
            "'ICMP of one family between addresses of the other'",
        ),
        (f"s6 AND proto IN ({headers})", "format('protocol {} is an extension header of IPv6', proto)"),
        (
            f"proto IN ({with_ports}) AND coalesce(sp NOT BETWEEN 0 AND 65535, true)",
            "format('port ''{}'' is not a number from 0 to 65535', coalesce(sport::VARCHAR, ''))",
        ),
        (
            f"proto IN ({with_ports}) AND coalesce(dp NOT BETWEEN 0 AND 65535, true)",
            "format('port ''{}'' is not a number from 0 to 65535', coalesce(dport::VARCHAR, ''))",
        ),
        ("first IS NULL OR last IS NULL", "format('''{}'' is not a valid time', coalesce(times, ''))"),
        (f"first > {latest} OR last > {latest}", "format('{} lies in the future', greatest(first, last)::VARCHAR)"),
        (f"first < {earliest}", "format('{} is before 1990', first::VARCHAR)"),
        ("last < first", "format('the end {} is before the start {}', last::VARCHAR, first::VARCHAR)"),
        ("packets IS NOT NULL AND p IS NULL", "format('packets ''{}'' is not a valid count', packets)"),
        ("bytes IS NOT NULL AND b IS NULL", "format('bytes ''{}'' is not a valid count', bytes)"),
        ("p < 0 OR b < 0", "'a count is negative'"),
        ("nobody", "format('{} cannot send: it is a multicast or broadcast address', s)"),
        ("d0", "format('{} cannot be a server: it is the unspecified address', d)"),
        ("s0 AND NOT everybody", "format('{} cannot be a client: it is the unspecified address', s)"),
    ]
    # a reason without the value that it names is still one
    reasons = " ".join(f"WHEN {condition} THEN coalesce({reason}, 'it is not valid')" for condition, reason in checks)
    return f"""
WITH texts AS (
    SELECT r.*, a.canonical AS s, z.canonical AS d, a.v6 AS s6, z.v6 AS d6, a.no_client AS nobody,
        z.no_client AS everybody, a.unspecified AS s0, z.unspecified AS d0, {code} AS proto,
        {number.format("r.sport", "INTEGER")} AS sp, {number.format("r.dport", "INTEGER")} AS dp,
        {number.format("r.packets", "BIGINT")} AS p, {number.format("r.bytes", "BIGINT")} AS b
    FROM {raw} r LEFT JOIN {addresses} a ON a.said = r.src LEFT JOIN {addresses} z ON z.said = r.dst
)
SELECT s, d, CASE WHEN proto IN ({with_ports}) OR proto IN {icmp} THEN sp END,
    CASE WHEN proto IN ({with_ports}) OR proto IN {icmp} THEN dp END,
    proto, first, last, coalesce(p, 0), coalesce(b, 0), coalesce(observer, ''), coalesce(refused, false),
    CASE WHEN everybody THEN 1 ELSE said END, coalesce(alone, false),
    coalesce(reset, false), attributes, {origin},
    CASE {reasons} END, n
FROM texts"""
