"""Asking for a password: what is typed or pasted is never shown, not even how long it is."""

from __future__ import annotations

import asyncio

from textual import events

from ringfence_tui.spans import Row, Span, Tone, row
from ringfence_tui.widgets.overlay import Overlay

LONGEST = 1000  # letters; all of a password has to go into a pipe at once


class Secret(Overlay):
    """Asks once; `answer` has what was typed, empty for nothing, None where it was left."""

    def __init__(self, title: str, rows: tuple[Row, ...]) -> None:
        super().__init__(title)
        self.rows = rows
        self.answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._typed = ""

    def content(self) -> tuple[Row, ...]:
        """Return what is asked, and whether something was typed."""
        typed = Span("something was typed", Tone.STRONG) if self._typed else Span("nothing was typed yet", Tone.DIM)
        foot = row(Span("enter", Tone.KEY), " take it   ", Span("esc", Tone.KEY), " leave it")
        return (*self.rows, (), row(typed), (), foot)

    def on_key(self, event: events.Key) -> None:
        """Take letters, enter and escape, and nothing else."""
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self._end(None)
        elif event.key == "enter":
            self._end(self._typed)
        elif event.key == "backspace":
            self._take(self._typed[:-1])
        elif event.key == "ctrl+u":
            self._take("")
        elif event.is_printable and event.character is not None:
            self._take(self._typed + event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line of what is pasted."""
        event.stop()
        event.prevent_default()
        self._take(self._typed + (event.text.splitlines() or [""])[0])

    def on_unmount(self) -> None:
        """Count as left."""
        if not self.answer.done():
            self.answer.set_result(None)

    def _take(self, typed: str) -> None:
        self._typed = typed[:LONGEST]
        self.refresh()

    def _end(self, answer: str | None) -> None:
        self._typed = ""
        if not self.answer.done():
            self.answer.set_result(answer)
        self.leave()
