"""The sightings of many files gathered into one table, so that what belongs together is folded together.

Files whose rows are all right are read many at once where their reader can do that; all others one by one.
"""

# ruff: noqa: S608 - the SQL is put together from names of ours
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

import duckdb

from ringfence.flows.connections import fold
from ringfence.flows.reading import Reading
from ringfence.flows.relation import FLOW_COLUMNS
from ringfence.flows.sightings import SIGHTINGS, new_sightings
from ringfence.flows.text_lines import alone, files_below
from ringfence.model.errors import InputError, Place, file_error
from ringfence.model.times import time_of_seconds


@runtime_checkable
class SightingReader(Protocol):
    """A reader of what a sensor saw: records, of which several may be of one connection.

    `WHOLE`, where a reader has it and it is true, says that a record is a whole connection. A function
    `quick(connection, table, files, reading)` adds what is easily read to a table of sightings and returns the files
    that are left.
    """

    SOURCE: str

    def sightings(self, connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> str:
        """Return the name of a new table of `SIGHTINGS` with the right rows of a file; wrong rows go to the reading.

        Raise InputError where the file as a whole is none of the format.
        """
        ...


def gather(
    connection: duckdb.DuckDBPyConnection,
    reader: SightingReader,
    files: Mapping[Path, int],
    reading: Reading,
    *,
    several: bool,
) -> str:
    """Return the name of a new table of `SIGHTINGS` of files, each row with the number (`origin`) of its file.

    With `several`, a file that cannot be read goes to the reading and costs itself alone, else it is raised.
    """
    table = new_sightings(connection)
    quick = getattr(reader, "quick", None)
    left: Iterable[Path] = quick(connection, table, files, reading) if quick and not reading.strict else files
    kept = ", ".join(name for name in SIGHTINGS if name != "origin")
    for file in left:
        bad = reading.bad
        with alone(file, several, reading), at(file, reading):
            found = reader.sightings(connection, file, reading)
            connection.execute(f"INSERT INTO {table} ({kept}, origin) SELECT {kept}, {files[file]} FROM {found}")
            connection.execute(f"DROP TABLE {found}")
        if reading.bad > bad:
            reading.faulty.add(file)
    return table


def folded(connection: duckdb.DuckDBPyConnection, reader: SightingReader, sightings: str, reading: Reading) -> str:
    """Return the name of a new table of `connections.FOLDED` with the flows of sightings, whose table is dropped."""
    flows = fold(connection, sightings, reader.SOURCE, reading.listeners, whole=is_whole(reader))
    connection.execute(f"DROP TABLE {sightings}")
    return flows


def flows_of(
    connection: duckdb.DuckDBPyConnection, reader: SightingReader, path: Path, reading: Reading
) -> duckdb.DuckDBPyRelation:
    """Return the flows of a file or directory as a relation of `FLOW_COLUMNS`."""
    files = {file: number for number, file in enumerate(files_below(path, reading))}
    table = folded(connection, reader, gather(connection, reader, files, reading, several=path.is_dir()), reading)
    return connection.table(table).project(", ".join(FLOW_COLUMNS))


def is_whole(reader: SightingReader) -> bool:
    """Return whether a record of a reader is a whole connection."""
    return bool(getattr(reader, "WHOLE", False))


@contextmanager
def at(path: Path, reading: Reading) -> Iterator[None]:
    """Have a reading know the time of a file (each of several has one of its own), and errors their place."""
    observed = reading.observed
    try:
        if observed is None and not path.is_dir():
            reading.observed = time_of_seconds(int(path.stat().st_mtime))
        yield
    except OSError as error:
        raise file_error(error, path) from error
    except duckdb.Error as error:
        raise InputError(f"cannot be read: {str(error).splitlines()[0]}", Place(str(path))) from error
    finally:
        reading.observed = observed
