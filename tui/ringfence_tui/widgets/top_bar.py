"""The first line: the workspace, the screens by number, what works in the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events

from ringfence_tui.messages import GoTo
from ringfence_tui.spans import Row, Span, Tone
from ringfence_tui.widgets.painted import Painted
from ringfence_tui.widgets.text import cells, cut, safe

NAME_CELLS = 16
LEAST_NAME = 8  # cells; the name makes room for what works in the background, and for what is not allowed


@dataclass(frozen=True, slots=True)
class Tab:
    """A screen in the first line."""

    name: str
    title: str
    key: str


class TopBar(Painted):
    """Shows where one is; a click on a screen goes there."""

    DEFAULT_CSS = "TopBar { height: 1; }"

    def __init__(self, tabs: Sequence[Tab], current: str, title: str) -> None:
        super().__init__()
        self.tabs = tuple(tabs)
        self.current = current
        self.title_text = title
        self.workspace = ""
        self.jobs = ""

    def tell(self, workspace: str, jobs: str) -> None:
        """Show another workspace, other jobs."""
        if (workspace, jobs) != (self.workspace, self.jobs):
            self.workspace, self.jobs = workspace, jobs
            self.refresh()

    def row_at(self, y: int) -> Row:
        """Return the line."""
        left = [Span(" "), Span(self._shown_name(), Tone.STRONG), Span(" ")]
        right = [Span(self._shown_right(), Tone.WARN), Span(" ")] if self.jobs else []
        used, room = _cells(left), self.size.width - _cells(right)
        if self.current not in {tab.name for tab in self.tabs}:
            left += [Span(" "), Span(self.title_text, Tone.STRONG), Span(self._screens(), Tone.DIM)]
        else:
            for _, tab, text in self._laid_out(used):
                chosen = tab.name == self.current
                left += [Span(" "), Span(text, Tone.CHOSEN if chosen else Tone.DIM)]
        space = room - _cells(left)
        return (*left, Span(" " * max(0, space)), *right)

    def on_click(self, event: events.Click) -> None:
        """Go to the screen that was clicked."""
        if self.current not in {tab.name for tab in self.tabs}:
            return
        for start, tab, text in self._laid_out(self._start()):
            if start < event.x <= start + cells(text):
                self.post_message(GoTo(tab.name))

    def _screens(self) -> str:
        return f"   {self.tabs[0].key}-{self.tabs[-1].key} screens" if self.tabs and self.workspace else ""

    def _start(self) -> int:
        return 2 + cells(self._shown_name())

    def _shown_name(self) -> str:
        right = cells(self._shown_right()) + 2 if self.jobs else 0
        room = self.size.width - self._tab_cells() - 2 - right
        return cut(safe(self.workspace or "ringfence"), min(NAME_CELLS, max(LEAST_NAME, room)))

    def _shown_right(self) -> str:
        least = min(LEAST_NAME, cells(safe(self.workspace or "ringfence")))
        room = self.size.width - self._tab_cells() - 4 - least
        return cut(safe(self.jobs), max(0, min(self.size.width // 3, room)))

    def _tab_cells(self) -> int:
        if self.current not in {tab.name for tab in self.tabs}:
            return cells(self.title_text) + cells(f" {self._screens()}")
        return sum(1 + cells(f"{tab.key} {tab.title}") for tab in self.tabs)

    def _laid_out(self, start: int) -> list[tuple[int, Tab, str]]:
        found = []
        for tab in self.tabs:
            text = f"{tab.key} {tab.title}"
            found.append((start, tab, text))
            start += 1 + cells(text)
        return found


def _cells(spans: Sequence[Span]) -> int:
    return sum(cells(span.text) for span in spans)
