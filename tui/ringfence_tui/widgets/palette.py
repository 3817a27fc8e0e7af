"""The palette: any action by its words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from textual import events

from ringfence_tui.actions import Action, found
from ringfence_tui.key_layouts import latin
from ringfence_tui.spans import Row, Span, Tone, row
from ringfence_tui.widgets.overlay import Overlay
from ringfence_tui.widgets.text import fitted

WIDTH = 66
SHOWN = 12


class Palette(Overlay):
    """Finds an action; `answer` has the one that was chosen, None where it was left."""

    takes_text = True

    def __init__(self, every: Sequence[Action]) -> None:
        super().__init__("What do you want to do?")
        self.every = tuple(every)
        self.typed = ""
        self.cursor = 0
        self.answer: asyncio.Future[Action | None] = asyncio.get_running_loop().create_future()

    @property
    def hits(self) -> tuple[Action, ...]:
        """Return what is found."""
        return found(self.every, self.typed) or found(self.every, "".join(map(latin, self.typed)))

    def content(self) -> tuple[Row, ...]:
        """Return the line that is typed, and what is found."""
        hits = self.hits
        top = max(0, min(self.cursor - SHOWN // 2, len(hits) - SHOWN))
        listed = [
            row(
                Span("> " if place == self.cursor else "  ", Tone.KEY),
                Span(fitted(action.text, WIDTH - 16), Tone.STRONG if place == self.cursor else Tone.PLAIN),
                Span(f"{action.key:>14}", Tone.KEY),
            )
            for place, action in list(enumerate(hits))[top : top + SHOWN]
        ]
        listed += [()] * (SHOWN - len(listed))
        typed = row(Span(": ", Tone.KEY), Span(self.typed, Tone.STRONG), Span("_", Tone.DIM))
        more = f"{len(hits)} of {len(self.every)}" if self.typed else f"{len(self.every)} actions"
        return (typed, (), *listed, (), row(Span(f"{more}   enter does it   esc leaves", Tone.DIM)))

    def on_key(self, event: events.Key) -> None:
        """Edit, move, choose."""
        event.stop()
        event.prevent_default()
        match event.key:
            case "escape":
                self._end(None)
            case "enter":
                hits = self.hits
                self._end(hits[self.cursor] if self.cursor < len(hits) else None)
            case "down" | "ctrl+n" | "tab":
                self._move(1)
            case "up" | "ctrl+p" | "shift+tab":
                self._move(-1)
            case "backspace":
                self._type(self.typed[:-1])
            case "ctrl+u":
                self._type("")
            case _ if event.is_printable and event.character is not None:
                self._type(self.typed + event.character)

    def on_unmount(self) -> None:
        """Count as left."""
        if not self.answer.done():
            self.answer.set_result(None)

    def _move(self, by: int) -> None:
        self.cursor = max(0, min(self.cursor + by, len(self.hits) - 1))
        self.refresh()

    def _type(self, typed: str) -> None:
        self.typed, self.cursor = typed[:WIDTH], 0
        self.refresh()

    def _end(self, answer: Action | None) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)
        self.leave()
