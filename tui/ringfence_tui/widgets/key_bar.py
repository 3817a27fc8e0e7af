"""The last line: the keys of this screen."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from ringfence_tui.keys import Key
from ringfence_tui.spans import Row, Span, Tone
from ringfence_tui.widgets.painted import Painted
from ringfence_tui.widgets.text import cells


class KeyBar(Painted):
    """Shows keys as far as there is room; a click presses one."""

    DEFAULT_CSS = "KeyBar { height: 1; }"

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__()
        self.keys = tuple(keys)

    def show(self, keys: Sequence[Key]) -> None:
        """Show other keys."""
        if tuple(keys) != self.keys:
            self.keys = tuple(keys)
            self.refresh()

    def row_at(self, y: int) -> Row:
        """Return the line."""
        spans: list[Span] = []
        for start, key in self._laid_out():
            spans += [Span(" " if start == 1 else "  "), Span(key.name, Tone.KEY), Span(f" {key.label}", Tone.DIM)]
        return tuple(spans)

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        for start, key in self._laid_out():
            if start <= event.x < start + cells(f"{key.name} {key.label}"):
                self.app.simulate_key(key.keys.split(",")[0])

    def _laid_out(self) -> list[tuple[int, Key]]:
        found, start = [], 1
        for key in self.keys:
            if not key.label:
                continue
            width = cells(f"{key.name} {key.label}")
            if start + width > self.size.width:
                break
            found.append((start, key))
            start += width + 2
        return found
