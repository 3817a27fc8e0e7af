"""AWS flow logs of VPCs and transit gateways, of every version and format: text, gzip, Parquet; a file or a directory.

A record is what one network interface saw of one direction in about a minute; the records of a connection become one.
"""

# ruff: noqa: S608 - the SQL is put together from names of fields and tables of ours
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb

from ringfence.flows.log_lines import formats, line_place, lines_table, log_files, miscounted
from ringfence.flows.readers.vpc_fields import VERSION_2, check_fields, format_of
from ringfence.flows.readers.vpc_quick import read_quickly
from ringfence.flows.readers.vpc_rows import row_columns
from ringfence.flows.reading import Reading
from ringfence.flows.records import clean_text
from ringfence.flows.sightings import add_sightings, new_sightings
from ringfence.model.errors import InputError, Place

SOURCE = "vpc"
_HEADER = "contains(lower(line), 'srcaddr')"  # rows hold no word of this kind
# Records in JSON of CloudWatch Logs and Firehose: one or several a line, or with the object's lines around them.
_MESSAGE = r'"message"\s*:\s*"([^"]*)"'
_AROUND = r'[\[\]{},\s]+|\s*"[A-Za-z]+"\s*:.*'
_ROW = f"NOT {_HEADER} AND (contains(line, '\"message\"') OR NOT regexp_full_match(line, '{_AROUND}'))"
_ROWS = (
    f"SELECT n, unnest(if(regexp_matches(line, '{_MESSAGE}'), regexp_extract_all(line, '{_MESSAGE}', 1), [line]))"
    " AS line FROM ({})"
)
_TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)?"


def sightings(connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> str:
    """Return the table of sightings of a file; raise InputError for a format of which no flow can be made."""
    files = log_files(path, reading)
    told = set(check_fields(format_of(reading.fields))) if reading.fields else set()
    for message in sorted(told):
        reading.warn(message, Place("--fields"), once=True)
    found = new_sightings(connection)
    if files.text:
        with lines_table(connection, files, reading) as lines:

            def place(n: int) -> Place:
                return line_place(connection, lines, files, n)

            for fields, rows in _formats(connection, lines, reading, place, told):
                add_sightings(connection, found, _of_lines(fields, rows, reading), reading, place)
    for parquet in files.parquet:
        _add_parquet(connection, parquet, found, reading)
    return found


def quick(
    connection: duckdb.DuckDBPyConnection, table: str, files: Mapping[Path, int], reading: Reading
) -> Sequence[Path]:
    """Add the rows of files in which everything is right to a table of sightings; return the other files."""
    done = read_quickly(connection, table, files, reading)
    return [path for path in files if path not in done]


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
    found = connection.execute(f"SELECT n, line FROM {lines} WHERE {_HEADER} ORDER BY n").fetchall()
    given = format_of(reading.fields) if reading.fields else VERSION_2
    headers: dict[int, tuple[str, ...] | None] = {}
    for n, line in found:
        headers[n] = format_of(line)
        try:
            unknown = check_fields(format_of(line), place(n))
        except InputError as error:
            reading.reject(error, place(n))
            headers[n] = None
            continue
        for message in unknown:
            if message not in told:
                told.add(message)
                reading.warn(message, place(n), once=True)
    return formats(connection, lines, headers, given, _ROW)


def _of_lines(fields: Sequence[str], rows: str, reading: Reading) -> str:
    values = {name: f"nullif(nullif(l[{number}], '-'), '')" for number, name in enumerate(fields, 1)}
    count = len(fields)
    malformed = f"CASE WHEN len(l) <> {count} THEN {miscounted(count)} END"
    # Exports of queries are CSV or have tabs; CloudWatch Logs puts its time, and its stream, before a record.
    text = "trim(line, ' \t\r')"
    spaced = f"CASE WHEN contains({text}, ' ') THEN {text} ELSE translate({text}, ',\t\"', '  ') END"
    before = f"len(l) BETWEEN {count + 1} AND {count + 2} AND regexp_full_match(l[1], '{_TIME}')"
    split = f"SELECT n, contains(line, ':') AS colon, string_split({spaced}, ' ') AS l FROM ({_ROWS.format(rows)})"
    whole = f"SELECT * REPLACE (if({before}, l[len(l) - {count - 1} :], l) AS l) FROM ({split})"
    return f"SELECT {row_columns(values, malformed, reading)} FROM ({whole})"


def _add_parquet(connection: duckdb.DuckDBPyConnection, path: Path, found: str, reading: Reading) -> None:
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
        raw = f"SELECT {row_columns(values, 'NULL', reading)} FROM ({rows})"
        add_sightings(connection, found, raw, reading, lambda n: Place(f"{path} row {n}"))
    except duckdb.Error as error:
        raise InputError(
            f"not a whole Parquet file: {str(error).splitlines()[0]}", place, "fetch the file again"
        ) from error
