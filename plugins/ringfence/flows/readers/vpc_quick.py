"""Flow logs as nearly all are: text of one format whose rows are all right, many files at once, cast by DuckDB alone.

What is not so (a wrong row, a header further down, a file that breaks off) is left to `vpc`, which says where.
"""

# ruff: noqa: S608 - the SQL is put together from names of fields and tables of ours
from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path

import duckdb

from ringfence.flows.log_lines import escaped
from ringfence.flows.readers.vpc_fields import VERSION_2, check_fields, format_of
from ringfence.flows.readers.vpc_rows import NUMBERS, row_columns
from ringfence.flows.reading import Reading
from ringfence.flows.relation import insert_rows, new_table
from ringfence.flows.sightings import CASTED, cast_sightings
from ringfence.flows.text_lines import encoding_of
from ringfence.flows.unpacked import GZIP, needs_care
from ringfence.model.errors import InputError, Place

# A first line is looked for in so many bytes; AWS's longest header has 1,500.
_LOOKED_AT = 1 << 14
# So many files does one query read: each has a buffer of its own.
_AT_ONCE = 128
# The fields of some files, whether a header names them, and how the files are packed.
_Format = tuple[tuple[str, ...], bool, str]
# A number is decimal digits: DuckDB takes '1e3', '+5' and '1.5' for numbers too.
_ODD = "CASE WHEN odd THEN 'a number is not one' END"
_FILES = {"file": "VARCHAR", "origin": "UINTEGER"}


def read_quickly(
    connection: duckdb.DuckDBPyConnection, table: str, files: Mapping[Path, int], reading: Reading
) -> set[Path]:
    """Add the rows of files to a table of sightings, with its file's number; return the files that are done."""
    done: set[Path] = set()
    connection.execute("SET preserve_insertion_order = false")
    try:
        for one, paths in _formats(files, reading).items():
            for start in range(0, len(paths), _AT_ONCE):
                some = {path: files[path] for path in paths[start : start + _AT_ONCE]}
                found = _read(connection, table, one, some, reading)
                if found is None and len(some) > 1:
                    for path, number in some.items():
                        done |= _read(connection, table, one, {path: number}, reading) or set()
                done |= found or set()
    finally:
        connection.execute("RESET preserve_insertion_order")
    return done


def _formats(files: Mapping[Path, int], reading: Reading) -> dict[_Format, list[Path]]:
    """Return files by their format; what is odd about that is said. Files whose rows have no times are left out."""
    given = format_of(reading.fields) if reading.fields else VERSION_2
    found: dict[_Format, list[Path]] = {}
    for path in files:
        if (line := _first_line(path)) is None:
            continue
        text, packing = line
        headed = "srcaddr" in text.lower()
        fields = format_of(text) if headed else given
        try:
            told = check_fields(fields)
        except InputError:
            continue
        if "start" in fields and "end" in fields:
            for message in told:
                reading.warn(message, Place(str(path), 1) if headed else Place("--fields"), once=True)
            found.setdefault((fields, headed, packing), []).append(path)
    return found


def _read(
    connection: duckdb.DuckDBPyConnection, table: str, one: _Format, files: Mapping[Path, int], reading: Reading
) -> set[Path] | None:
    """Return the files whose rows are all right, None where not even their values could be cast."""
    fields, headed, packing = one
    columns = [f"c{number}" for number in range(len(fields))]
    kinds = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
    counts = {column: NUMBERS[name] for name, column in zip(fields, columns, strict=True) if name in NUMBERS}
    numbered = ", ".join(f"{column}::{kind} AS {column}" for column, kind in counts.items())
    numbers = new_table(connection, _FILES)
    insert_rows(connection, numbers, ((str(path), number) for path, number in files.items()), _FILES)
    raw = f"{numbers}_raw"
    values = dict(zip(fields, columns, strict=True))
    rows = (
        f"SELECT * REPLACE ({numbered}), NULL::BIGINT AS n, true AS colon,"
        f" NOT regexp_full_match(concat({', '.join(counts)}), '[0-9]*') AS odd"
        f" FROM read_csv(?, auto_detect=false, header=false, delim=' ',"
        f" quote='', escape='', nullstr='-', skip={int(headed)},"
        f" compression='{packing}', filename=true,"
        f" columns={{{kinds}}})"
    )
    try:
        connection.execute(
            f"CREATE TEMP TABLE {raw} AS SELECT {row_columns(values, _ODD, reading, numbers=True)}, origin"
            f" FROM ({rows}) JOIN {numbers} ON file = filename",
            [[escaped(path) for path in files]],
        )
    except duckdb.Error:
        return None
    cast_sightings(connection, table, raw, reading, CASTED, "origin")
    connection.execute(f"DROP TABLE {raw}")
    query = f"SELECT origin, bool_or(wrong <> ''), count(*) FROM {table} WHERE wrong IS NOT NULL GROUP BY origin"
    told = connection.execute(query).fetchall()
    wrong = {number for number, is_wrong, _ in told if is_wrong}
    reading.empty += sum(count for number, _, count in told if number not in wrong)
    if told:
        others = f" OR origin IN ({', '.join(map(str, wrong))})" if wrong else ""
        connection.execute(f"DELETE FROM {table} WHERE wrong IS NOT NULL{others}")
    connection.execute(f"DROP TABLE {numbers}")
    return {path for path, number in files.items() if number not in wrong}


def _first_line(path: Path) -> tuple[str, str] | None:
    """Return the first line of a text file and how the file is packed, None for other files and damaged ones."""
    try:
        with path.open("rb") as file:
            start = file.peek(64)[:64] if path.is_file() else b""
            packed = start.startswith(GZIP)
            if not start or (not packed and encoding_of(start, Place(str(path))) != "utf-8"):
                return None
            if needs_care(path):
                return None
            block = gzip.GzipFile(fileobj=file).read1(_LOOKED_AT) if packed else file.read(_LOOKED_AT)
        return block.partition(b"\n")[0].decode().strip(" \t\r"), "gzip" if packed else "none"
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, InputError):
        return None
