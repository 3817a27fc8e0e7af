"""Readers of flows, one module a format, and what packages add by entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from ringfence.flows.columns import flow_at
from ringfence.flows.database import database
from ringfence.flows.gathering import SightingReader, at, flows_of
from ringfence.flows.possible import possible_rows, refuse_impossible
from ringfence.flows.readers import conntrack, denials, netflow, pfirewall, vpc, zeek
from ringfence.flows.readers.csv import read_csv
from ringfence.flows.readers.hosts import read_hosts
from ringfence.flows.readers.json import read_json
from ringfence.flows.reading import Reading
from ringfence.flows.relation import RelationReader, relation_of
from ringfence.model.counts import counted
from ringfence.model.errors import InputError, Place
from ringfence.model.flows import Flow
from ringfence.plugins import Registry

GROUP = "ringfence.flows"
RowReader = Callable[[Path, Reading], Iterator[Flow]]
Reader = RowReader | RelationReader | SightingReader
BUILT_IN: dict[str, Reader] = {
    "csv": read_csv,
    "hosts": read_hosts,
    "json": read_json,
    "vpc": vpc,
    "zeek": zeek,
    "netflow": netflow,
    "conntrack": conntrack,
    "denials": denials,
    "pfirewall": pfirewall,
}
FETCH = 50_000

_REGISTRY: Registry[Reader] = Registry(
    GROUP,
    (RelationReader, SightingReader, Callable),
    "format of flows",
    "to be a function of a path and a Reading, or to have such a method `read`",
    BUILT_IN,
)


def formats() -> tuple[str, ...]:
    """Return the names of the formats that can be read, sorted."""
    return _REGISTRY.names()


def reader(name: str) -> Reader:
    """Return the reader of a format, a built-in one or one that a package registers as `ringfence.flows`.

    It is a `RelationReader`, or a function that takes a path and a `Reading` and yields flows as it goes; what it
    cannot read it gives to the reading. Raises InputError where there is none, or it cannot be loaded.
    """
    return _REGISTRY.get(name)


def relation(
    connection: duckdb.DuckDBPyConnection,
    path: Path | str,
    format: str,  # noqa: A002 - the flag's name
    reading: Reading,
) -> duckdb.DuckDBPyRelation:
    """Return the flows of a file or directory as a relation of `FLOW_COLUMNS` on a connection, and count them.

    Raises InputError for an unknown format and for a file that is none of it or not there, OutsideError for one that
    the machine cannot read.
    """
    return relation_by(connection, reader(format), Path(path), reading)


def relation_by(
    connection: duckdb.DuckDBPyConnection, reader: Reader, path: Path, reading: Reading
) -> duckdb.DuckDBPyRelation:
    """Return the flows of a file by a reader, as `relation` does; what a reader of others gives is checked here."""
    if not isinstance(reader, RelationReader | SightingReader):
        return relation_of(connection, read_by(reader, path, reading))
    with at(path, reading):
        if isinstance(reader, SightingReader):
            found = flows_of(connection, reader, path, reading)
        else:
            found = reader.read(connection, path, reading)
        if not _trusted(reader):
            possible = possible_rows(reading.latest)
            ((wrong,),) = found.filter(f"NOT coalesce({possible}, false)").aggregate("count(*)").fetchall()
            if wrong:
                error = InputError(f"{counted(wrong, 'flow')} cannot be: two families, or a time that no clock says")
                reading.reject(error, Place(str(path)), wrong)
                found = found.filter(possible)
        ((rows,),) = found.aggregate("count(*)").fetchall()
        reading.read += rows
        return found


def read(path: Path | str, format: str, reading: Reading | None = None) -> Iterator[Flow]:  # noqa: A002 - the flag's name
    """Yield the flows of a file, streaming. Rows that are wrong go to `reading`; without one the first is raised.

    Raises InputError for an unknown format and for a file that is none of it or not there, OutsideError for one that
    the machine cannot read.
    """
    return read_by(reader(format), Path(path), reading or Reading(strict=True))


def read_by(reader: Reader, path: Path, reading: Reading) -> Iterator[Flow]:
    """Yield the flows of a file by a reader, streaming; what a reader of others yields is checked here."""
    if isinstance(reader, RelationReader | SightingReader):
        with database() as connection:
            found = relation_by(connection, reader, path, reading)
            ordered = found.order("first_seen, client, server, protocol, port, outcome")
            result = connection.execute(ordered.sql_query())
            while rows := result.fetchmany(FETCH):
                yield from map(flow_at, rows)
        return
    trusted = _trusted(reader)
    with at(path, reading):
        for flow in reader(path, reading):
            if not trusted:
                try:
                    refuse_impossible(flow, reading.latest)
                except InputError as error:
                    reading.reject(error, Place(str(path)))
                    continue
            reading.read += 1
            yield flow


def _trusted(reader: Reader) -> bool:
    name = getattr(reader, "__module__", None) or getattr(reader, "__name__", "")
    return str(name).startswith(f"{__package__}.")
