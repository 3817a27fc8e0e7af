"""What covers a screen while the terminal is too small for it: one sentence in the middle."""

from __future__ import annotations

from ringfence_tui.room import LEAST_COLUMNS, LEAST_LINES
from ringfence_tui.spans import Row, Span
from ringfence_tui.widgets.folded import folded
from ringfence_tui.widgets.painted import Painted
from ringfence_tui.widgets.text import cells


class TooSmall(Painted):
    """Is seen while the terminal has less than 80 columns or 24 lines; the screen below stays as it is."""

    DEFAULT_CSS = "TooSmall { layer: cover; dock: top; width: 100%; height: 100%; display: none; }"

    def row_at(self, y: int) -> Row:
        """Return a line of the sentence, or an empty one."""
        width, height = self.size
        said = (
            f"{LEAST_COLUMNS} columns and {LEAST_LINES} lines are needed, and here are {width} and {height}: "
            "make the terminal larger, or leave with ctrl+q"
        )
        lines = folded((Span(said),), max(1, width - 2), max(1, height))
        place = y - (height - len(lines)) // 2
        if not 0 <= place < len(lines):
            return ()
        line = lines[place]
        return (Span(" " * max(0, (width - sum(cells(span.text) for span in line)) // 2)), *line)
