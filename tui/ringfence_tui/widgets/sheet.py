"""Rows over a screen that are read and put away: help, a command."""

from __future__ import annotations

from textual import events

from ringfence_tui.spans import Row, Span, Tone, row
from ringfence_tui.widgets.overlay import Overlay

LEAVE = {"escape", "enter", "q", "question_mark", "f1", "y"}
LONGEST = 40  # characters of what is looked for


class Sheet(Overlay):
    """Shows rows, which scroll where they are too many; `/` leaves those that have the words which are typed."""

    def __init__(self, title: str, rows: tuple[Row, ...]) -> None:
        super().__init__(title)
        self.rows = rows
        self.top = 0
        self.typed = ""
        self.finding = False

    @property
    def takes_text(self) -> bool:
        """Return whether letters are those that are looked for."""
        return self.finding

    @property
    def found(self) -> tuple[Row, ...]:
        """Return the rows that have all the words which are looked for."""
        words = self.typed.casefold().split()
        if not words:
            return self.rows
        return tuple(one for one in self.rows if all(word in _text(one) for word in words))

    def content(self) -> tuple[Row, ...]:
        """Return the rows from where it is scrolled to."""
        return self.found[self.top :]

    def wanted_size(self) -> tuple[int, int]:
        """Return the size of all rows, wherever it is scrolled to and whatever is looked for."""
        kept, self.top, self.typed = (self.top, self.typed), 0, ""
        wanted = super().wanted_size()
        self.top, self.typed = kept
        return wanted

    def last_line(self) -> Row:
        """Return what is looked for, and how far it is scrolled."""
        found, page = self.found, self.size.height - 2
        if self.finding or self.typed:
            typed = (Span("/", Tone.KEY), Span(self.typed, Tone.STRONG), Span("_" if self.finding else "", Tone.DIM))
            return (*typed, Span(f"  {len(found)} of {len(self.rows)}", Tone.DIM))
        if len(found) <= page:
            return ()
        last = min(len(found), self.top + page)
        return row(Span(f"{self.top + 1}-{last} of {len(found)}  ", Tone.DIM), Span("/", Tone.KEY), " find")

    def on_key(self, event: events.Key) -> None:
        """Scroll, find, or go away."""
        event.stop()
        event.prevent_default()
        page = max(1, self.size.height - 3)
        by = {"down": 1, "up": -1, "pagedown": page, "pageup": -page, "home": -len(self.rows), "end": len(self.rows)}
        letters = {"j": 1, "k": -1, "space": page, "g": -len(self.rows), "G": len(self.rows)}
        letters |= {"ctrl+f": page, "ctrl+b": -page, "ctrl+d": page // 2, "ctrl+u": -(page // 2)}
        if event.key in by:
            self._scroll(by[event.key])
        elif self.finding:
            self._edit(event)
        elif event.key == "escape" and self.typed:
            self._find("")
        elif event.key in LEAVE:
            self.leave()
        elif event.key in letters:
            self._scroll(letters[event.key])
        elif event.key == "slash":
            self.finding = True
            self._find("")

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll."""
        event.stop()
        self._scroll(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll."""
        event.stop()
        self._scroll(-3)

    def _edit(self, event: events.Key) -> None:
        if event.key in {"escape", "enter"}:
            self.finding = False
            self._find("" if event.key == "escape" else self.typed)
        elif event.key == "backspace":
            self._find(self.typed[:-1])
        elif event.key == "ctrl+u":
            self._find("")
        elif event.is_printable and event.character is not None:
            self._find((self.typed + event.character)[:LONGEST])

    def _find(self, typed: str) -> None:
        self.typed, self.top = typed, 0
        self.refresh()

    def _scroll(self, by: int) -> None:
        most = max(0, len(self.found) - (self.size.height - 2))
        self.top = max(0, min(self.top + by, most))
        self.refresh()


def _text(one: Row) -> str:
    return "".join(span.text for span in one).casefold()
