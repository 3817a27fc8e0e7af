"""Reading flows from files: the registry of formats, and what a reading met on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from ringfence.flows.csv_format import read_csv
from ringfence.flows.hosts_format import read_hosts
from ringfence.flows.json_format import read_json
from ringfence.flows.possible import refuse_impossible
from ringfence.flows.reading import Reading
from ringfence.model.errors import InputError, Place, file_error
from ringfence.model.flows import Flow

GROUP = "ringfence.flows"
Reader = Callable[[Path, Reading], Iterator[Flow]]
BUILT_IN: dict[str, Reader] = {"csv": read_csv, "hosts": read_hosts, "json": read_json}


@cache
def readers() -> dict[str, Reader]:
    """Return every format's reader: the built-in ones, and those that packages register as `ringfence.flows`.

    A reader takes a path and a `Reading` and yields flows as it goes; what it cannot read it gives to the reading.
    """
    return {**BUILT_IN, **{entry.name: entry.load() for entry in entry_points(group=GROUP)}}


def read(path: Path | str, format: str, reading: Reading | None = None) -> Iterator[Flow]:  # noqa: A002 - the flag's name
    """Yield the flows of a file, streaming. Rows that are wrong go to `reading`; without one the first is raised.

    Raises InputError for an unknown format and for a file that is none of it or not there, OutsideError for one that
    the machine cannot read.
    """
    known = readers()
    if format not in known:
        near = get_close_matches(format, known, 1)
        remedy = f"did you mean '{near[0]}'?" if near else f"one of {', '.join(sorted(known))}"
        raise InputError(f"'{format}' is no format of flows", remedy=remedy)
    return read_by(known[format], Path(path), reading or Reading(strict=True))


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
