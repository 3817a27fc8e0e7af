"""The one way of confirming: what will happen, in numbers, then the plan's first four digits, or enter."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from textual import events

from ringfence_tui.spans import Row, Span, Tone, row
from ringfence_tui.widgets.folded import folded
from ringfence_tui.widgets.overlay import Overlay, row_cells

DIGITS = 4
BESIDE = 6  # cells: the frame, and what is left of the screen beside it
MOST_FOLDS = 20  # lines of one sentence
AROUND = 6  # lines: the frame, what is left of the screen around it, the line that asks and the one above it


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is asked: a title, what will happen, and the plan whose first four digits have to be typed, if it is one."""

    title: str
    rows: tuple[Row, ...]
    plan: str = ""
    does: str = "do it"


class Dialog(Overlay):
    """Asks once; `answer` has whether it was confirmed."""

    def __init__(self, asked: Confirmation) -> None:
        super().__init__(asked.title)
        self.asked = asked
        self.typed = ""
        self.top = 0
        self.answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    @property
    def wanted(self) -> str:
        """Return the digits that have to be typed."""
        return self.asked.plan[:DIGITS]

    def content(self) -> tuple[Row, ...]:
        """Return what will happen, and how it is confirmed."""
        if not self.wanted:
            foot = row(Span("enter", Tone.KEY), f" {self.asked.does}   ", Span("esc", Tone.KEY), " leave it")
            return (*self._seen(), (), foot)
        blanks = "_" * (len(self.wanted) - len(self.typed))
        foot = row(
            f"type {self.wanted} to {self.asked.does}: ",
            Span(self.typed, Tone.STRONG),
            Span(blanks, Tone.DIM),
            "   ",
            Span("esc", Tone.KEY),
            " leave it",
        )
        return (*self._seen(), (), foot)

    def wanted_size(self) -> tuple[int, int]:
        """Return the size of all that is said, wherever it is scrolled to."""
        width, height = super().wanted_size()
        return max(width, *map(row_cells, self._said()), 0), height

    def last_line(self) -> Row:
        """Return how far what is said is scrolled, where it has no room."""
        said, room = len(self._said()), self._room
        if said <= room:
            return ()
        top = self._first(said)
        return row(Span(f"{top + 1}-{top + room} of {said}  ", Tone.DIM), Span("↓ ↑", Tone.KEY), " read on")

    @property
    def _room(self) -> int:
        """Return how many lines there are for what is said: what is asked stays in sight."""
        return max(1, self.app.size.height - AROUND)

    def _first(self, said: int) -> int:
        self.top = max(0, min(self.top, said - self._room))
        return self.top

    def _seen(self) -> tuple[Row, ...]:
        said = self._said()
        first = self._first(len(said))
        return said[first : first + self._room]

    def _said(self) -> tuple[Row, ...]:
        width = self.app.size.width - BESIDE
        return tuple(line for one in self.asked.rows for line in folded(one, width, MOST_FOLDS, 2))

    def on_key(self, event: events.Key) -> None:
        """Take digits, enter and escape, and nothing else."""
        event.stop()
        event.prevent_default()
        page = max(1, self._room - 1)
        by = {"down": 1, "up": -1, "pagedown": page, "pageup": -page}.get(event.key)
        if by is not None:
            self.top += by
            self.refresh()
        elif event.key == "escape":
            self._end(confirmed=False)
        elif not self.wanted:
            if event.key == "enter":
                self._end(confirmed=True)
        elif event.key == "backspace":
            self.typed = self.typed[:-1]
            self.refresh()
        elif event.character is not None and len(self.typed) < len(self.wanted):
            typed = self.typed + event.character
            if self.wanted.startswith(typed):
                self.typed = typed
                self.refresh()
            if self.typed == self.wanted:
                self._end(confirmed=True)

    def on_unmount(self) -> None:
        """Count as not confirmed."""
        if not self.answer.done():
            self.answer.set_result(False)

    def _end(self, *, confirmed: bool) -> None:
        if not self.answer.done():
            self.answer.set_result(confirmed)
        self.leave()
