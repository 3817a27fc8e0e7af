"""How a matrix is painted: frozen numbers and names, cells, lines between blocks, and only what differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from ringfence_tui.spans import OF_SIGN, Tone
from ringfence_tui.widgets.matrix_content import CELL_WIDTH, EMPTY_CELL, NUMBERS_UNTIL, MatrixContent, MatrixLayout
from ringfence_tui.widgets.matrix_names import Names
from ringfence_tui.widgets.painted import Painted
from ringfence_tui.widgets.text import cells, cut

HEADER = -1  # the row or column of numbers and names
Piece = tuple[str, Style]
_UNDERLINE = Style(underline=True)


class PaintedMatrix(Painted):
    """Paints a `MatrixContent` from a first row and column on; `row` and `column` are where the cursor stands."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.content = MatrixContent()
        self.axes = MatrixLayout.of(self.content)
        self.names = Names((), 0)
        self.row = 0
        self.column = 0
        self.first_row = 0
        self.first_column = 0

    @property
    def rows_high(self) -> int:
        """Return how many lines there are for rows."""
        return max(1, self.size.height - self.axes.header)

    @property
    def cells_wide(self) -> int:
        """Return how many terminal columns there are for cells."""
        return max(CELL_WIDTH, self.size.width - self.names.width)

    @property
    def seen_rows(self) -> tuple[int, int] | None:
        """Return the first and last row that are seen, from 1; None where all are."""
        fitting = self.axes.rows.fitting(self.first_row, self.rows_high)
        if fitting >= len(self.content):
            return None
        return self.first_row + 1, self.first_row + fitting

    def seen_cells(self) -> Iterator[tuple[int, int]]:
        """Yield the rows and columns of the cells that are seen."""
        first = self.first_row
        for row in range(first, first + self.axes.rows.fitting(first, self.rows_high)):
            for column in self._columns():
                yield row, column

    def place_at(self, x: int, y: int) -> tuple[int, int] | None:
        """Return the row and column of a place of this widget, None where there is neither."""
        rows, columns = self.axes.rows, self.axes.columns
        line = y - self.axes.header
        row = HEADER if line < 0 else rows.at(rows.place_of(self.first_row) + line)
        offset = x - self.names.width
        column = HEADER if offset < 0 else columns.at(columns.place_of(self.first_column) + offset)
        return None if row is None or column is None or row == column == HEADER else (row, column)

    def render_line(self, y: int) -> Strip:
        """Paint a line."""
        pieces = list(self._pieces(y))
        segments: list[Segment] = []
        left = self.size.width
        for text, style in pieces:
            piece = cut(text, left) if left < cells(text) else text
            left -= cells(piece)
            if segments and segments[-1].style == style:
                segments[-1] = Segment(segments[-1].text + piece, style)
            elif piece:
                segments.append(Segment(piece, style))
        if left > 0:
            plain = self.palette[Tone.PLAIN]
            segments.append(Segment(" " * left, plain))
        return Strip(segments, self.size.width)

    def _pieces(self, y: int) -> Iterator[Piece]:
        header, rows = self.axes.header, self.axes.rows
        if not len(self.content):
            return
        if y < header:
            yield from self._header(y)
            return
        line = rows.place_of(self.first_row) + y - header
        row = rows.at(line)
        styles = self.palette
        if row is None:
            if line < rows.length:
                yield " " + "─" * (self.names.width - 1), styles[Tone.RULE]
                for column in self._columns():
                    broken = column in self.content.breaks and column != self.first_column
                    yield "┼" * broken + "─" * CELL_WIDTH, styles[Tone.RULE]
            return
        chosen = row == self.row
        number, name = self.names.of_row(row)
        yield number, styles[Tone.CHOSEN if chosen else Tone.DIM]
        yield name, styles[Tone.CHOSEN if chosen and self.column == HEADER else Tone.STRONG if chosen else Tone.PLAIN]
        dots, dim = "", styles[Tone.DIM]
        for column in self._columns():
            if column in self.content.breaks and column != self.first_column:
                dots += "│"
            cell = self.content.cell(row, column)
            at_cursor = chosen and column == self.column
            if cell == EMPTY_CELL and not at_cursor:
                dots += cell.text
                continue
            if dots:
                yield dots, dim
                dots = ""
            style = styles[Tone.CHOSEN] if at_cursor else styles[OF_SIGN[cell.sign]]
            mixed = style + _UNDERLINE if cell.mixed else style
            yield cell.text[:2], mixed
            yield cell.text[2], style if at_cursor else styles[Tone.STRONG] if cell.changed else dim
        if dots:
            yield dots, dim

    def _header(self, y: int) -> Iterator[Piece]:
        styles = self.palette
        hundreds = y == 0 and self.axes.header > 1
        yield " " * self.names.width, styles[Tone.DIM]
        for column in self._columns():
            if column in self.content.breaks and column != self.first_column:
                yield "│", styles[Tone.RULE]
            number = column + 1
            text = f"{number:>2}" if number < NUMBERS_UNTIL else f"{number % 100:02}"
            if hundreds:
                said = number >= NUMBERS_UNTIL and (number % 100 == 0 or column == self.first_column)
                text = f"{number // 100:>2}" if said else "  "
            chosen = column == self.column and not hundreds
            yield text, styles[Tone.CHOSEN if chosen else Tone.DIM]
            yield " ", styles[Tone.DIM]

    def _columns(self) -> range:
        fitting = self.axes.columns.fitting(self.first_column, self.cells_wide)
        return range(self.first_column, self.first_column + fitting)

    def measure(self) -> None:
        """Give the names the room that there is."""
        self.names = Names.of(self.content.names, self.size.width, self.axes.columns.length)

    def _x_of(self, column: int) -> int:
        if column == HEADER:
            return 0
        columns = self.axes.columns
        return self.names.width + columns.place_of(column) - columns.place_of(self.first_column)

    def _y_of(self, row: int) -> int:
        if row == HEADER:
            return self.axes.header - 1
        rows = self.axes.rows
        return self.axes.header + rows.place_of(row) - rows.place_of(self.first_row)

    def repaint_places(self, row: int, column: int) -> None:
        """Have a cell, the name of its row and the number of its column painted again."""
        regions = []
        if row != HEADER:
            regions.append(Region(0, self._y_of(row), self.names.width, 1))
        if column != HEADER:
            regions.append(Region(self._x_of(column), self.axes.header - 1, 2, 1))
        if HEADER not in (row, column):
            regions.append(Region(self._x_of(column), self._y_of(row), CELL_WIDTH, 1))
        self._refresh(regions)

    def repaint_cells(self, places: Iterable[tuple[int, int]]) -> None:
        """Have some cells painted again, as far as they are seen."""
        self._refresh([Region(self._x_of(column), self._y_of(row), CELL_WIDTH, 1) for row, column in places])

    def _refresh(self, regions: list[Region]) -> None:
        inside = Region(0, 0, *self.size)
        seen = [one for one in regions if one.overlaps(inside)]
        if seen:
            self.refresh(*seen)

    def follow(self) -> None:
        """Put the terminal's own cursor where ours stands."""
        self.place_cursor(self._x_of(self.column), self._y_of(self.row))
