"""The field that finds a group: below the matrix while it is open."""

from __future__ import annotations

from textual import on

from ringfence_tui.widgets.field import Field

NOTHING = "words of a group's name"


class FindField(Field):
    """Opens empty, with the words that were looked for last behind it; closes at enter and escape."""

    DEFAULT_CSS = "FindField { display: none; } FindField.open { display: block; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(placeholder=NOTHING, id=id)

    def open(self, words: str) -> None:
        """Take keys."""
        self.value = ""
        self.placeholder = f"{words}  (n goes to the next)" if words else NOTHING
        self.add_class("open")
        self.focus()

    @on(Field.Entered)
    @on(Field.Left)
    def close(self) -> None:
        """Give the keys back."""
        self.remove_class("open")
        self.screen.query_one("#matrix").focus()
