"""Zeek's conn.log, as tab-separated values and as JSON, plain and gzip; a file or a directory.

Zeek follows connections itself: a row is one, its originator is the client, and `conn_state` says what became of it.
"""

# ruff: noqa: S608 - the SQL is put together from names of fields and tables of ours
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb

from ringfence.flows.log_lines import formats, line_place, lines_table, log_files, miscounted
from ringfence.flows.log_times import iso_time, unix_time
from ringfence.flows.reading import Reading
from ringfence.flows.records import clean_text
from ringfence.flows.sightings import add_sightings, new_sightings
from ringfence.flows.unpacked import unpacked
from ringfence.model.errors import InputError, Place

SOURCE = "zeek"
WHOLE = True  # a row is a connection
# https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html; RSTO and RSTR were established before.
REFUSED = ("REJ", "RSTRH")
# The sensor sees both directions: TCP that nobody answered was dropped on the way or had no server, as in a scan; of
# other protocols it may be traffic that needs no answer, as syslog over UDP.
UNANSWERED = ("S0", "SH", "RSTOS0")
NEEDED = ("ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto")
FIELDS = (
    *NEEDED,
    *("ip_proto", "duration", "orig_bytes", "resp_bytes", "conn_state", "orig_pkts", "orig_ip_bytes"),
    *("resp_pkts", "resp_ip_bytes", "history", "_path"),
)
# Who is asked begins with a reply where the sensor missed the request: the types of both, by which is which.
_ECHO = {"0": "8", "129": "128"}
_LOOKED_AT = 1 << 14
_PATH = re.compile(r"^#path\t(\S+)", re.MULTILINE)
_JSON = "starts_with(ltrim(line), '{')"
_TSV = f"NOT starts_with(line, '#') AND NOT {_JSON}"


def sightings(connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> str:
    """Return the table of sightings of a file; what is no conn.log goes to the reading."""
    files = log_files(path, reading)
    for parquet in files.parquet:
        reading.reject(InputError("conn.log is not read from Parquet"), Place(str(parquet)))
    found = new_sightings(connection)
    with lines_table(connection, files, reading) as lines:

        def place(n: int) -> Place:
            return line_place(connection, lines, files, n)

        headers = _headers(connection, lines, reading, place)
        _refuse_headless(connection, lines, headers, reading, place)
        for fields, query in formats(connection, lines, headers, None, _TSV):
            split = f"SELECT n, string_split(rtrim(line, '\r'), '\t') AS l FROM ({query})"
            raw = f"SELECT {_of_values(fields)} FROM ({split})"
            add_sightings(connection, found, raw, reading, place)
        add_sightings(connection, found, _of_json(lines), reading, place)
    return found


def quick(_: duckdb.DuckDBPyConnection, __: str, files: Mapping[Path, int], reading: Reading) -> list[Path]:
    """Return the files of several that are a conn.log; the other logs of Zeek's directories are said and left out."""
    if len(files) == 1:
        return list(files)
    left: list[Path] = []
    for path in files:
        if other := _other_log(path):
            reading.warn(f"not read: it is Zeek's {other}, not a conn.log", Place(str(path)))
        else:
            left.append(path)
    return left


def _other_log(path: Path) -> str:
    """Return the name of the log that a file is by its header, or by its name where rows are no connections; or `""`.

    Rows of other logs have ends too: to read them would count their connections twice.
    """
    try:
        with unpacked(path) as (buffer, _):
            start = buffer.peek(_LOOKED_AT)[:_LOOKED_AT].decode(errors="replace")
    except (InputError, OSError):
        return ""
    if named := _PATH.search(start):
        return "" if named[1].startswith("conn") else clean_text(named[1])
    if start.lstrip().startswith("{") and not path.name.startswith("conn") and '"conn_state"' not in start:
        return clean_text(path.name.partition(".")[0])
    return ""


def _headers(
    connection: duckdb.DuckDBPyConnection, lines: str, reading: Reading, place: Callable[[int], Place]
) -> dict[int, tuple[str, ...] | None]:
    """Return the fields that lines `#fields` name, by their number; None for those that lack one that is needed."""
    found: dict[int, tuple[str, ...] | None] = {}
    query = f"SELECT n, line FROM {lines} WHERE starts_with(line, '#fields') ORDER BY n"
    for n, line in connection.execute(query).fetchall():
        fields = tuple(line.rstrip("\r").split("\t")[1:])
        missing = [name for name in NEEDED if name not in fields]
        found[n] = None if missing else fields
        if missing:
            remedy = "give Zeek's conn.log, separated by tabs or as JSON"
            reading.reject(InputError(f"the fields lack {', '.join(missing)}: no conn.log", remedy=remedy), place(n))
    return found


def _refuse_headless(
    connection: duckdb.DuckDBPyConnection,
    lines: str,
    headers: Mapping[int, object],
    reading: Reading,
    place: Callable[[int], Place],
) -> None:
    """Reject the rows of files before their first line `#fields`, in one problem a file."""
    known = ", ".join(map(str, headers)) or "NULL"
    headless = connection.execute(
        f"SELECT min(l.n), count(*) FROM {lines} l LEFT JOIN (SELECT file, min(n) AS first FROM {lines}"
        f" WHERE n IN ({known}) GROUP BY file) h ON h.file = l.file"
        f" WHERE line <> '' AND {_TSV} AND (h.first IS NULL OR l.n < h.first) GROUP BY l.file ORDER BY 1"
    ).fetchall()
    for n, count in headless:
        remedy = "give Zeek's conn.log with its header, or as JSON"
        reading.reject(InputError("no line '#fields' stands above", remedy=remedy), place(n), count)


def _of_values(fields: tuple[str, ...]) -> str:
    values = {name: f"nullif(nullif(l[{fields.index(name) + 1}], '-'), '(empty)')" for name in FIELDS if name in fields}
    count = len(fields)
    malformed = f"CASE WHEN len(l) <> {count} THEN {miscounted(count)} END"
    return _raw(values, malformed)


def _of_json(lines: str) -> str:
    """Return the query of the rows that are JSON; `id.orig_h` may be one name, or `id` an object."""
    paths = ", ".join(f"'$.\"{name}\"', '$.{name}'" for name in FIELDS)
    values = {name: f"coalesce(l[{2 * at + 1}], l[{2 * at + 2}])" for at, name in enumerate(FIELDS)}
    taken = f"CASE WHEN json_valid(line) THEN json_extract_string(line, [{paths}]) END"
    rows = f"SELECT n, {taken} AS l FROM {lines} WHERE {_JSON}"
    return f"SELECT {_raw(values, _NOT_JSON)} FROM ({rows})"


_NOT_JSON = "CASE WHEN l IS NULL THEN 'not valid JSON' END"


def _raw(values: Mapping[str, str], malformed: str) -> str:
    def value(name: str) -> str:
        return values.get(name, "NULL::VARCHAR")

    protocol, state = f"lower({value('proto')})", value("conn_state")
    kinds = (f"({value('id.orig_p')} = '{reply}' AND {value('id.resp_p')} = '{ask}')" for reply, ask in _ECHO.items())
    flipped = f"({protocol} = 'icmp' AND ({' OR '.join(kinds)}))"
    source, destination, kind = (
        f"if({flipped}, {value(other)}, {value(one)})"
        for one, other in (
            ("id.orig_h", "id.resp_h"),
            ("id.resp_h", "id.orig_h"),
            ("id.orig_p", "id.resp_p"),
        )
    )
    # Of a connection that stood before, the originator is who was seen first: `history` then has no SYN of either end.
    began = f"regexp_matches(coalesce({value('history')}, if({state} = 'OTH', '', 'S')), '[SsHh]')"
    time, duration = value("ts"), f"coalesce(try_cast({value('duration')} AS DOUBLE), 0)"
    first = f"coalesce({unix_time(time)}, {iso_time(time)})"
    size = "ip_bytes" if "orig_ip_bytes" in values else "bytes"
    columns = {
        "n": "n",
        "colon": "true",
        "malformed": malformed,
        # Streams of JSON hold all of Zeek's logs: rows of others tell of the same connections.
        "empty": f"NOT starts_with(coalesce({value('_path')}, 'conn'), 'conn')",
        "src": source,
        "dst": destination,
        "sport": f"CASE WHEN {protocol} <> 'icmp' THEN {value('id.orig_p')} END",
        # Zeek gives type and code of ICMP as the two ports.
        "dport": f"CASE WHEN {protocol} = 'icmp' THEN {kind} ELSE {value('id.resp_p')} END",
        "protocol": f"CASE WHEN {protocol} = 'icmp' AND contains({source}, ':') THEN 'icmpv6'"
        f" WHEN {protocol} = 'unknown_transport' THEN {value('ip_proto')} ELSE {protocol} END",
        "first": first,
        "last": f"{first} + to_microseconds(try_cast({duration} * 1000000 AS BIGINT))",
        "times": time,
        "packets": _sum(value("orig_pkts"), value("resp_pkts")),
        "bytes": _sum(value(f"orig_{size}"), value(f"resp_{size}")),
        "observer": "NULL",
        "refused": f"{state} IN {REFUSED} OR ({protocol} = 'tcp' AND {state} IN {UNANSWERED})",
        "said": f"CASE WHEN {protocol} <> 'tcp' OR {began} THEN 1 END",
        "alone": f"{state} IN {UNANSWERED}",
        "reset": "false",
        "attributes": "NULL",
    }
    return ", ".join(f"{sql} AS {name}" for name, sql in columns.items())


def _sum(one: str, other: str) -> str:
    """Return the SQL of the sum of two counts as text, or of both texts where one is none."""
    both = " AND ".join(f"regexp_full_match(coalesce({text}, '0'), '[0-9]{{1,18}}')" for text in (one, other))
    added = " + ".join(f"coalesce(try_cast({text} AS BIGINT), 0)" for text in (one, other))
    return f"CASE WHEN {both} THEN ({added})::VARCHAR ELSE concat_ws(' and ', {one}, {other}) END"
