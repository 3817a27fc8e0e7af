"""The line above the keys: what just happened, or what is wrong; empty most of the time."""

from __future__ import annotations

from textual import events

from ringfence_tui.spans import Row, Span, Tone, row
from ringfence_tui.widgets.folded import folded
from ringfence_tui.widgets.painted import Painted

MOST_LINES = 6


class Notice(Painted):
    """One line between a rule and the keys, or as many as what is wrong needs."""

    DEFAULT_CSS = "Notice { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.shown: Row = ()
        self._whole = False
        self._lines: tuple[Row, ...] = ()

    def show(self, *parts: Span | str, whole: bool = False) -> None:
        """Show spans, or nothing; `whole` takes further lines rather than cut it off."""
        shown = row(*parts)
        if (shown, whole) != (self.shown, self._whole):
            self.shown, self._whole = shown, whole
            self._fold()
            self.refresh()

    def on_resize(self, _event: events.Resize) -> None:
        """Fold anew."""
        self._fold()

    def _fold(self) -> None:
        self._lines = folded(self.shown, self.app.size.width - 1, MOST_LINES if self._whole else 1)
        height = max(1, len(self._lines))
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height

    def row_at(self, y: int) -> Row:
        """Return the line: a rule where nothing is to be said."""
        if not self.shown:
            return (Span("─" * self.size.width, Tone.RULE),)
        return (Span(" "), *self._lines[y]) if y < len(self._lines) else ()
