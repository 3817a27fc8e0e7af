"""What the command hears of an operation: spinners and bars on standard error, warnings, a line for every wave."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

from ringfence.estate import Listener
from ringfence.presenting.discovery_view import source_lines
from ringfence.presenting.playbook_progress import PlaybookProgress

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ringfence.cli.output import Output
    from ringfence.model.problems import Problem
    from ringfence.model.source_steps import SourceStep
    from ringfence.operations.execution import Event, PlaybookResult


class OutputListener(Listener):
    """Prints what it hears: a bar on a terminal, else a line for every wave that is done."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self._shown: Progress | None = None
        self._open = ExitStack()
        self._progress = PlaybookProgress((), rollout=False)
        self._bars: dict[int, TaskID] = {}

    def working(self, on: str) -> AbstractContextManager[None]:
        """Show what a step works on."""
        return self.output.working(on)

    def note(self, text: str) -> None:
        """Print a sentence."""
        self.output.note(text, style="yellow")

    def problems(self, problems: Sequence[Problem]) -> None:
        """Print problems, also with `--json`."""
        self.output.problems(problems, err=True)

    def playbook_started(self, playbook: str, waves: Sequence[Sequence[str]], *, rollout: bool) -> None:
        """Begin to show how far it is."""
        self._progress = PlaybookProgress(waves, rollout=rollout)
        self._bars = {}
        self._shown = self._open.enter_context(self.output.progress())

    def event(self, event: Event) -> None:
        """Show what an event changes."""
        lines, waves = self._progress.take(event)
        if self._shown is not None:
            for wave in waves:
                if wave.number not in self._bars:
                    self._bars[wave.number] = self._shown.add_task(wave.name, total=wave.total)
                self._shown.update(self._bars[wave.number], completed=wave.done)
        self.output.notes(lines)

    def playbook_ended(self, result: PlaybookResult | None) -> None:
        """Take the bars away."""
        self._open.close()
        self._shown = None

    def source(self, step: SourceStep) -> None:
        """Show what a source is at: a line of its own once it has ended."""
        self.output.notes(source_lines(step))
