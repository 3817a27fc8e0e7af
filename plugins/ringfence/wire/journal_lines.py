"""The lines of a rollout's journal: an event each, as JSON, written by the collection and read by it and the engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

STARTED, CONFIRMED, EXCUSED = "started", "confirmed", "excused"
# A host in one of these states lets the next wave begin.
PASSED = (CONFIRMED, EXCUSED)


class Event(NamedTuple):
    """One line of a journal; `line` counts from 1, `time` is ISO text in UTC, as the writer's clock had it."""

    line: int
    time: str
    host: str
    event: str
    reason: str = ""


def journal_line(plan: str, host: str, event: str, reason: str = "") -> bytes:
    """Return the line of an event that happens now; `plan` is the plan's short name."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    entry = {"time": now, "plan": plan, "host": host, "event": event, "reason": reason}
    return json.dumps(entry, sort_keys=True).encode() + b"\n"


def journal_events(text: str, plan: str) -> Iterator[Event]:
    """Yield the events of a plan in the order they were written.

    A line that a killed controller cut short, that is not an object, or that is of another plan, counts as not written.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and entry.get("plan") == plan:
            yield Event(number, *(str(entry.get(key, "")) for key in ("time", "host", "event", "reason")))
