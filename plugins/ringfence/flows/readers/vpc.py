"""AWS flow logs of VPCs and transit gateways, of every version and format: text, gzip, Parquet; a file or a directory.

A record is what one network interface saw of one direction in about a minute; the records of a connection become one.
"""

# ruff: noqa: S608 - the SQL is put together from names of fields and tables of ours
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb

from ringfence.flows.connections import fold
from ringfence.flows.log_lines import line_place, lines_table, log_files
from ringfence.flows.readers.vpc_fields import ATTRIBUTES, LOST, VERSION_2, check_fields, format_of
from ringfence.flows.reading import Reading
from ringfence.flows.records import clean_text
from ringfence.flows.relation import new_table
from ringfence.flows.sightings import add_sightings, new_sightings
from ringfence.model.errors import InputError, Place

SOURCE = "vpc"
# Bits of `tcp-flags`; AWS sets ACK only beside SYN.
SYN, RST, ACK = 2, 4, 16
# A SYN that nobody answers is sent again up to six times (Linux, tcp_syn_retries), each as large as the first.
MOST_SYNS = 7
SYN_BYTES = (40, 80)


def read(connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> duckdb.DuckDBPyRelation:
    """Return the flows of a file or directory; raise InputError for a format of which no flow can be made."""
    files = log_files(path, reading)
    told = set(check_fields(format_of(reading.fields))) if reading.fields else set()
    for message in sorted(told):
        reading.warn(message, Place("--fields"))
    sightings = new_sightings(connection)
    if files.text:
        with lines_table(connection, files, reading) as lines:

            def place(n: int) -> Place:
                return line_place(connection, lines, files, n)

            for fields, rows in _formats(connection, lines, reading, place, told):
                add_sightings(connection, sightings, _of_lines(fields, rows, reading), reading, place)
    for parquet in files.parquet:
        _add_parquet(connection, parquet, sightings, reading, several=path.is_dir())
    return fold(connection, sightings, SOURCE, reading.listeners)


def _formats(
    connection: duckdb.DuckDBPyConnection,
    lines: str,
    reading: Reading,
    place: Callable[[int], Place],
    told: set[str],
) -> list[tuple[tuple[str, ...], str]]:
    """Return the formats of the lines, each with the query of its rows (`n`, `line`).

    A header holds from where it stands to the next one or the end of its file; before it the given fields do.
    """
    starts = connection.execute(f"SELECT min(n) FROM {lines} GROUP BY file ORDER BY 1").fetchall()
    headers = connection.execute(f"SELECT n, line FROM {lines} WHERE contains(lower(line), 'srcaddr') ORDER BY n")
    given = format_of(reading.fields) if reading.fields else VERSION_2
    spans: dict[int, tuple[str, ...]] = {n: given for (n,) in starts}
    wrong: set[int] = set()
    for n, line in headers.fetchall():
        fields = format_of(line)
        spans[n] = fields
        try:
            unknown = check_fields(fields, place(n))
        except InputError as error:
            reading.reject(error, place(n))
            wrong.add(n)
            continue
        for message in unknown:
            if message not in told:
                told.add(message)
                reading.warn(message, place(n))
    table = new_table(connection, {"low": "BIGINT", "high": "BIGINT", "format": "INTEGER"})
    numbers: dict[tuple[str, ...], int] = {}
    ordered = sorted(spans)
    rows = [
        (low, high - 1, -1 if low in wrong else numbers.setdefault(spans[low], len(numbers)))
        for low, high in zip(ordered, [*ordered[1:], 1 << 62], strict=True)
    ]
    connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", rows) if rows else None
    source = f"SELECT n, line FROM {lines} WHERE line <> '' AND NOT contains(lower(line), 'srcaddr')"
    if len(numbers) == 1 and not wrong:
        return [(next(iter(numbers)), source)]
    return [
        (
            fields,
            f"SELECT n, line FROM ({source}) ASOF JOIN {table} ON n >= low WHERE format = {number}",
        )
        for fields, number in numbers.items()
    ]


def _of_lines(fields: Sequence[str], rows: str, reading: Reading) -> str:
    values = {name: f"nullif(l[{number}], '-')" for number, name in enumerate(fields, 1)}
    malformed = (
        f"CASE WHEN len(l) <> {len(fields)} THEN format('{{}} values stand under {len(fields)} fields', len(l)) END"
    )
    split = (
        f"SELECT n, contains(line, ':') AS colon, string_split(trim(line, ' \\t\\r'), ' ') AS l FROM ({rows})".replace(
            "\\t\\r", "\t\r"
        )
    )
    return f"SELECT {_raw(values, malformed, reading)} FROM ({split})"


def _add_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path, sightings: str, reading: Reading, *, several: bool
) -> None:
    place = Place(str(path))
    try:
        names = connection.execute("SELECT name FROM parquet_schema(?) WHERE type IS NOT NULL", [str(path)]).fetchall()
        fields = format_of([name for (name,) in names])
        for message in check_fields(fields, place):
            reading.warn(clean_text(message), place)
        values = {
            field: f"nullif(\"{name.replace(chr(34), chr(34) * 2)}\"::VARCHAR, '-')"
            for field, (name,) in zip(fields, names, strict=True)
        }
        quoted = str(path).replace("'", "''")
        file = f"read_parquet('{quoted}', file_row_number=true)"
        rows = f"SELECT *, file_row_number + 1 AS n, true AS colon FROM {file}"
        raw = f"SELECT {_raw(values, 'NULL', reading)} FROM ({rows})"
        add_sightings(connection, sightings, raw, reading, lambda n: Place(f"{path} row {n}"))
    except duckdb.Error as error:
        wrong = InputError(f"not a whole Parquet file: {str(error).splitlines()[0]}", place, "fetch the file again")
        if not several:
            raise wrong from error
        reading.reject(wrong, place)
    except InputError as error:
        if not several:
            raise
        reading.reject(error, place)


def _raw(values: Mapping[str, str], malformed: str, reading: Reading) -> str:
    """Return the columns `RAW_COLUMNS` of the values of fields, as SQL."""

    def value(*names: str) -> str:
        found = [values[name] for name in names if name in values]
        return f"coalesce({', '.join(found)})" if len(found) > 1 else (found or ["NULL::VARCHAR"])[0]

    source, destination = value("pkt-srcaddr", "srcaddr"), value("pkt-dstaddr", "dstaddr")
    flags, action = f"try_cast({value('tcp-flags')} AS INTEGER)", value("action")
    packets, size = value("packets"), value("bytes")
    first, last = (_time(value(name), name in values, reading) for name in ("start", "end"))
    if "start" not in values or "end" not in values:
        first, last = (last, last) if "end" in values else (first, first)
    lost = " + ".join(f"coalesce(try_cast({value(name)} AS BIGINT), 0)" for name in LOST if name in values) or "0"
    # AWS says of no answer only by leaving it out, and sets no ACK: a client that got on is told by what it sent.
    count, total = f"nullif(try_cast({packets} AS BIGINT), 0)", f"try_cast({size} AS BIGINT)"
    syns = (
        f"{flags} = {SYN} AND {count} BETWEEN 1 AND {MOST_SYNS} AND {total} % {count} = 0"
        f" AND {total} // {count} BETWEEN {SYN_BYTES[0]} AND {SYN_BYTES[1]}"
    )
    attributes = ", ".join(f"'{name}', {values[name]}" for name in ATTRIBUTES if name in values)
    packed = f"json_merge_patch('{{}}'::JSON, json_object({attributes}))::VARCHAR" if attributes else "NULL"
    status = value("log-status")
    columns = {
        "n": "n",
        "colon": "colon",
        "malformed": f"coalesce({malformed}, CASE WHEN upper({action}) NOT IN ('ACCEPT', 'REJECT')"
        f" THEN format('action ''{{}}'' is neither ACCEPT nor REJECT', {action}) END)",
        "empty": f"{source} IS NULL AND {destination} IS NULL"
        f" AND coalesce(upper({status}) IN ('NODATA', 'SKIPDATA'), false)",
        "src": source,
        "dst": destination,
        "sport": value("srcport"),
        "dport": f"CASE WHEN {value('protocol')} NOT IN ('1', '58') THEN {value('dstport')} END",
        "protocol": value("protocol"),
        "first": first,
        "last": last,
        "times": f"concat_ws(' to ', {value('start')}, {value('end')})",
        "packets": packets,
        "bytes": size,
        "observer": value("interface-id", "tgw-attachment-id", "resource-id"),
        "refused": f"upper({action}) = 'REJECT'",
        "said": f"CASE {flags} & {SYN | ACK} WHEN {SYN} THEN 1 WHEN {SYN | ACK} THEN -1 END",
        "alone": f"{syns} OR ({packets} = '0' AND {lost} > 0)",
        "reset": f"{flags} & {SYN | RST | ACK} = {RST}",
        "attributes": f"nullif({packed}, '{{}}')",
    }
    return ", ".join(f"{sql} AS {name}" for name, sql in columns.items())


def _time(value: str, known: bool, reading: Reading) -> str:
    """Return the SQL of a time in seconds since 1970; a format without times takes that of the file."""
    if not known:
        assert reading.observed is not None
        return f"TIMESTAMP '{reading.observed:%Y-%m-%d %H:%M:%S}'"
    return f"CASE WHEN regexp_full_match({value}, '[0-9]{{1,11}}') THEN make_timestamp({value}::BIGINT * 1000000) END"
