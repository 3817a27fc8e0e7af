"""Files that flows are read from: named, piped in or fetched, and those that belong together read together."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.operations.wrong_format import say_once, with_format

if TYPE_CHECKING:
    import duckdb

    from ringfence.flows.reading import Reading
    from ringfence.model.flows import Flow

STANDARD_INPUT = Path("/dev/stdin")


def read_files(paths: Sequence[Path | str], flows_format: str, reading: Reading) -> Iterator[Flow]:
    """Yield the flows of several files; `-` is standard input; places of AWS are fetched.

    The records of sensors are folded together, of whatever file they are. Of several files one that cannot be read goes
    to the reading and costs itself alone.
    """
    from ringfence.flows.columns import flow_at
    from ringfence.flows.database import database
    from ringfence.flows.gathering import SightingReader
    from ringfence.flows.readers import read, reader
    from ringfence.flows.relation import FLOW_COLUMNS

    if isinstance(reader(flows_format), SightingReader):
        with database() as connection:
            table = table_of_files(connection, paths, flows_format, reading)
            order = "first_seen, client, server, protocol, port, outcome"
            result = connection.execute(f"SELECT {', '.join(FLOW_COLUMNS)} FROM {table} ORDER BY {order}")  # noqa: S608
            while rows := result.fetchmany(_FETCH):
                yield from map(flow_at, rows)
        return
    for path in paths:
        with costing_itself(path, paths, reading, flows_format), opened(path, reading) as there:
            yield from read(there, flows_format, reading)
    say_once(paths, flows_format, reading)


def table_of_files(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[Path | str], flows_format: str, reading: Reading
) -> str:
    """Return the name of a new table of `relation.FLOW_COLUMNS` with the flows of files, as `read_files` does."""
    from ringfence.flows.gathering import SightingReader, folded, gather
    from ringfence.flows.readers import reader, relation
    from ringfence.flows.relation import FLOW_COLUMNS, new_table
    from ringfence.flows.sightings import new_sightings
    from ringfence.flows.text_lines import files_below

    sensor = reader(flows_format)
    table = new_table(connection, FLOW_COLUMNS)
    sightings = new_sightings(connection) if isinstance(sensor, SightingReader) else ""
    for path in paths:
        with costing_itself(path, paths, reading, flows_format), opened(path, reading) as there:
            if not isinstance(sensor, SightingReader):
                relation(connection, there, flows_format, reading).insert_into(table)
                continue
            several = there.is_dir() or len(paths) > 1
            files = {file: number for number, file in enumerate(files_below(there, reading))}
            found = gather(connection, sensor, files, reading, several=several)
            connection.execute(f"INSERT INTO {sightings} SELECT * FROM {found}")  # noqa: S608 - names of ours
            connection.execute(f"DROP TABLE {found}")
    if isinstance(sensor, SightingReader):
        flows = folded(connection, sensor, sightings, reading)
        columns = ", ".join(FLOW_COLUMNS)
        connection.execute(f"INSERT INTO {table} SELECT {columns} FROM {flows}")  # noqa: S608
        connection.execute(f"DROP TABLE {flows}")
        ((rows,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608
        reading.read += int(rows)
    say_once(paths, flows_format, reading)
    return table


@contextmanager
def costing_itself(
    path: Path | str, paths: Sequence[Path | str], reading: Reading, flows_format: str
) -> Iterator[None]:
    """Have one of several files that cannot be read go to the reading; of what is input it is said what it seems."""
    try:
        yield
    except (InputError, OutsideError) as raised:
        error = with_format(raised, path, flows_format) if isinstance(raised, InputError) else raised
        if len(paths) == 1:
            raise error from raised
        reading.reject(InputError(error.message, remedy=error.remedy), error.place or Place(str(path)))


_FETCH = 50_000


@contextmanager
def opened(path: Path | str, reading: Reading) -> Iterator[Path]:
    """Give the file or directory that is meant: `-` is standard input, and a place of AWS is fetched for the span."""
    from ringfence.flows.aws_places import S3, fetched, is_aws_place

    if str(path) == "-":
        with _standard_input() as there, reading.shown(str(there), str(STANDARD_INPUT)):
            yield there
    elif isinstance(path, str) and is_aws_place(path):
        shown = S3 if path.startswith(S3) else f"{path} "
        with fetched(path, reading.since, reading.until) as there, reading.shown(f"{there}/", shown):
            yield there
    elif Path(path).is_fifo():
        with Path(path).open("rb") as stream, _copied(stream) as there, reading.shown(str(there), str(path)):
            yield there
    else:
        yield Path(path)


@contextmanager
def _standard_input() -> Iterator[Path]:
    """Give a path that standard input is read by: its own where it is a file, else that of a copy."""
    stream = sys.stdin.buffer
    if sys.stdin is sys.__stdin__ and stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        yield STANDARD_INPUT
        return
    with _copied(stream) as path:
        yield path


@contextmanager
def _copied(stream: BinaryIO) -> Iterator[Path]:
    """Give the path of a copy of what can be read once only."""
    with TemporaryDirectory(prefix="ringfence-flows-") as directory:
        path = Path(directory) / "copy"
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        yield path
