"""Files of log lines as a DuckDB table of lines: text and gzip, one or a directory of them; what is damaged is said."""

# ruff: noqa: S608 - the SQL is put together from table names and paths of ours
from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from ringfence.flows.reading import Reading
from ringfence.flows.relation import insert_rows, new_table
from ringfence.flows.text_lines import encoding_of
from ringfence.model.errors import InputError, Place, file_error

LINE_COLUMNS = {"line": "VARCHAR", "file": "VARCHAR", "n": "BIGINT"}
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
LONGEST = 1 << 16  # no sensor writes longer lines
_DELIMITER = "\x01"
_BLOCK = 1 << 20


@dataclass
class LogFiles:
    """The files below a path, by what they are, and where a row of the table of lines stands."""

    text: list[Path] = field(default_factory=list)
    parquet: list[Path] = field(default_factory=list)
    mended: dict[str, str] = field(default_factory=dict)


def log_files(path: Path, reading: Reading) -> LogFiles:
    """Return the files of a path: itself, or all below a directory whose names do not begin with a dot."""
    found = LogFiles()
    several = path.is_dir()
    for entry in _below(path) if several else [path]:
        try:
            with entry.open("rb") as file:
                start = file.peek(64)[:64]
                if start.startswith(PARQUET):
                    found.parquet.append(entry)
                elif start.startswith(GZIP) or encoding_of(start, Place(str(entry))).startswith("utf-"):
                    found.text.append(entry)
        except InputError as error:
            if not several:
                raise
            reading.reject(error, error.place or Place(str(entry)))
        except OSError as error:
            if not several:
                raise
            reading.reject(InputError(f"cannot be read: {error.strerror or error}"), Place(str(entry)))
    return found


@contextmanager
def lines_table(connection: duckdb.DuckDBPyConnection, files: LogFiles, reading: Reading) -> Iterator[str]:
    """Give the name of a table of `LINE_COLUMNS` with all lines of the text files; `n` counts through all of them.

    A file that breaks off or is not UTF-8 is read as far as it goes, and that is a problem of the reading.
    """
    table = new_table(connection, LINE_COLUMNS)
    plain = [path for path in files.text if _plain(path)]
    with TemporaryDirectory(prefix="ringfence-flows-") as directory:
        if plain and len(plain) == len(files.text):
            try:
                _load(connection, table, plain)
            except duckdb.Error:
                plain = []
        else:
            plain = []
        if not plain:
            connection.execute(f"DELETE FROM {table}")
            for number, path in enumerate(files.text):
                _load_one(connection, table, path, Path(directory) / str(number), files, reading)
        yield table
        connection.execute(f"DROP TABLE {table}")


def formats(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    headers: Mapping[int, tuple[str, ...] | None],
    given: tuple[str, ...] | None,
    row: str,
) -> list[tuple[tuple[str, ...], str]]:
    """Return the formats of a table of lines, each with the query (`n`, `line`) of its rows.

    A header (by its `n`; None where it cannot be used) holds from where it stands to the next one or the end of its
    file; before it `given` does. `row` is the condition for a line to be a row.
    """
    starts = connection.execute(f"SELECT min(n) FROM {table} GROUP BY file").fetchall()
    spans = {**{n: given for (n,) in starts}, **headers}
    ordered = sorted(spans)
    numbers: dict[tuple[str, ...], int] = {}
    found = [
        (low, high - 1, -1 if (fields := spans[low]) is None else numbers.setdefault(fields, len(numbers)))
        for low, high in zip(ordered, [*ordered[1:], 1 << 62], strict=True)
    ]
    rows = f"SELECT n, line FROM {table} WHERE line <> '' AND {row}"
    if len({number for _, _, number in found}) == 1:
        return [(fields, rows) for fields in numbers]
    columns = {"low": "BIGINT", "high": "BIGINT", "format": "INTEGER"}
    named = new_table(connection, columns)
    insert_rows(connection, named, iter(found), columns)
    return [
        (fields, f"SELECT n, line FROM ({rows}) ASOF JOIN {named} ON n >= low WHERE format = {number}")
        for fields, number in numbers.items()
    ]


def line_place(connection: duckdb.DuckDBPyConnection, table: str, files: LogFiles, n: int) -> Place:
    """Return file and line of a row of the table of lines."""
    ((file, first),) = connection.execute(
        f"SELECT file, min(n) FROM {table} WHERE file = (SELECT file FROM {table} WHERE n = {n}) GROUP BY file"
    ).fetchall()
    return Place(files.mended.get(file, file), n - first + 1)


def _below(directory: Path) -> Iterator[Path]:
    for entry in sorted(directory.rglob("*")):
        if entry.is_file() and not any(part.startswith(".") for part in entry.relative_to(directory).parts):
            yield entry


def _plain(path: Path) -> bool:
    """Tell whether DuckDB can read a file itself: a regular one of bytes that are UTF-8 or packed."""
    with path.open("rb") as file:
        start = file.peek(64)[:64]
    return path.is_file() and (start.startswith(GZIP) or encoding_of(start, Place(str(path))) == "utf-8")


def _load(connection: duckdb.DuckDBPyConnection, table: str, paths: Sequence[Path]) -> None:
    ((before,),) = connection.execute(f"SELECT coalesce(max(n), 0) FROM {table}").fetchall()
    packed = [path for path in paths if _packed(path)]
    for group, compression in ((packed, "gzip"), ([path for path in paths if path not in set(packed)], "none")):
        if not group:
            continue
        connection.execute(
            f"INSERT INTO {table} SELECT line, filename, {before} + row_number() OVER () FROM read_csv(?, header=false,"
            " auto_detect=false, delim=?, quote='', escape='', columns={'line': 'VARCHAR'}, filename=true,"
            " compression=?)",
            [[escaped(path) for path in group], _DELIMITER, compression],
        )
        ((before,),) = connection.execute(f"SELECT coalesce(max(n), 0) FROM {table}").fetchall()


def _load_one(
    connection: duckdb.DuckDBPyConnection, table: str, path: Path, copy: Path, files: LogFiles, reading: Reading
) -> None:
    """Load one file by a copy of its lines that is whole and UTF-8."""
    try:
        whole = _mend(path, copy)
    except OSError as error:
        raise file_error(error, path) from error
    files.mended[str(copy)] = str(path)
    _load(connection, table, [copy])
    if whole:
        reading.reject(InputError(whole, remedy="fetch the file again"), Place(str(path)))


def _mend(path: Path, copy: Path) -> str:
    """Copy the lines of a file; return what is wrong with it where it breaks off, else nothing."""
    wrong = ""
    with path.open("rb") as file, copy.open("wb") as target:
        start = file.peek(64)[:64]
        encoding = "utf-8" if start.startswith(GZIP) else encoding_of(start, Place(str(path)))
        source = gzip.GzipFile(fileobj=file) if start.startswith(GZIP) else file
        pending = b""
        while True:
            try:
                block = source.read1(_BLOCK) if isinstance(source, gzip.GzipFile) else source.read(_BLOCK)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                wrong = f"the file breaks off: {error}; what was read before counts"
                break
            if not block:
                target.write(_clean(pending, encoding))
                break
            if encoding.startswith("utf-16"):
                pending += block
                continue
            whole, end, pending = (pending + block).rpartition(b"\n")
            target.write(_clean(whole + end, encoding))
    return wrong


def _clean(block: bytes, encoding: str) -> bytes:
    text = block.decode(encoding, errors="backslashreplace").replace("\r\n", "\n")  # DuckDB takes one end of lines only
    for character in (_DELIMITER, "\0", "\r"):
        text = text.replace(character, f"\\x{ord(character):02x}")
    return "".join(
        line if len(line) <= LONGEST else line[:LONGEST] + "\n" for line in text.splitlines(keepends=True)
    ).encode(errors="backslashreplace")


def _packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == GZIP


def escaped(path: Path) -> str:
    """Return a path that DuckDB takes for itself and no pattern."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))
