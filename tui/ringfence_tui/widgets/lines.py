"""Rows of spans that scroll, with or without a cursor."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual import events

from ringfence_tui.keys import CHOOSE, bindings
from ringfence_tui.spans import Row, Span, Tone
from ringfence_tui.widgets.folded import folded, folded_rows
from ringfence_tui.widgets.listing import Listing

GOES_ON = Span(" …", Tone.DIM)
GOES_ON_WIDTH = 2


class Lines(Listing):
    """Shows rows; with `selectable` they have a cursor, `Moved` and `Chosen`."""

    BINDINGS = bindings((CHOOSE,))

    def __init__(
        self,
        *,
        selectable: bool = False,
        folds: int = 1,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(selectable=selectable, id=id, classes=classes)
        self.rows: Sequence[Row] = ()
        self._folds = folds
        self._whole: Sequence[Row] = ()
        self._unended: frozenset[int] = frozenset()

    def show(self, rows: Sequence[Row], names: Sequence[object] = ()) -> None:
        """Show other rows; what stands where it stood is not painted again.

        With `names`, what each row is, the cursor stays at the same, wherever that is now.
        """
        followed = self.followed(names)
        before, self.rows = self.rows, rows
        top, at = self.window.top, self.window.cursor
        self.recount(len(rows))
        if followed is not None:
            self.window = self.window.at(followed)
            self._follow()
            self.repaint_items({at, followed})
        if self.window.top != top:
            self.refresh()
            return
        longest = max(len(before), len(rows))
        seen = range(top, min(longest, top + self.size.height))
        self.repaint_items([index for index in seen if _at(before, index) != _at(rows, index)])

    def show_whole(self, rows: Sequence[Row]) -> None:
        """Show rows, each in as many lines as it needs and `folds` allows; only without a cursor at one of them.

        A sign at the pane's last line says that its row goes on below.
        """
        self._whole = rows
        width = self.size.width
        lines: list[Row] = []
        unended: set[int] = set()
        for one in rows:
            parts = folded_rows((one,), width, self._folds) if width else (one,)
            unended.update(range(len(lines), len(lines) + len(parts) - 1))
            lines += parts
        last = self.size.height - 1
        before, self._unended = self.row_at(last), frozenset(unended)
        self.show(lines)
        if self.row_at(last) != before:
            self.repaint((last,))

    def on_resize(self, _event: events.Resize) -> None:
        """Fold anew."""
        if self._whole:
            self.show_whole(self._whole)

    def row_at(self, y: int) -> Row:
        """Return the row of a line."""
        index = self.index_at(y)
        if index is None:
            return ()
        found = _at(self.rows, index) or ()
        if y < self.size.height - 1 or index not in self._unended:
            return found
        return (*folded(found, self.size.width - GOES_ON_WIDTH, most=2)[0], GOES_ON)

    def overlay_at(self, y: int) -> Style | None:
        """Return the cursor's style."""
        if not self.selectable or self.index_at(y) != self.window.cursor:
            return None
        return self.palette.cursor if self.has_focus else self.palette.quiet_cursor


def _at(rows: Sequence[Row], index: int) -> Row | None:
    return rows[index] if index < len(rows) else None
