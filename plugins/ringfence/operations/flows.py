"""Flows of files and of the workspace's store: read, kept, counted for a span of time, forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.analysis.simulate import DEFAULT_KEYS
from ringfence.flows.listeners import keep_listeners
from ringfence.flows.possible import latest_time
from ringfence.flows.records import PROTOCOL_NAMES, record_of
from ringfence.flows.store import NOTHING_ADDED, FlowStore
from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.operations.execution import Execution
from ringfence.operations.flow_selection import FlowSelection, opened, read_files, reading_of, time_of

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.flows.reading import Reading
    from ringfence.flows.store import Added
    from ringfence.flows.window import FlowWindow


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
class SeenFlows:
    """The kept flows of a span of time; rows can be asked for as long as their window is open."""

    window: FlowWindow
    totals: dict[str, object]
    wrong: int

    def flows(self, limit: int) -> list[dict[str, object]]:
        """Return single flows as plain data, the busiest first."""
        return [record_of(flow) for flow in islice(self.window.flows(), limit)]

    def by_labels(self, estate: Estate, limit: int) -> list[dict[str, object]]:
        """Return who talks to whom by labels, as plain data, the busiest first."""
        return self.window.by_labels(estate.snapshot, DEFAULT_KEYS)[:limit]


def read_flows(
    estate: Estate | None,
    files: Sequence[Path | str],
    flows_format: str,
    fields: str = "",
    since: str | None = None,
    until: str | None = None,
) -> ReadFlows:
    """Return the flows of files; nothing is kept. Without an estate nothing is known of the hosts that report them."""
    reading = reading_of(estate, flows_format, fields, since, until)
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
    for file in files:
        reading = reading_of(estate, flows_format, fields, since, until)
        try:
            with opened(file, reading) as there:
                added = store.add_file(there, flows_format, reading, snapshots)
        except (InputError, OutsideError) as error:
            if len(files) == 1:
                raise
            reading.reject(InputError(error.message, remedy=error.remedy), error.place or Place(str(file)))
            added = NOTHING_ADDED
        keep_listeners(estate.history.flows, reading.heard)
        listener.problems(reading.problems)
        yield AddedFile(file, added, reading.bad)


@contextmanager
def seen_flows(estate: Estate, flows: FlowSelection, execution: Execution | None = None) -> Iterator[SeenFlows]:
    """Give the flows of a span of time; within the context their window is open."""
    with flows.window(estate, (execution or Execution()).listener) as window:
        yield SeenFlows(window, {**window.totals(), "wrong": window.wrong}, window.wrong)


def forget_flows(estate: Estate, before: str | None) -> int:
    """Delete the kept flows of the days before a time, and of days to come; return how many days that were."""
    first = time_of(before, estate.now).date() if before else date.min
    return FlowStore(estate.history.flows).forget(first, latest_time(estate.now).date())


def protocol_name(number: object) -> object:
    """Return the name of a protocol, or its number where it has none."""
    return PROTOCOL_NAMES.get(int(str(number)), number)
