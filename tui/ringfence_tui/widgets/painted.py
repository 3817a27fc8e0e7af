"""A widget that paints its own lines: it redraws what differs, and joins neighbours of one style."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset, Region
from textual.strip import Strip
from textual.widget import Widget

from ringfence_tui.spans import Row, Span, Tone
from ringfence_tui.theme import Palette, palette
from ringfence_tui.widgets.text import cells, cut, safe


class Painted(Widget):
    """Paints line by line: subclasses have `row_at(y)`, and call `repaint` with the lines that differ."""

    DEFAULT_CSS = """
    Painted { width: 1fr; height: 1fr; background: $background; }
    """

    @property
    def palette(self) -> Palette:
        """Return the styles of the theme."""
        return palette(self.app.theme)

    def row_at(self, y: int) -> Row:
        """Return what stands in a line of this widget."""
        return ()

    def overlay_at(self, y: int) -> Style | None:
        """Return a style that is laid over a whole line, as the cursor's is."""
        return None

    def render_line(self, y: int) -> Strip:
        """Paint a line."""
        return painted(self.row_at(y), self.size.width, self.palette, self.overlay_at(y))

    def repaint(self, lines: Iterable[int]) -> None:
        """Have these lines of the widget painted again."""
        width, height = self.size
        regions = [Region(0, y, width, 1) for y in sorted(set(lines)) if 0 <= y < height]
        if regions:
            self.refresh(*regions)

    def place_cursor(self, x: int, y: int) -> None:
        """Put the terminal's own cursor, which is not seen, where readers and magnifiers are to follow it."""
        if self.has_focus:
            self.app.cursor_position = Offset(x, y) + self.content_region.offset


def painted(row: Row, width: int, styles: Palette, over: Style | None = None) -> Strip:
    """Return a row as a strip of exactly so many cells; the one place where text becomes part of the screen."""
    segments: list[Segment] = []
    left = width
    text, style = "", styles[Tone.PLAIN]
    for span in row:
        if left <= 0:
            break
        piece = cut(safe(span.text), left)
        left -= cells(piece)
        own = styles[span.tone]
        if own is not style and own != style and not (piece.isspace() and not _seen_on_space(own, style)):
            if text:
                segments.append(Segment(text, style if over is None else style + over))
            text, style = piece, own
        else:
            text += piece
    if left > 0:
        if _seen_on_space(style, style):
            segments.append(Segment(text, style if over is None else style + over))
            text, style = "", styles[Tone.PLAIN]
        text += " " * left
    if text:
        segments.append(Segment(text, style if over is None else style + over))
    return Strip(segments, width)


def _seen_on_space(*styles: Style) -> bool:
    """Return whether a space looks different in one of these styles."""
    return any(style.reverse or style.underline or style.bgcolor is not None for style in styles)


def joined(*parts: Span | str | Row) -> Row:
    """Return spans, texts and rows as one row."""
    found: list[Span] = []
    for part in parts:
        if isinstance(part, str):
            found.append(Span(part))
        elif isinstance(part, Span):
            found.append(part)
        else:
            found.extend(part)
    return tuple(found)
