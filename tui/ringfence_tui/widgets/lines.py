"""Rows of spans that scroll, with or without a cursor."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from ringfence.model.counts import counted
from textual import events

from ringfence_tui.keys import CHOOSE, bindings
from ringfence_tui.spans import Row, Span, Tone
from ringfence_tui.widgets.folded import folded, folded_rows
from ringfence_tui.widgets.listing import Listing
from ringfence_tui.widgets.text import MORE, cells

GOES_ON = Span(f" {MORE}", Tone.DIM)


class Lines(Listing):
    """Shows rows; with `selectable` they have a cursor, `Moved` and `Chosen`.

    Without a cursor, and with `tells_rest`, the last line counts the rows that have no room below it.
    """

    BINDINGS = bindings((CHOOSE,))

    def __init__(
        self,
        *,
        selectable: bool = False,
        folds: int = 1,
        tells_rest: bool = False,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(selectable=selectable, id=id, classes=classes)
        self.rows: Sequence[Row] = ()
        self._folds = folds
        self._tells_rest = tells_rest or not selectable
        self._whole: Sequence[Row] = ()
        self._unended: frozenset[int] = frozenset()

    def show(self, rows: Sequence[Row], names: Sequence[object] = ()) -> None:
        """Show other rows; what stands where it stood is not painted again.

        With `names`, what each row is, the cursor stays at the same, wherever that is now.
        """
        followed = self.followed(names)
        last = self.size.height - 1
        ended = self.row_at(last)
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
        if self.row_at(last) != ended:
            self.repaint((last,))

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
        if y < self.size.height - 1:
            return found
        rest = self.window.count - index - 1 if self._tells_rest else 0
        if not rest and index not in self._unended:
            return found
        sign = Span(f" {MORE} {counted(rest, 'more line')}", Tone.DIM) if rest else GOES_ON
        return (*folded(found, self.size.width - cells(sign.text), most=2)[0], sign)

    def overlay_at(self, y: int) -> Style | None:
        """Return the cursor's style."""
        if not self.selectable or self.index_at(y) != self.window.cursor:
            return None
        return self.palette.cursor if self.has_focus else self.palette.quiet_cursor


def _at(rows: Sequence[Row], index: int) -> Row | None:
    return rows[index] if index < len(rows) else None
