"""What asks over a screen for one line: keys and pastes edit it, enter takes it, escape leaves."""

from __future__ import annotations

import asyncio

from textual import events

from ringfence_tui.spans import Row
from ringfence_tui.widgets.overlay import Overlay
from ringfence_tui.widgets.text import LINE_ENDS


class LineQuestion(Overlay):
    """Asks once; `answer` has the line, None where it was left."""

    LONGEST = 300  # characters
    takes_text = True

    def __init__(self, title: str, rows: tuple[Row, ...], value: str = "") -> None:
        super().__init__(title)
        self.rows = rows
        self.value = value
        self.answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

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
            self._take(self.completed())
        elif event.is_printable and event.character is not None:
            self._take(self.value + event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line of what is pasted."""
        event.stop()
        event.prevent_default()
        self._take(self.value + self.pasted(LINE_ENDS.split(event.text)[0]))

    def on_unmount(self) -> None:
        """Count as left."""
        if not self.answer.done():
            self.answer.set_result(None)

    def completed(self) -> str:
        """Return what tab makes of the line."""
        return self.value

    def pasted(self, line: str) -> str:
        """Return what is taken of a line that was pasted."""
        return line

    def _take(self, value: str) -> None:
        self.value = value[: self.LONGEST]
        self.refresh()

    def _end(self, answer: str | None) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)
        self.leave()
