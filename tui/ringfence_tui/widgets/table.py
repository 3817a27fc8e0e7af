"""A table of any number of rows: only those that are seen are asked for and painted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.style import Style
from textual.strip import Strip

from ringfence_tui.keys import CHOOSE, MARK, bindings
from ringfence_tui.spans import Row, Span, Tone
from ringfence_tui.widgets.listing import Listing
from ringfence_tui.widgets.painted import painted
from ringfence_tui.widgets.text import fitted, safe

GAP = 1
CURSOR, MARKED, BOTH = ">", "*", "»"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: at least `width` cells, and a share `grow` of what is left over.

    Where there is too little room, columns of the highest `rank` are left out first; those of rank 0 stay.
    """

    title: str
    width: int
    grow: int = 0
    right: bool = False
    rank: int = 0


Cells = Sequence[Span | str]


class Table(Listing):
    """Rows of cells below a line of titles.

    `show(count, cells)` shows so many rows, of which `cells(index)` returns one cell a column; it is called for the
    rows that are seen, each time they are painted, so it has to be quick. `is_marked(index)` says which are marked.
    """

    HEAD = 1
    BINDINGS = bindings((CHOOSE, MARK))

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        is_marked: Callable[[int], bool] | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self.is_marked = is_marked
        self._cells: Callable[[int], Cells] = lambda _index: ()
        self._widths: tuple[int, tuple[int, ...]] = (-1, ())
        self._painted: dict[int, Row] = {}  # by the line

    def show(
        self,
        count: int,
        cells: Callable[[int], Cells],
        *,
        cursor: int | None = None,
        names: Sequence[object] = (),
    ) -> None:
        """Show so many rows; the cursor stays where it is, or goes to a row. Tells `Moved` where it is at another.

        With `names`, what each row is, it stays at the same, wherever that is now.
        """
        followed = self.followed(names)
        cursor = followed if cursor is None else cursor
        self._cells = cells
        before, top, rows = self.window.cursor, self.window.top, max(self.window.count, count)
        self.recount(count)
        if cursor is not None and cursor != self.window.cursor:
            self.window = self.window.at(cursor)
            self._follow()
        if self.window.cursor != before:
            self.post_message(self.Moved(self, self.window.cursor))
        if self.window.top != top:
            self.refresh()
        else:  # below the last row nothing stood, and nothing stands
            lines = range(min(self.HEAD + rows - top, self.size.height))
            self.repaint(y for y in lines if self._painted.get(y) != self.row_at(y))

    def render_line(self, y: int) -> Strip:
        """Paint a line, and remember what stands there: the same is not painted a second time."""
        self._painted[y] = self.row_at(y)
        return painted(self._painted[y], self.size.width, self.palette, self.overlay_at(y))

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Have other columns; the next `show` has cells for them."""
        if tuple(columns) != self.columns:
            self.columns = tuple(columns)
            self._widths = (-1, ())
            self.refresh()

    def widths(self) -> tuple[int, ...]:
        """Return the cells of each column, 0 for one that is left out."""
        width = self.size.width
        if self._widths[0] != width:
            self._widths = (width, widths(self.columns, width - 1))
        return self._widths[1]

    def row_at(self, y: int) -> Row:
        """Return the titles, or the row of a line."""
        if y == 0:
            return self._laid_out([Span(column.title, Tone.TITLE) for column in self.columns], " ")
        index = self.index_at(y)
        if index is None:
            return ()
        marked = self.is_marked is not None and self.is_marked(index)
        at_cursor = index == self.window.cursor
        sign = (BOTH if marked else CURSOR) if at_cursor else MARKED if marked else " "
        return self._laid_out(self._cells(index), sign, marked=marked)

    def overlay_at(self, y: int) -> Style | None:
        """Return the cursor's style."""
        if y < self.HEAD or self.index_at(y) != self.window.cursor or not self.window.count:
            return None
        return self.palette.cursor if self.has_focus else self.palette.quiet_cursor

    def _laid_out(self, row: Cells, sign: str, *, marked: bool = False) -> Row:
        spans = [Span(sign, Tone.MARKED if marked else Tone.PLAIN)]
        for column, width, cell in zip(self.columns, self.widths(), row, strict=False):
            if width:
                text, tone = (cell.text, cell.tone) if isinstance(cell, Span) else (cell, Tone.PLAIN)
                tone = Tone.MARKED if marked and tone is Tone.PLAIN else tone
                spans.append(Span(fitted(safe(text), width, right=column.right), tone))
                spans.append(Span(" " * GAP, tone))
        return tuple(spans)


def widths(columns: Sequence[Column], width: int) -> tuple[int, ...]:
    """Return the cells of each column in a table of so many, 0 for one that is left out."""
    shown = list(range(len(columns)))

    def needed() -> int:
        return sum(columns[index].width + GAP for index in shown)

    while needed() > width and any(columns[index].rank for index in shown):
        shown.remove(max(shown, key=lambda index: (columns[index].rank, index)))
    left = max(0, width - needed())
    shares = sum(columns[index].grow for index in shown)
    found = [0] * len(columns)
    for index in shown:
        found[index] = columns[index].width + (left * columns[index].grow // shares if shares else 0)
    return tuple(found)
