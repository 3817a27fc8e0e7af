"""A text that is edited in place: tab completes, what is pasted is made harmless."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from ringfence_tui.widgets.text import pasted_lines, safe

# The line up to the cursor → the word that is typed there, and whole words that it could become.
Completing = Callable[[str], tuple[str, tuple[str, ...]]]


def editable(text: str) -> bool:
    """Return whether a text can be edited in place: no line has a character that cannot be shown as it is."""
    return all(safe(line) == line for line in text.split("\n"))


class Editor(TextArea):
    """Tells `Edited` at each change and move, `Kept` at ctrl+s, `Left` at escape."""

    DEFAULT_CSS = """
    Editor, Editor:focus { border: none; padding: 0; background: $background; color: $foreground; height: 1fr; }
    """

    takes_text = True

    class Edited(Message):
        """The text, or the place of the cursor, is another one."""

        def __init__(self, editor: Editor) -> None:
            super().__init__()
            self.editor = editor

    class Kept(Edited):
        """The text is to be kept."""

    class Left(Edited):
        """Escape was pressed."""

    def __init__(self, complete: Completing, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, soft_wrap=False, show_line_numbers=True)
        self.cursor_blink = False
        self.complete = complete

    def begin(self, text: str, line: int) -> bool:
        """Edit a text, at a line from 1. Return False, and edit nothing, where it cannot be shown byte by byte."""
        if not editable(text):
            return False
        self.load_text(text)
        if self.text != text:
            return False
        self.move_cursor((max(0, min(line - 1, self.document.line_count - 1)), 0))
        self.focus()
        return True

    @property
    def line(self) -> int:
        """Return the line of the cursor, from 1."""
        return self.cursor_location[0] + 1

    def offers(self) -> tuple[str, ...]:
        """Return what the word at the cursor could become."""
        return self.complete(self._before())[1]

    def on_key(self, event: events.Key) -> None:
        """Complete at tab, keep at ctrl+s, leave at escape."""
        if event.key not in {"tab", "ctrl+s", "escape"}:
            return
        event.stop()
        event.prevent_default()
        if event.key == "tab":
            typed, offers = self.complete(self._before())
            self.insert(offers[0][len(typed) :] if offers else "  ")
        else:
            self.post_message(self.Kept(self) if event.key == "ctrl+s" else self.Left(self))

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert("\n".join(pasted_lines(event.text)))

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Tell."""
        event.stop()
        self.post_message(self.Edited(self))

    def on_text_area_selection_changed(self, event: TextArea.SelectionChanged) -> None:
        """Tell."""
        event.stop()
        self.post_message(self.Edited(self))

    def _before(self) -> str:
        line, column = self.cursor_location
        return str(self.document.get_line(line))[:column]
