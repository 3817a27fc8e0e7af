"""Reading flows from files: the registry of formats, and what a reading met on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from ringfence.flows.csv_format import read_csv
from ringfence.flows.hosts_format import read_hosts
from ringfence.flows.json_format import read_json
from ringfence.flows.possible import refuse_impossible
from ringfence.flows.reading import Reading
from ringfence.model.errors import InputError, Place, file_error
from ringfence.model.flows import Flow
from ringfence.plugins import Registry

GROUP = "ringfence.flows"
Reader = Callable[[Path, Reading], Iterator[Flow]]
BUILT_IN: dict[str, Reader] = {"csv": read_csv, "hosts": read_hosts, "json": read_json}


_REGISTRY: Registry[Reader] = Registry(GROUP, Callable, "format of flows", "to be a function", BUILT_IN)


def formats() -> tuple[str, ...]:
    """Return the names of the formats that can be read, sorted."""
    return _REGISTRY.names()


def reader(name: str) -> Reader:
    """Return the reader of a format, a built-in one or one that a package registers as `ringfence.flows`.

    A reader takes a path and a `Reading` and yields flows as it goes; what it cannot read it gives to the reading.
    Raises InputError where there is none, or it cannot be loaded.
    """
    return _REGISTRY.get(name)


def read(path: Path | str, format: str, reading: Reading | None = None) -> Iterator[Flow]:  # noqa: A002 - the flag's name
    """Yield the flows of a file, streaming. Rows that are wrong go to `reading`; without one the first is raised.

    Raises InputError for an unknown format and for a file that is none of it or not there, OutsideError for one that
    the machine cannot read.
    """
    return read_by(reader(format), Path(path), reading or Reading(strict=True))


def read_by(reader: Reader, path: Path, reading: Reading) -> Iterator[Flow]:
    """Yield the flows of a file by a reader, streaming; what a reader of others yields is checked here."""
    trusted = reader.__module__.startswith(f"{__package__}.")
    observed = reading.observed
    try:
        if observed is None:  # each of several files has a time of its own
            reading.observed = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
        for flow in reader(path, reading):
            if not trusted:
                try:
                    refuse_impossible(flow, reading.latest)
                except InputError as error:
                    reading.reject(error, Place(str(path)))
                    continue
            reading.read += 1
            yield flow
    except OSError as error:
        raise file_error(error, path) from error
    finally:
        reading.observed = observed
