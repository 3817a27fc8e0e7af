"""One line of input; tab completes, what is pasted is made harmless."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import Input

from ringfence_tui.widgets.text import pasted_lines, safe

# What a text up to the cursor could go on with: whole words that replace the last one.
LONGEST = 4096  # characters with what is pasted
PILE = 4  # characters before one that tell whether it is one mark too many
Completions = Callable[[str], Sequence[str]]


class Field(Input):
    """Tells `Edited` at each change, `Submitted` at enter, `Left` at escape."""

    DEFAULT_CSS = """
    Field, Field:focus { border: none; width: 1fr; height: 1; padding: 0; background: $background; color: $foreground; }
    """

    takes_text = True

    class Edited(Message):
        """The text is another one."""

        def __init__(self, field: Field, value: str) -> None:
            super().__init__()
            self.field = field
            self.value = value

        @property
        def control(self) -> Field:
            """Return the field."""
            return self.field

    class Entered(Edited):
        """Enter was pressed."""

    class Left(Edited):
        """Escape was pressed, or ↓ (`down`), which leads to what stands below the field."""

        def __init__(self, field: Field, value: str, *, down: bool) -> None:
            super().__init__(field, value)
            self.down = down

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        complete: Completions | None = None,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(value=value, placeholder=placeholder, id=id, select_on_focus=False)
        self.cursor_blink = False
        self.complete = complete
        self._offered: tuple[str, ...] = ()
        self._offer = 0

    @property
    def _value(self) -> Text:
        """Return the value as Textual paints it: what a completion put in is foreign, so a mark stands for a command.

        One mark for one character: the cursor is counted in characters.
        """
        return Text(as_long(self.value), no_wrap=True, overflow="ignore", end="")

    def on_key(self, event: events.Key) -> None:
        """Complete at tab where there is something to complete, go out at escape and down."""
        if event.key == "tab" and self._complete():
            event.stop()
            event.prevent_default()
            return
        self._offered = ()
        if event.key in {"escape", "down"}:
            event.stop()
            event.prevent_default()
            self.post_message(self.Left(self, self.value, down=event.key == "down"))

    def offers(self) -> tuple[str, ...]:
        """Return what the text could go on with."""
        return tuple(self.complete(self.value[: self.cursor_position])) if self.complete is not None else ()

    def _complete(self) -> bool:
        """Put the next offer in; return whether there was one: else tab goes on to the next field."""
        if self._offered:
            self._offer = (self._offer + 1) % len(self._offered)
        else:
            word = self.value[: self.cursor_position].rpartition(" ")[2]
            self._offered, self._offer = tuple(one for one in self.offers() if one != word), 0
        if not self._offered:
            return False
        before = self.value[: self.cursor_position]
        stem = before[: before.rfind(" ") + 1]
        after = self.value[self.cursor_position :]
        self.value = stem + self._offered[self._offer] + after
        self.cursor_position = len(self.value) - len(after)
        if len(self._offered) == 1:
            self._offered = ()
        return True

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line of what is pasted, made harmless."""
        event.stop()
        event.prevent_default()
        line = pasted_lines(event.text)[0]
        self.insert_text_at_cursor(line[: max(0, LONGEST - len(self.value))])

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell."""
        event.stop()
        self.post_message(self.Edited(self, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Tell."""
        event.stop()
        self.post_message(self.Entered(self, event.value))


def as_long(text: str) -> str:
    """Return a text of as many characters in which nothing commands or hides."""
    if text.isascii() and text.isprintable():
        return text
    seen = (safe(text[max(0, place - PILE) : place + 1]) for place in range(len(text)))
    return "".join(one if shown.endswith(one) else "\ufffd" for one, shown in zip(text, seen, strict=True))
