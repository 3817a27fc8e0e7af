"""Asking for a password: what is typed or pasted is never shown, not even how long it is."""

from __future__ import annotations

from ringfence_tui.spans import Row, Span, Tone, row
from ringfence_tui.widgets.line_question import LineQuestion


class Secret(LineQuestion):
    """Asks once; `answer` has what was typed, empty for nothing, None where it was left."""

    LONGEST = 1000  # letters; all of a password has to go into a pipe at once

    def content(self) -> tuple[Row, ...]:
        """Return what is asked, and whether something was typed."""
        typed = Span("something was typed", Tone.STRONG) if self.value else Span("nothing was typed yet", Tone.DIM)
        foot = row(Span("enter", Tone.KEY), " take it   ", Span("esc", Tone.KEY), " leave it")
        return (*self.rows, (), row(typed), (), foot)

    def _end(self, answer: str | None) -> None:
        self.value = ""
        super()._end(answer)
