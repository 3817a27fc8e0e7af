"""The line below the first one that says where answers may be wrong; it takes no room where nothing is doubtful."""

from __future__ import annotations

from textual import events

from ringfence_tui.spans import Row, Span, Tone, row
from ringfence_tui.widgets.folded import folded
from ringfence_tui.widgets.painted import Painted

MOST_LINES = 3


class Doubt(Painted):
    """Hosts that may not hold what a screen goes by, in as many lines as that takes."""

    DEFAULT_CSS = "Doubt { height: 1; display: none; }"

    def __init__(self) -> None:
        super().__init__()
        self.said = ""
        self._lines: tuple[Row, ...] = ()

    def tell(self, said: str) -> None:
        """Show what is doubtful, or nothing."""
        if said != self.said:
            self.said = said
            self._fold()
            self.refresh()

    def on_resize(self, _event: events.Resize) -> None:
        """Fold anew."""
        self._fold()

    def _fold(self) -> None:
        said = row(Span("! ", Tone.WARN), Span(self.said, Tone.WARN))
        self._lines = folded(said, self.app.size.width - 1, MOST_LINES) if self.said else ()
        self.styles.height = max(1, len(self._lines))
        self.display = bool(self.said)

    def row_at(self, y: int) -> Row:
        """Return the line."""
        return (Span(" "), *self._lines[y]) if y < len(self._lines) else ()
