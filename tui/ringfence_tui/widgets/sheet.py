"""Rows over a screen that are read and put away: help, a command."""

from __future__ import annotations

from textual import events

from ringfence_tui.spans import Row
from ringfence_tui.widgets.overlay import Overlay

LEAVE = {"escape", "enter", "q", "question_mark", "f1", "y"}


class Sheet(Overlay):
    """Shows rows, which scroll where they are too many."""

    def __init__(self, title: str, rows: tuple[Row, ...]) -> None:
        super().__init__(title)
        self.rows = rows
        self.top = 0

    def content(self) -> tuple[Row, ...]:
        """Return the rows from where it is scrolled to."""
        return self.rows[self.top :]

    def wanted_size(self) -> tuple[int, int]:
        """Return the size of all rows, wherever it is scrolled to."""
        top, self.top = self.top, 0
        wanted = super().wanted_size()
        self.top = top
        return wanted

    def on_key(self, event: events.Key) -> None:
        """Scroll, or go away."""
        event.stop()
        event.prevent_default()
        page = max(1, self.size.height - 3)
        by = {"down": 1, "j": 1, "up": -1, "k": -1, "pagedown": page, "space": page, "pageup": -page}
        if event.key in LEAVE:
            self.leave()
        elif event.key in by:
            most = max(0, len(self.rows) - (self.size.height - 2))
            self.top = max(0, min(self.top + by[event.key], most))
            self.refresh()
