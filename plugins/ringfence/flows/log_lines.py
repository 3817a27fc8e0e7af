"""Files of log lines as a DuckDB table of lines: text and gzip, one or a directory of them; what is damaged is said."""

# ruff: noqa: S608 - the SQL is put together from table names and paths of ours
from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from ringfence.flows.reading import Reading
from ringfence.flows.relation import insert_rows, new_table
from ringfence.flows.text_lines import alone, encoding_of, files_below, reject_broken
from ringfence.flows.unpacked import GZIP, needs_care, unpacked
from ringfence.model.errors import Place, file_error

LINE_COLUMNS = {"line": "VARCHAR", "file": "VARCHAR", "n": "BIGINT"}
PARQUET = b"PAR1"
LONGEST = 1 << 16  # no sensor writes longer lines
_DELIMITER = "\x01"
_BLOCK = 1 << 20
_LOOKED_AT = 64


@dataclass
class LogFiles:
    """The files below a path, by what they are, and where a row of the table of lines stands."""

    text: list[Path] = field(default_factory=list)
    encodings: dict[Path, str] = field(default_factory=dict)
    parquet: list[Path] = field(default_factory=list)
    mended: dict[str, str] = field(default_factory=dict)


def log_files(path: Path, reading: Reading) -> LogFiles:
    """Return the files of a path: itself, or all below a directory whose names do not begin with a dot."""
    found = LogFiles()
    several = path.is_dir()
    for entry in files_below(path, reading):
        with alone(entry, several, reading):
            with entry.open("rb") as file:
                start = file.peek(_LOOKED_AT)[:_LOOKED_AT]
            if start.startswith(PARQUET):
                found.parquet.append(entry)
                continue
            with unpacked(entry) as (buffer, _):
                found.encodings[entry] = encoding_of(buffer.peek(_LOOKED_AT)[:_LOOKED_AT], Place(str(entry)))
            found.text.append(entry)
    return found


@contextmanager
def lines_table(connection: duckdb.DuckDBPyConnection, files: LogFiles, reading: Reading) -> Iterator[str]:
    """Give the name of a table of `LINE_COLUMNS` with all lines of the text files; `n` counts through all of them.

    A file that breaks off or is not UTF-8 is read as far as it goes, and that is a problem of the reading.
    """
    table = new_table(connection, LINE_COLUMNS)
    plain = [path for path in files.text if _plain(path, files.encodings[path])]
    with TemporaryDirectory(prefix="ringfence-flows-") as directory:
        try:
            _load(connection, table, plain)
        except duckdb.Error:
            plain = []
            connection.execute(f"DELETE FROM {table}")
        for number, path in enumerate(path for path in files.text if path not in set(plain)):
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
    if not starts:
        return []
    spans = {**{n: given for (n,) in starts}, **headers}
    if not (ordered := sorted(spans)):
        return []
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


def _plain(path: Path, encoding: str) -> bool:
    """Tell whether DuckDB can read a file itself: bytes that are UTF-8, no bomb, and no endless line at the end."""
    return encoding == "utf-8" and not needs_care(path)


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
        broken = _mend(path, copy, files.encodings[path])
    except OSError as error:
        raise file_error(error, path) from error
    files.mended[str(copy)] = str(path)
    _load(connection, table, [copy])
    if broken:
        reject_broken(broken, path, reading)


def _mend(path: Path, copy: Path, encoding: str) -> str:
    """Copy the lines of a file; return what is wrong with it where it breaks off, else nothing."""
    errors = "backslashreplace" if encoding.startswith("utf-8") else "replace"
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(errors), translate=True)
    pending = ""
    with unpacked(path) as (buffer, raw), copy.open("w", encoding="utf-8", errors="backslashreplace") as target:
        while block := buffer.read1(_BLOCK):
            whole, end, pending = (pending + decoder.decode(block)).rpartition("\n")
            target.write(_clean(whole + end))
            pending = pending[: LONGEST + 1]
        target.write(_clean(pending + decoder.decode(b"", final=True)))
        return raw.broken


def _clean(block: str) -> str:
    """Return lines without what DuckDB takes for anything but text, and none beyond `LONGEST`."""
    block = block.replace(_DELIMITER, "\\x01").replace("\0", "\\x00")
    if len(block) > LONGEST:
        block = "\n".join(line[:LONGEST] for line in block.split("\n"))
    return block


def _packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == GZIP


def escaped(path: Path) -> str:
    """Return a path that DuckDB takes for itself and no pattern."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def miscounted(fields: int) -> str:
    """Return the SQL that says how many values the list `l` of a line has, where it should have `fields`."""
    return f"if(len(l) = 1, '1 value stands', format('{{}} values stand', len(l))) || ' under {fields} fields'"
