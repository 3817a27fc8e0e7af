"""Listeners of work in progress: a listener overrides what it wants to know, and several can listen at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.model.problems import Problem
    from ringfence.model.source_steps import SourceStep
    from ringfence.rollout import Event, PlaybookResult


class Listener:
    """Hears nothing. Methods are called by the thread that works, one after another."""

    def working(self, on: str) -> AbstractContextManager[None]:
        """Enter what lasts as long as a step of this machine, `reading the workspace`."""
        return nullcontext()

    def note(self, text: str) -> None:
        """Take a sentence about the work that asks for attention."""

    def problems(self, problems: Sequence[Problem]) -> None:
        """Take problems that do not stop the work."""

    def playbook_started(self, playbook: str, waves: Sequence[Sequence[str]], *, rollout: bool) -> None:
        """Take the hosts of a playbook that begins; only those of a rollout come in waves."""

    def event(self, event: Event) -> None:
        """Take one event of a playbook, with its host and step."""

    def playbook_ended(self, result: PlaybookResult | None) -> None:
        """Take what became of the hosts, None where the playbook raised an error."""

    def source(self, step: SourceStep) -> None:
        """Take what becomes of a source's file while the inventory is asked."""


SILENT = Listener()


class Several(Listener):
    """Passes everything on to several listeners, in their order."""

    def __init__(self, *listeners: Listener) -> None:
        self.listeners = listeners

    @contextmanager
    def working(self, on: str) -> Iterator[None]:
        """Enter every listener's own."""
        with ExitStack() as stack:
            for one in self.listeners:
                stack.enter_context(one.working(on))
            yield

    def note(self, text: str) -> None:
        """Pass a sentence on."""
        for one in self.listeners:
            one.note(text)

    def problems(self, problems: Sequence[Problem]) -> None:
        """Pass problems on."""
        for one in self.listeners:
            one.problems(problems)

    def playbook_started(self, playbook: str, waves: Sequence[Sequence[str]], *, rollout: bool) -> None:
        """Pass the beginning of a playbook on."""
        for one in self.listeners:
            one.playbook_started(playbook, waves, rollout=rollout)

    def event(self, event: Event) -> None:
        """Pass an event on."""
        for one in self.listeners:
            one.event(event)

    def playbook_ended(self, result: PlaybookResult | None) -> None:
        """Pass the end of a playbook on."""
        for one in self.listeners:
            one.playbook_ended(result)

    def source(self, step: SourceStep) -> None:
        """Pass a step of a source on."""
        for one in self.listeners:
            one.source(step)
