"""What lies over a screen and takes all keys until it is left: not a screen of its own, which Textual is slow with."""

from __future__ import annotations

from textual import events
from textual.widget import Widget

from ringfence_tui.spans import Row, Span, Tone
from ringfence_tui.widgets.painted import Painted
from ringfence_tui.widgets.text import cells, cut, fitted, safe


class Overlay(Painted, can_focus=True):
    """A framed box of rows in the middle of the screen."""

    DEFAULT_CSS = """
    Overlay { layer: overlay; width: 60; height: 10; dock: top; }
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title_text = title
        self._before: Widget | None = None

    @property
    def is_modal(self) -> bool:
        """Keys of the screen below do nothing meanwhile."""
        return True

    def content(self) -> tuple[Row, ...]:
        """Return the rows within the frame."""
        return ()

    def last_line(self) -> Row:
        """Return what stands in the frame's last line, nothing for most."""
        return ()

    def wanted_size(self) -> tuple[int, int]:
        """Return the cells and lines of the frame's inside that would hold all."""
        rows = self.content()
        widest = max(map(row_cells, rows), default=0)
        return max(widest, cells(safe(self.title_text)) + 4), len(rows)

    def fit(self) -> None:
        """Have the size that the content wants, in the middle."""
        wanted_width, wanted_height = self.wanted_size()
        width = min(wanted_width + 4, self.app.size.width - 2)
        height = min(wanted_height + 2, self.app.size.height - 2)
        self.styles.width, self.styles.height = width, height
        self.styles.offset = ((self.app.size.width - width) // 2, (self.app.size.height - height) // 2)

    def on_mount(self) -> None:
        """Take the keys."""
        self._before = self.screen.focused
        self.fit()
        self.screen.set_focus(self)
        keys = getattr(self.app, "key_order", None)
        if keys is not None:
            keys.release()

    def on_resize(self, _event: events.Resize) -> None:
        """Have another place."""
        self.fit()

    def leave(self) -> None:
        """Go away, and give the keys back."""
        if self._before is not None and self._before.is_attached:
            self.screen.set_focus(self._before)
        self.remove()

    def row_at(self, y: int) -> Row:
        """Return a line with its frame."""
        width, height = self.size
        inside = width - 4
        if y == 0:
            title = cut(safe(self.title_text), inside - 2)
            return (
                Span("┌ ", Tone.RULE),
                Span(title, Tone.STRONG),
                Span(" " + "─" * (width - cells(title) - 4) + "┐", Tone.RULE),
            )
        if y == height - 1:
            foot = _exactly(said, min(inside, row_cells(said))) if (said := self.last_line()) else ()
            line = "─" * (width - 2 - row_cells(foot) - 3) if foot else "─" * (width - 2)
            return (
                Span("└" + line, Tone.RULE),
                *((Span(" "), *foot, Span(" ─", Tone.RULE)) if foot else ()),
                Span("┘", Tone.RULE),
            )
        rows = self.content()
        row = rows[y - 1] if y <= len(rows) else ()
        return (Span("│ ", Tone.RULE), *_exactly(row, inside), Span(" │", Tone.RULE))


def row_cells(row: Row) -> int:
    """Return how many cells a row takes."""
    return sum(cells(safe(span.text)) for span in row)


def _exactly(row: Row, width: int) -> Row:
    """Return a row in exactly so many cells."""
    found: list[Span] = []
    for span in row:
        text = cut(safe(span.text), width)
        width -= cells(text)
        found.append(Span(text, span.tone))
        if width <= 0:
            break
    return (*found, Span(fitted("", width))) if width > 0 else tuple(found)
