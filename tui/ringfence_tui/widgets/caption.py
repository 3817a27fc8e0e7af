"""One line of spans that a screen changes."""

from __future__ import annotations

from ringfence_tui.spans import Row, Span, Tone, row
from ringfence_tui.widgets.painted import Painted


class Caption(Painted):
    """Shows one row."""

    DEFAULT_CSS = "Caption { height: 1; }  Caption.label { width: 16; }"

    def __init__(self, *parts: Span | str, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.parts = row(*parts)

    def show(self, *parts: Span | str) -> None:
        """Show another row."""
        shown = row(*parts)
        if shown != self.parts:
            self.parts = shown
            self.refresh()

    def row_at(self, y: int) -> Row:
        """Return the line."""
        return self.parts


class Line(Painted):
    """A line between two parts of a screen."""

    DEFAULT_CSS = "Line { height: 1; }"

    def row_at(self, y: int) -> Row:
        """Return the line."""
        return (Span("─" * self.size.width, Tone.RULE),)
