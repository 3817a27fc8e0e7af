"""Jump mode: each part of a screen that takes keys shows a letter; the letter goes there."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.widget import Widget

from ringfence_tui.spans import Row, Span, Tone
from ringfence_tui.widgets.painted import Painted

LETTERS = "asdfghjklqwertyuiop"


class Badge(Painted):
    """A letter over a part of the screen."""

    DEFAULT_CSS = "Badge { layer: overlay; width: 3; height: 1; dock: top; }"

    def __init__(self, letter: str) -> None:
        super().__init__(classes="badge")
        self.letter = letter

    def row_at(self, y: int) -> Row:
        """Return the letter."""
        return (Span(f" {self.letter} ", Tone.CHOSEN),)


class Jump(Painted, can_focus=True):
    """Takes the keys until one is pressed."""

    DEFAULT_CSS = "Jump { layer: overlay; width: 1; height: 1; dock: top; }"

    def __init__(self, targets: Sequence[Widget]) -> None:
        super().__init__()
        self.targets = dict(zip(LETTERS, targets, strict=False))

    @property
    def is_modal(self) -> bool:
        """Keys of the screen do nothing meanwhile."""
        return True

    def on_mount(self) -> None:
        """Show the letters."""
        for letter, target in self.targets.items():
            badge = Badge(letter)
            self.screen.mount(badge)
            badge.styles.offset = (target.region.x, target.region.y)
        self.focus()

    def on_key(self, event: events.Key) -> None:
        """Go to what has this letter, or nowhere."""
        event.stop()
        event.prevent_default()
        target = self.targets.get(event.character or "")
        self.screen.query(Badge).remove()
        if target is not None and target.is_attached:
            target.focus()
        else:
            first = next(iter(self.targets.values()), None)
            if first is not None:
                first.focus()
        self.remove()
