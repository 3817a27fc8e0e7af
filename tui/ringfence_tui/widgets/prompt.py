"""Asking for one line over a screen; tab completes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ringfence_tui.spans import Row, Span, Tone, fitting, row
from ringfence_tui.widgets.line_question import LineQuestion
from ringfence_tui.widgets.text import offered, safe

WIDTH = 48
OFFERS = 6
AROUND = 7  # lines: the frame, what is left of the screen around it, and the three that ask


class Prompt(LineQuestion):
    """Asks once; `answer` has the line, None where it was left. `complete(text)` are whole lines to go on with.

    `way` is how rows are seen that have no room above the line.
    """

    def __init__(
        self,
        title: str,
        rows: tuple[Row, ...] = (),
        value: str = "",
        complete: Callable[[str], Sequence[str]] = lambda _text: (),
        does: str = "go on",
        way: str = "",
    ) -> None:
        super().__init__(title, rows, value)
        self.complete = complete
        self.does = does
        self.way = way

    def content(self) -> tuple[Row, ...]:
        """Return what is asked, the line, and what it could go on with."""
        offers = self._offers()
        typed = row(Span("> ", Tone.KEY), Span(self.value[-WIDTH:], Tone.STRONG), Span("_", Tone.DIM))
        said = "tab  " + offered(offers, OFFERS) if offers else ""
        foot = row(Span("enter", Tone.KEY), f" {self.does}   ", Span("esc", Tone.KEY), " leave it")
        return (
            *fitting(self.rows, self.app.size.height - AROUND, self.way),
            typed,
            row(Span(f"{said:<{WIDTH}}", Tone.DIM)),
            foot,
        )

    def completed(self) -> str:
        """Return the first line that it could go on with."""
        return next(iter(self._offers()), self.value)

    def pasted(self, line: str) -> str:
        """Return a line that was pasted, made harmless."""
        return safe(line)

    def _offers(self) -> list[str]:
        return [offer for offer in self.complete(self.value) if offer != self.value]

    def _take(self, value: str) -> None:
        super()._take(value)
        self.fit()
