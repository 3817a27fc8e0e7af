"""A matrix of any number of groups: frozen numbers and names, a cursor, and only what differs is painted again."""

from __future__ import annotations

from textual import events
from textual.message import Message

from ringfence_tui.keys import CHOOSE, MOVES, Key, bindings
from ringfence_tui.widgets.matrix_content import MatrixContent, MatrixLayout
from ringfence_tui.widgets.matrix_painting import HEADER, PaintedMatrix

ROWS_A_WHEEL = 3
SIDEWAYS = (
    Key("right,l", "sideways(1)"),
    Key("left,h", "sideways(-1)"),
    Key("shift+right,L", "page_sideways(1)"),
    Key("shift+left,H", "page_sideways(-1)"),
    Key("home", "column(0)"),
    Key("end", "column(1)"),
)
OWN_MOVES = tuple(
    Key(",".join(one for one in key.keys.split(",") if one not in ("home", "end")), key.action) for key in MOVES
)


class Matrix(PaintedMatrix, can_focus=True):
    """Shows a `MatrixContent`; the cursor stands on a cell or, at `HEADER`, on a number or name."""

    BINDINGS = bindings((*OWN_MOVES, *SIDEWAYS, CHOOSE))

    class Moved(Message):
        """The cursor stands elsewhere; `carried` there by another content, not by a person."""

        def __init__(self, matrix: Matrix, row: int, column: int, *, carried: bool = False) -> None:
            super().__init__()
            self.matrix = matrix
            self.carried = carried
            self.row = row
            self.column = column

        @property
        def control(self) -> Matrix:
            """Return the matrix."""
            return self.matrix

    class Chosen(Moved):
        """Enter was pressed where the cursor stands, or it was clicked twice."""

    class Scrolled(Message):
        """Other rows are seen."""

    # What is shown

    def show(self, content: MatrixContent, row: int | None = None, column: int | None = None) -> None:
        """Show another content; cells alone are painted where nothing else differs. The cursor can be moved with it."""
        before, self.content = self.content, content
        if not len(before):
            self.row = self.column = 0
        same = before.names == content.names and before.breaks == content.breaks
        self.axes = MatrixLayout.of(content)
        if same:
            self.repaint_cells(place for place in self.seen_cells() if before.cell(*place) != content.cell(*place))
        else:
            self.measure()
            self.refresh()
        self.go(self.row if row is None else row, self.column if column is None else column, carried=True)

    def go(self, row: int, column: int, *, carried: bool = False) -> None:
        """Put the cursor somewhere, and tell."""
        last = len(self.content) - 1
        row, column = max(HEADER, min(row, last)), max(HEADER, min(column, last))
        if row == column == HEADER:
            row = min(0, last)
        before = (self.row, self.column)
        self.row, self.column = row, column
        axes = self.axes
        first_row = axes.rows.first_showing(max(0, row), self.first_row, self.rows_high)
        first_column = axes.columns.first_showing(max(0, column), self.first_column, self.cells_wide)
        if (first_row, first_column) != (self.first_row, self.first_column):
            self._begin_at(first_row, first_column)
        elif before != (row, column):
            self.repaint_places(*before)
            self.repaint_places(row, column)
        self.follow()
        if before != (row, column):
            self.post_message(self.Moved(self, row, column, carried=carried))

    # Keys and mouse

    def action_move(self, by: int) -> None:
        """Move up or down."""
        self.go(self.row + by, self.column)

    def action_sideways(self, by: int) -> None:
        """Move left or right."""
        self.go(self.row, self.column + by)

    def action_page(self, pages: float) -> None:
        """Move up or down by what is seen."""
        by = int(pages * self.axes.rows.fitting(self.first_row, self.rows_high)) or (1 if pages > 0 else -1)
        self._page(
            self.first_row + by, self.first_column, max(0, min(self.row + by, len(self.content) - 1)), self.column
        )

    def action_page_sideways(self, pages: float) -> None:
        """Move left or right by what is seen."""
        by = int(pages * self.axes.columns.fitting(self.first_column, self.cells_wide)) or 1
        column = max(0, min(self.column + by, len(self.content) - 1))
        self._page(self.first_row, self.first_column + by, self.row, column)

    def action_edge(self, end: int) -> None:
        """Go to the first or last row."""
        self.go(len(self.content) - 1 if end else 0, self.column)

    def action_column(self, end: int) -> None:
        """Go to the first or last column."""
        self.go(self.row, len(self.content) - 1 if end else 0)

    def action_choose(self) -> None:
        """Choose where the cursor stands."""
        if len(self.content):
            self.post_message(self.Chosen(self, self.row, self.column))

    def on_click(self, event: events.Click) -> None:
        """Go where it was clicked; twice is enter."""
        place = self.place_at(event.x, event.y)
        if place is None:
            return
        self.go(*place)
        if event.chain > 1:
            self.action_choose()

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        """Scroll."""
        self._page(self.first_row + ROWS_A_WHEEL, self.first_column, self.row, self.column)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        """Scroll."""
        self._page(self.first_row - ROWS_A_WHEEL, self.first_column, self.row, self.column)

    def on_resize(self, _event: events.Resize) -> None:
        """Have another size."""
        self.measure()
        self.go(self.row, self.column)
        self.refresh()

    def on_focus(self, _event: events.Focus) -> None:
        """Have the terminal's cursor follow."""
        self.follow()

    # What has to be painted again

    def _page(self, first_row: int, first_column: int, row: int, column: int) -> None:
        """Scroll, and take the cursor along as far as it would not be seen."""
        rows, columns = self.axes.rows, self.axes.columns
        first_row = max(0, min(first_row, rows.last_first(self.rows_high)))
        first_column = max(0, min(first_column, columns.last_first(self.cells_wide)))
        if (first_row, first_column) != (self.first_row, self.first_column):
            self._begin_at(first_row, first_column)
        last_row = first_row + rows.fitting(first_row, self.rows_high) - 1
        last_column = first_column + columns.fitting(first_column, self.cells_wide) - 1
        if row != HEADER:
            row = max(first_row, min(row, last_row))
        if column != HEADER:
            column = max(first_column, min(column, last_column))
        self.go(row, column)

    def _begin_at(self, first_row: int, first_column: int) -> None:
        self.first_row, self.first_column = first_row, first_column
        self.refresh()
        self.post_message(self.Scrolled())
