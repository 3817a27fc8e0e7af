"""What an operation says while it works, told as parts of an answer: progress in a few words, warnings kept."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ringfence.estate.listening import Listener

from ringfence_tui.engine.progress import Progress

if TYPE_CHECKING:
    from ringfence.model.problems import Problem
    from ringfence.rollout import Event

    from ringfence_tui.engine.session import Tell

# Seconds between two words on one playbook: a host a millisecond is no news to a person.
EVERY = 0.2
# What playbooks do, for people; others by their names.
WORDS = {
    "discover": "asking who talks to whom",
}


class Telling(Listener):
    """Tells progress; `warnings` has the sentences that asked for attention."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.warnings: list[str] = []
        self._playbook = ""
        self._hosts = 0
        self._ended: set[str] = set()
        self._told = 0.0

    @contextmanager
    def working(self, on: str) -> Iterator[None]:
        """Tell what is worked on."""
        self.tell(Progress(on))
        yield

    def note(self, text: str) -> None:
        """Keep a sentence."""
        self.warnings.append(text)

    def problems(self, problems: Sequence[Problem]) -> None:
        """Keep them."""
        self.warnings += [f"{one.place}: {one.message}" if one.place else one.message for one in problems]

    def playbook_started(self, playbook: str, waves: Sequence[Sequence[str]], *, rollout: bool) -> None:
        """Tell that hosts are asked."""
        self._playbook, self._hosts = WORDS.get(playbook, playbook), sum(map(len, waves))
        self._ended.clear()
        self.tell(Progress(f"{self._playbook}: 0 of {self._hosts} hosts"))

    def event(self, event: Event) -> None:
        """Tell how many have answered."""
        if event.ends and event.host and event.host not in self._ended:
            self._ended.add(event.host)
            now = time.monotonic()
            if now - self._told >= EVERY or len(self._ended) == self._hosts:
                self._told = now
                self.tell(Progress(f"{self._playbook}: {len(self._ended)} of {self._hosts} hosts"))
