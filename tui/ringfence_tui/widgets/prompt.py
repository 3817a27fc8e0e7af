"""Asking for one line over a screen; tab completes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from textual import events

from ringfence_tui.spans import Row, Span, Tone, row
from ringfence_tui.widgets.overlay import Overlay
from ringfence_tui.widgets.text import safe

LONGEST = 300
WIDTH = 48
OFFERS = 6


class Prompt(Overlay):
    """Asks once; `answer` has the line, None where it was left. `complete(text)` are whole lines to go on with."""

    def __init__(
        self,
        title: str,
        rows: tuple[Row, ...] = (),
        value: str = "",
        complete: Callable[[str], Sequence[str]] = lambda _text: (),
        does: str = "go on",
    ) -> None:
        super().__init__(title)
        self.rows = rows
        self.value = value
        self.complete = complete
        self.does = does
        self.answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    def content(self) -> tuple[Row, ...]:
        """Return what is asked, the line, and what it could go on with."""
        offers = [offer for offer in self.complete(self.value) if offer != self.value][:OFFERS]
        typed = row(Span("> ", Tone.KEY), Span(self.value[-WIDTH:], Tone.STRONG), Span("_", Tone.DIM))
        said = "tab  " + "  ".join(offers) if offers else ""
        foot = row(Span("enter", Tone.KEY), f" {self.does}   ", Span("esc", Tone.KEY), " leave it")
        return (*self.rows, typed, row(Span(f"{said:<{WIDTH}}", Tone.DIM)), foot)

    def on_key(self, event: events.Key) -> None:
        """Edit the line."""
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self._end(None)
        elif event.key == "enter":
            self._end(self.value)
        elif event.key == "backspace":
            self._take(self.value[:-1])
        elif event.key == "ctrl+u":
            self._take("")
        elif event.key == "tab":
            offers = [offer for offer in self.complete(self.value) if offer != self.value]
            self._take(offers[0] if offers else self.value)
        elif event.is_printable and event.character is not None:
            self._take(self.value + event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line of what is pasted, made harmless."""
        event.stop()
        event.prevent_default()
        self._take(self.value + safe((event.text.splitlines() or [""])[0]))

    def on_unmount(self) -> None:
        """Count as left."""
        if not self.answer.done():
            self.answer.set_result(None)

    def _take(self, value: str) -> None:
        self.value = value[:LONGEST]
        self.fit()
        self.refresh()

    def _end(self, answer: str | None) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)
        self.leave()
