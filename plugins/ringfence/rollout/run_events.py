"""What a run writes down while it works: its events, and the steps of its hosts, read as they come."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ringfence.files import open_regular
from ringfence.rollout.events import Event, EventKind
from ringfence.rollout.runs import EVENTS_FILE, RunDirectory
from ringfence.wire.run_files import STEPS_FILE

# Bytes that are read at a time: a run of ten thousand hosts is told in parts, not held in memory twice.
PART = 4_000_000


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """An event and when it was written, ISO text in UTC."""

    time: str
    event: Event


def event_line(event: Event, time: str) -> str:
    """Return an event as a line of JSON."""
    data = asdict(event)
    data["result"] = dict(event.result)
    return json.dumps({"time": time, **data}, sort_keys=True) + "\n"


def read_event(line: str | bytes) -> TimedEvent:
    """Return the event of a line. Raise ValueError for another text."""
    try:
        data = json.loads(line)
        result, play = data["result"], data["play"]
        if not isinstance(result, Mapping) or not isinstance(play, int):
            raise ValueError("its result is no mapping, or its play no number")
        kind = EventKind(data["kind"])
        event = Event(kind, play, str(data["step"]), str(data["host"]), result, data["ignored"] is True)
        return TimedEvent(str(data.get("time", "")), event)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def read_step(line: str | bytes) -> TimedEvent:
    """Return the step that a host is at, as an event of the kind `doing`. Raise ValueError for another text."""
    try:
        data = json.loads(line)
        seconds = data.get("seconds")
        result = {"seconds": float(seconds)} if isinstance(seconds, int | float) else {}
        event = Event(EventKind.DOING, 0, str(data["step"]), str(data["host"]), result)
        return TimedEvent(str(data["time"]), event)
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from error


class RunReader:
    """Reads on where it stopped. A line that is not whole yet comes later; a damaged one counts as not written."""

    def __init__(self, run: RunDirectory) -> None:
        self._events = _Tail(run.path / EVENTS_FILE)
        self._steps = _Tail(run.path / STEPS_FILE)

    def new(self) -> list[TimedEvent]:
        """Return what was written since, steps among events by their time; events keep their own order."""
        steps = deque(one for line in self._steps.lines() for one in _read(read_step, line))
        events = [one for line in self._events.lines() for one in _read(read_event, line)]
        found: list[TimedEvent] = []
        for event in events:
            while steps and steps[0].time <= event.time:
                found.append(steps.popleft())
            found.append(event)
        return [*found, *steps]

    @property
    def behind(self) -> bool:
        """Return whether there is more to read at once."""
        return self._events.more or self._steps.more


class _Tail:
    """The lines of a file that grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._rest = b""
        self.more = False

    def lines(self) -> list[bytes]:
        """Return the whole lines that came; none where there is no such file."""
        try:
            with open_regular(self._path) as file:
                file.seek(self._at)
                part = file.read(PART)
        except OSError:
            return []
        self._at += len(part)
        self.more = len(part) == PART
        *whole, rest = (self._rest + part).split(b"\n")
        # no event is that long: what has no line end counts as one damaged line, and is not kept
        self._rest = rest if len(rest) < PART else b"\0"
        return whole


def _read(reader: Callable[[bytes], TimedEvent], line: bytes) -> list[TimedEvent]:
    try:
        return [reader(line)]
    except ValueError:
        return []
