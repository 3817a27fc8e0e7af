"""What happens while a playbook runs, as values: one event a host and step, for progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class EventKind(StrEnum):
    """The kind of an event. `play` and `step` have no host; in a rollout every play is a wave.

    `doing` is what a run's host does within its step, which only the directory of a run tells.
    """

    PLAY = "play"
    STEP = "step"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    SKIPPED = "skipped"
    DOING = "doing"


_KINDS: Mapping[str, EventKind] = {
    "playbook_on_play_start": EventKind.PLAY,
    "playbook_on_task_start": EventKind.STEP,
    "runner_on_start": EventKind.STARTED,
    "runner_on_ok": EventKind.DONE,
    "runner_on_failed": EventKind.FAILED,
    "runner_on_unreachable": EventKind.UNREACHABLE,
    "runner_on_skipped": EventKind.SKIPPED,
}
# What stands for a result that did not come.
LOST = {
    "state": "unknown",
    "msg": "this host's step ended and its result did not arrive: it is longer than can be taken",
}
ENDS = frozenset({EventKind.DONE, EventKind.FAILED, EventKind.UNREACHABLE, EventKind.SKIPPED})


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `play` counts plays from 1, `result` is the step's result if it has ended."""

    kind: EventKind
    play: int
    step: str = ""
    host: str = ""
    result: Mapping[str, object] = field(default_factory=dict)
    ignored: bool = False

    @property
    def ends(self) -> bool:
        """Return whether a host has ended a step."""
        return self.kind in ENDS

    @property
    def failed(self) -> bool:
        """Return whether a host failed; one that a person excused has ended well for Ansible, so that it goes on."""
        failed = self.kind in (EventKind.FAILED, EventKind.UNREACHABLE) and not self.ignored
        return failed or self.result.get("excused") is True


class EventReader:
    """Turns ansible-runner's events into ours; it remembers which play runs."""

    def __init__(self) -> None:
        self._play = 0

    def read(self, raw: Mapping[str, object]) -> Event | None:
        """Return the event, or None if it is not about a host."""
        kind = _KINDS.get(str(raw.get("event")))
        data = raw.get("event_data")
        if kind is None or not isinstance(data, Mapping):
            return None
        if kind is EventKind.PLAY:
            self._play += 1
        result = data.get("res")
        if kind in (EventKind.DONE, EventKind.FAILED) and not result:
            kind, result = EventKind.FAILED, LOST
        return Event(
            kind=kind,
            play=self._play,
            step=str(data.get("play" if kind is EventKind.PLAY else "task") or ""),
            host=str(data.get("host") or ""),
            result=result if isinstance(result, Mapping) else {},
            ignored=bool(data.get("ignore_errors")),
        )
