"""The line above the keys: what just happened, or what is wrong; empty most of the time."""

from __future__ import annotations

from ringfence_tui.spans import Row, Span, Tone, row
from ringfence_tui.widgets.painted import Painted


class Notice(Painted):
    """One line between a rule and the keys."""

    DEFAULT_CSS = "Notice { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.shown: Row = ()

    def show(self, *parts: Span | str) -> None:
        """Show spans, or nothing."""
        shown = row(*parts)
        if shown != self.shown:
            self.shown = shown
            self.refresh()

    def row_at(self, y: int) -> Row:
        """Return the line: a rule where nothing is to be said."""
        if not self.shown:
            return (Span("─" * self.size.width, Tone.RULE),)
        return (Span(" "), *self.shown)
