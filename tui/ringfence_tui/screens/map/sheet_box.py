"""The sheet over the map: it takes keys until it is left, and tells each change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from textual import events
from textual.message import Message

from ringfence_tui.keys import Key
from ringfence_tui.screens.map.sheet import Field, Sheet
from ringfence_tui.screens.map.sheet_rows import Foot, sheet_rows
from ringfence_tui.spans import Row
from ringfence_tui.widgets.overlay import Overlay

LEAST_WIDTH = 74
NAME_LENGTH = 120
MASKED = 0.02  # seconds in which what Textual lays out several times is painted once
QUITS = ("ctrl+q", "ctrl+c")


class SheetBox(Overlay):
    """Shows a sheet; tells `Changed`, `Taken` at enter and `Gone` at escape."""

    class Changed(Message):
        """The rule is another one."""

        def __init__(self, box: SheetBox, sheet: Sheet) -> None:
            super().__init__()
            self.box = box
            self.sheet = sheet

    class Taken(Changed):
        """The rule is to come into the draft."""

    class Gone(Changed):
        """The sheet was left."""

    def __init__(self, title: str, sheet: Sheet, time: str) -> None:
        super().__init__(title)
        self.sheet = sheet
        self.time = time
        self.foot: Foot = None
        self._leaving = False

    @property
    def takes_text(self) -> bool:
        """Return whether letters are those of the name."""
        return self.sheet.field is Field.NAME

    def content(self) -> tuple[Row, ...]:
        """Return the sheet's lines."""
        return sheet_rows(self.sheet, self.foot, self.time, LEAST_WIDTH)

    def wanted_size(self) -> tuple[int, int]:
        """Return one width, so that the frame stands still while fields change."""
        _, height = super().wanted_size()
        return LEAST_WIDTH, height

    def show(self, sheet: Sheet) -> None:
        """Show another sheet."""
        before, self.sheet = self.content(), sheet
        self._show_what_differs(before)

    def tell_foot(self, foot: Foot) -> None:
        """Show what is known of the effect."""
        before, self.foot = self.content(), foot
        self._show_what_differs(before)

    def _show_what_differs(self, before: tuple[Row, ...]) -> None:
        after = self.content()
        if len(before) != len(after):
            self.fit()
            self.refresh()
        else:
            self.repaint(y for y, rows in enumerate(zip(before, after, strict=True), 1) if rows[0] != rows[1])

    def leave(self) -> None:
        """Go away, and give the keys back."""
        self._leaving = True
        self.app.delay_update(MASKED)
        super().leave()

    def on_blur(self, _event: events.Blur) -> None:
        """Keep the keys when something below is clicked."""
        if not self._leaving and self.is_attached:
            self.focus(scroll_visible=False)

    def on_key(self, event: events.Key) -> None:
        """Take every key but those that leave the application."""
        if event.key in QUITS:
            return
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.post_message(self.Gone(self, self.sheet))
            self.leave()
            return
        if event.key == "enter":
            if self.sheet.complete:
                self.post_message(self.Taken(self, self.sheet))
            return
        found = after(self.sheet, event.key, event.character)
        if found is None or found == self.sheet:
            return
        same_rule = (found.rule(), found.place) == (self.sheet.rule(), self.sheet.place)
        self.show(found)
        if not same_rule:
            self.foot = None
            self.post_message(self.Changed(self, found))


def after(sheet: Sheet, key: str, character: str | None) -> Sheet | None:
    """Return the sheet after a key, None for a key that does nothing."""
    if key in EVERYWHERE:
        return EVERYWHERE[key](sheet)
    if sheet.field is not Field.NAME:
        return COMMANDS[key](sheet) if key in COMMANDS else None
    if key == "backspace":
        return replace(sheet, name=sheet.name[:-1])
    if character is not None and character.isprintable() and len(sheet.name) < NAME_LENGTH:
        return replace(sheet, name=sheet.name + character)
    return None


def _spaced(sheet: Sheet) -> Sheet:
    """Return the sheet with the chosen field changed: the next value, or a service ticked."""
    match sheet.field:
        case Field.CLIENT | Field.SERVER:
            return sheet.levelled()
        case Field.PROCESS:
            return sheet.processed()
        case Field.HOME:
            return sheet.rehomed()
        case _:
            return sheet.toggled()


# What the sheet does with keys; `docs/tui.md` has them.
KEYS = (
    Key("enter", "", "", "Take the rule into the draft"),
    Key("tab", "", "", "The next field"),
    Key("shift+tab", "", "", "The field before"),
    Key("down,j", "", "", "The next service"),
    Key("up,k", "", "", "The service before"),
    Key("space", "", "", "Tick the service, or change the chosen field"),
    Key("l", "", "", "Coarser labels for the chosen end, and at last its own again"),
    Key("p", "", "", "Only from one process that was seen, the next one, or any"),
    Key("f", "", "", "The next file and tier"),
    Key("backspace", "", "", "Take the last letter of the name away"),
    Key("escape", "", "", "Leave the sheet; the draft stays as it is"),
)

Step = Callable[[Sheet], Sheet]
EVERYWHERE: Mapping[str, Step] = {
    "tab": lambda sheet: sheet.tabbed(),
    "shift+tab": lambda sheet: sheet.tabbed(-1),
    "down": lambda sheet: sheet.moved(1),
    "up": lambda sheet: sheet.moved(-1),
}
COMMANDS: Mapping[str, Step] = {
    "j": lambda sheet: sheet.moved(1),
    "k": lambda sheet: sheet.moved(-1),
    "space": _spaced,
    "l": Sheet.levelled,
    "p": Sheet.processed,
    "f": Sheet.rehomed,
}
