"""Flows of files and of the workspace's store: read, kept, counted for a span of time, forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.analysis.simulate import DEFAULT_KEYS
from ringfence.flows.gathering import SightingReader
from ringfence.flows.listeners import keep_listeners, kept_listeners, listeners_of
from ringfence.flows.possible import latest_time
from ringfence.flows.readers import reader
from ringfence.flows.records import PROTOCOL_NAMES, record_of
from ringfence.flows.store import FlowStore
from ringfence.flows.store_counts import NOTHING_ADDED
from ringfence.model.errors import Place, RingfenceError
from ringfence.operations.execution import Execution
from ringfence.operations.flow_files import costing_itself, opened, read_files
from ringfence.operations.flow_selection import FlowSelection, reading_of, time_of
from ringfence.operations.flow_sources import note_source
from ringfence.operations.wrong_format import refuse_fields, say_once

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.flows.damage import Damage
    from ringfence.flows.reading import Reading
    from ringfence.flows.store_counts import Added
    from ringfence.flows.window import FlowWindow
    from ringfence.model.assets import Snapshot


@dataclass(frozen=True, slots=True)
class ReadFlows:
    """Flows of files as plain data, and what could not be read."""

    rows: list[dict[str, object]]
    reading: Reading


@dataclass(frozen=True, slots=True)
class AddedFile:
    """What a file brought into the store."""

    file: Path | str
    added: Added
    wrong: int

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {"file": str(self.file), **self.added.data(), "bad": self.wrong, "wrong": self.wrong}


@dataclass(frozen=True, slots=True)
class FlowRows:
    """Rows as plain data, and how many more there are."""

    rows: list[dict[str, object]]
    more: int


@dataclass(frozen=True, slots=True)
class SeenFlows:
    """The kept flows of a span of time; rows can be asked for as long as their window is open."""

    window: FlowWindow
    totals: dict[str, object]
    wrong: int

    def flows(self, limit: int) -> FlowRows:
        """Return single flows as plain data, the busiest first."""
        rows = [record_of(flow) for flow in islice(self.window.flows(), limit)]
        return FlowRows(rows, len(self.window) - len(rows))

    def by_labels(self, estate: Estate, limit: int) -> FlowRows:
        """Return who talks to whom by labels, as plain data, the busiest first."""
        rows = self.window.by_labels(estate.snapshot, DEFAULT_KEYS)
        return FlowRows(rows[:limit], max(0, len(rows) - limit))


def read_flows(
    estate: Estate | None,
    files: Sequence[Path | str],
    flows_format: str,
    fields: str = "",
    since: str | None = None,
    until: str | None = None,
) -> ReadFlows:
    """Return the flows of files; nothing is kept. Without an estate nothing is known of the hosts that report them.

    Where the inventory cannot be read it is as without an estate, and a problem of the reading.
    """
    refuse_fields(fields, flows_format)
    try:
        reading = reading_of(estate, flows_format, fields, since, until)
    except RingfenceError as error:
        reading = reading_of(None, flows_format, fields, since, until)
        message = f"the inventory cannot be read, so nothing is known of the hosts: {error.message}"
        reading.warn(message, error.place or Place("inventory"), error.remedy)
    return ReadFlows([record_of(flow) for flow in read_files(files, flows_format, reading)], reading)


def add_flows(
    estate: Estate,
    files: Sequence[Path | str],
    flows_format: str,
    execution: Execution | None = None,
    fields: str = "",
    since: str | None = None,
    until: str | None = None,
) -> Iterator[AddedFile]:
    """Keep the flows of files and yield what each brought; what is kept already is not counted twice."""
    listener = (execution or Execution()).listener
    estate.keep_snapshot()
    snapshots = estate.snapshots()
    store = FlowStore(estate.history.flows)
    readings = [reading_of(estate, flows_format, fields, since, until) for _ in files]
    sensor = reader(flows_format)
    added = (
        _added_together(store, sensor, files, flows_format, readings, snapshots)
        if isinstance(sensor, SightingReader)
        else _added_apart(store, files, flows_format, readings, snapshots)
    )
    for file, reading, one in zip(files, readings, added, strict=True):
        keep_listeners(estate.history.flows, reading.heard)
        if not one.known:
            say_once([file], flows_format, reading)
        for told in (*one.ambiguous, *one.twice):
            reading.warn(told, Place(str(file)))
        name, size = _named(file)
        if (one.read or one.known or reading.bad) and (
            why := note_source(estate, name, flows_format, one, reading.bad, size)
        ):
            reading.warn(why, Place(str(file)))
        listener.problems(reading.problems)
        yield AddedFile(file, one, reading.bad)


def _named(file: Path | str) -> tuple[str, int | None]:
    """Return what a place is listed as, and the bytes of a file."""
    if not isinstance(file, Path) or not file.exists() or file.is_fifo():
        return ("standard input" if str(file) == "-" else str(file)), None
    return str(file.resolve()), file.stat().st_size if file.is_file() else None


def _added_apart(
    store: FlowStore,
    files: Sequence[Path | str],
    flows_format: str,
    readings: Sequence[Reading],
    snapshots: Sequence[Snapshot],
) -> Iterator[Added]:
    for file, reading in zip(files, readings, strict=True):
        with costing_itself(file, files, reading, flows_format), opened(file, reading) as there:
            yield store.add_file(there, flows_format, reading, snapshots)
            continue
        yield NOTHING_ADDED


def _added_together(
    store: FlowStore,
    sensor: SightingReader,
    files: Sequence[Path | str],
    flows_format: str,
    readings: Sequence[Reading],
    snapshots: Sequence[Snapshot],
) -> list[Added]:
    """Add what sensors saw: the records of one connection may lie in several files."""
    with ExitStack() as stack:
        found: dict[int, Path] = {}
        for number, (file, reading) in enumerate(zip(files, readings, strict=True)):
            with costing_itself(file, files, reading, flows_format):
                found[number] = stack.enter_context(opened(file, reading))
        chosen = [(path, readings[number]) for number, path in found.items()]
        added = dict(zip(found, store.add_sightings(chosen, sensor, flows_format, snapshots), strict=True))
    return [added.get(number, NOTHING_ADDED) for number in range(len(files))]


@contextmanager
def seen_flows(estate: Estate, flows: FlowSelection, execution: Execution | None = None) -> Iterator[SeenFlows]:
    """Give the flows of a span of time; within the context their window is open."""
    with flows.window(estate, (execution or Execution()).listener) as window:
        yield SeenFlows(window, {**window.totals(), "wrong": window.wrong}, window.wrong)


def forget_flows(estate: Estate, before: str | None) -> int:
    """Delete the kept flows of the days before a time, and of days to come; return how many days that were."""
    first = time_of(before, estate.now).date() if before else date.min
    return FlowStore(estate.history.flows).forget(first, latest_time(estate.now).date())


def set_damaged_aside(estate: Estate) -> Damage:
    """Go on without the files of the store that cannot be read; return which, and what is to be added again."""
    listeners = listeners_of(estate.snapshot) | kept_listeners(estate.history.flows)
    return FlowStore(estate.history.flows).set_damaged_aside(listeners, estate.snapshots())


def protocol_name(number: object) -> object:
    """Return the name of a protocol, or its number where it has none."""
    return PROTOCOL_NAMES.get(int(str(number)), number)
