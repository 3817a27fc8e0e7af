"""What lists and tables share: a window that keys and mouse move, and lines that are repainted as it moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual import events
from textual.message import Message

from ringfence_tui.keys import MOVES, bindings
from ringfence_tui.widgets.painted import Painted
from ringfence_tui.widgets.scrolled import Window


class Listing(Painted, can_focus=True):
    """Items below `HEAD` lines, with a cursor where `selectable`; one line an item."""

    BINDINGS = bindings(MOVES)
    HEAD = 0

    class Moved(Message):
        """The cursor stands at another item."""

        def __init__(self, listing: Listing, index: int) -> None:
            super().__init__()
            self.listing = listing
            self.index = index

        @property
        def control(self) -> Listing:
            """Return the list, for `@on(Listing.Moved, "#id")`."""
            return self.listing

    class Chosen(Moved):
        """Enter was pressed at an item, or it was clicked twice."""

    class Marked(Moved):
        """Space was pressed at an item."""

    def __init__(self, *, selectable: bool = True, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.selectable = selectable
        self.window = Window()
        self._names: Sequence[object] = ()

    @property
    def cursor(self) -> int:
        """Return the item at which the cursor stands."""
        return self.window.cursor

    def move_to(self, index: int) -> None:
        """Put the cursor at an item, and tell."""
        self._take(self.window.at(index))

    def y_of(self, index: int) -> int:
        """Return the line of an item."""
        return self.HEAD + index - self.window.top

    def index_at(self, y: int) -> int | None:
        """Return the item of a line, None where there is none."""
        index = self.window.top + y - self.HEAD
        return index if y >= self.HEAD and index < self.window.count else None

    def repaint_items(self, indices: Any) -> None:
        """Have items painted again, as far as they are seen."""
        self.repaint(y for index in indices if (y := self.y_of(index)) >= self.HEAD)

    def recount(self, count: int) -> None:
        """Have so many items from now on."""
        self.window = self.window.resized(count, self.size.height - self.HEAD)
        self._follow()

    def followed(self, names: Sequence[object]) -> int | None:
        """Take what items are called from now on; return where the one at the cursor is now, None where it is gone."""
        before, self._names, at = self._names, names, self.window.cursor
        if before is names or at >= len(before) or (at < len(names) and names[at] == before[at]):
            return None
        return next((place for place, name in enumerate(names) if name == before[at]), None)

    def _take(self, window: Window) -> None:
        before, self.window = self.window, window
        if window.top != before.top:
            self.refresh()
        elif window.cursor != before.cursor:
            self.repaint_items({before.cursor, window.cursor})
        self._follow()
        if window.cursor != before.cursor and self.selectable:
            self.post_message(self.Moved(self, window.cursor))

    def _follow(self) -> None:
        if self.selectable:
            self.place_cursor(0, self.y_of(self.window.cursor))

    def action_move(self, by: int) -> None:
        """Move the cursor, or the window where there is none."""
        self._take(self.window.moved(by) if self.selectable else self.window.scrolled(by))

    def action_page(self, pages: float) -> None:
        """Move by pages."""
        self._take(self.window.paged(pages))

    def action_edge(self, end: int) -> None:
        """Go to the first or the last item."""
        last = self.window.count - 1 if end else 0
        self._take(self.window.at(last) if self.selectable else self.window.scrolled(last - self.window.top))

    def action_choose(self) -> None:
        """Choose the item at the cursor."""
        if self.window.count and self.selectable:
            self.post_message(self.Chosen(self, self.window.cursor))

    def action_mark(self) -> None:
        """Mark the item at the cursor, and go on to the next."""
        if self.window.count and self.selectable:
            self.post_message(self.Marked(self, self.window.cursor))
            self.action_move(1)

    def on_resize(self, _event: events.Resize) -> None:
        """Have another height."""
        self.recount(self.window.count)

    def on_focus(self, _event: events.Focus) -> None:
        """Show the cursor as the one that keys move."""
        self.repaint_items({self.window.cursor})
        self._follow()

    def on_blur(self, _event: events.Blur) -> None:
        """Show the cursor as one that keys do not move."""
        self.repaint_items({self.window.cursor})

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll."""
        event.stop()
        self._take(self.window.scrolled(3))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll."""
        event.stop()
        self._take(self.window.scrolled(-3))

    def on_click(self, event: events.Click) -> None:
        """Go to an item; twice chooses it."""
        index = self.index_at(event.y)
        if index is None:
            return
        self._take(self.window.at(index))
        if event.chain == 2:
            self.action_choose()
