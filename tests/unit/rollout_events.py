"""Runs and their events for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ringfence.model.run_states import LIVING
from ringfence.operations.runs import ListedRun
from ringfence.rollout.events import Event, EventKind
from ringfence.rollout.run_events import TimedEvent
from ringfence.rollout.runs import RunDirectory, RunFacts

WAVES = (("canary",), ("web-1", "web-2"), ("db-1",))
PLAN = "5f3a" + "0" * 60


def listed(directory: Path, state: str = "running", waves: Sequence[Sequence[str]] = WAVES) -> ListedRun:
    """Return a run in a state."""
    facts = RunFacts(
        who="kim",
        commit="9c1e" + "0" * 36,
        plan=PLAN,
        started="2026-11-24T07:00:00Z",
        hosts=tuple(name for wave in waves for name in wave),
        waves=tuple(map(tuple, waves)),
    )
    ended = "" if state in LIVING else "2026-11-24T07:09:00Z"
    return ListedRun(RunDirectory(directory), facts, state, ended)


def at(second: float) -> str:
    """Return a time of a run, as its files have it."""
    return f"2026-11-24T07:00:{second:09.6f}+00:00"


def started(host: str, second: float = 1) -> TimedEvent:
    """Return that a host's step began."""
    return TimedEvent(at(second), Event(EventKind.STARTED, 1, "Apply the plan and confirm it", host))


def step(host: str, word: str, second: float = 2, seconds: float | None = None) -> TimedEvent:
    """Return that a host is at a step."""
    result = {} if seconds is None else {"seconds": seconds}
    return TimedEvent(at(second), Event(EventKind.DOING, 0, word, host, result))


def confirmed(host: str, second: float = 5, **result: object) -> TimedEvent:
    """Return that a host confirmed."""
    told = {"state": "confirmed", "changed": True, **result}
    return TimedEvent(at(second), Event(EventKind.DONE, 1, "Apply the plan and confirm it", host, told))


def failed(host: str, second: float = 5, reason: str = "no route to host", state: str = "unreachable") -> TimedEvent:
    """Return that a host failed."""
    told = {"state": state, "msg": reason}
    return TimedEvent(at(second), Event(EventKind.FAILED, 1, "Apply the plan and confirm it", host, told))
