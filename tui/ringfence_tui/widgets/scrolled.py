"""A cursor and a window over any number of items: what lists, tables and matrices move."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """`count` items, of which `height` are seen from `top`; the cursor stands at one of them (0 of none)."""

    count: int = 0
    height: int = 1
    top: int = 0
    cursor: int = 0

    def moved(self, by: int) -> Window:
        """Return the window with the cursor so many items further."""
        return self.at(self.cursor + by)

    def at(self, cursor: int) -> Window:
        """Return the window with the cursor at an item, seen: it scrolls by half, so most keys redraw two lines."""
        cursor = max(0, min(cursor, self.count - 1))
        top = self.top
        if cursor < top:
            top = cursor - self.height // 2 if top - cursor <= self.height // 2 else cursor
        elif cursor >= top + self.height:
            far = cursor - (top + self.height) >= self.height // 2
            top = cursor - self.height + 1 if far else cursor - self.height // 2
        return self._clamped(top, cursor)

    def scrolled(self, by: int) -> Window:
        """Return the window scrolled by so many items; the cursor stays in sight."""
        top = max(0, min(self.top + by, self.count - self.height))
        return self._clamped(top, max(top, min(self.cursor, top + self.height - 1)))

    def paged(self, pages: float) -> Window:
        """Return the window so many pages further."""
        by = int(pages * max(1, self.height - 1))
        scrolled = self.scrolled(by)
        if scrolled.top == self.top:
            return self.at(self.count - 1 if by > 0 else 0)
        return scrolled._clamped(scrolled.top, self.cursor + scrolled.top - self.top)

    def resized(self, count: int, height: int) -> Window:
        """Return the window of another size, or over other items; the cursor keeps its place where it can."""
        made = Window(count, max(1, height), self.top, max(0, min(self.cursor, count - 1)))
        return made.at(made.cursor)

    def _clamped(self, top: int, cursor: int) -> Window:
        top = max(0, min(top, self.count - self.height))
        return Window(self.count, self.height, top, max(0, min(cursor, self.count - 1)))
