"""Keys, in one place: what a key does, its word in the key line, its sentence in help and palette."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a screen, a widget or the application.

    `keys` are Textual's names, separated by commas (`j,down`); `action` the method `action_<action>` beside it. `label`
    is the word in the key line, which shows keys with a label only, `shown_as` how the key is written there. `help` is
    a sentence for help and palette. A key that `changes` something is refused in a read-only application; one that
    counts `always` does so while something lies over the screen; one that hands the terminal to another program
    (`lends`, as to $EDITOR) is not there in a browser.
    """

    keys: str
    action: str
    label: str = ""
    help: str = ""
    shown_as: str = ""
    changes: bool = False
    always: bool = False
    lends: bool = False

    @property
    def own_name(self) -> str:
        """Return how the first of its keys is written where the others have lines of their own."""
        first = self.keys.split(",")[0]
        return NAMES.get(first, first)

    @property
    def name(self) -> str:
        """Return how the key is written: `enter`, `space`, `?`."""
        return self.shown_as or self.own_name


NAMES = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "escape": "esc",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "minus": "-",
    "plus": "+",
    "equals_sign": "=",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "pagedown": "page down",
    "pageup": "page up",
}


def while_typing(key: Key) -> Key | None:
    """Return a key as it counts while a field takes letters, None where it is one itself."""
    names = [name for name in key.keys.split(",") if len(NAMES.get(name, name)) > 1]
    if not names:
        return None
    return key if names[0] == key.keys.split(",")[0] else replace(key, keys=",".join(names), shown_as="")


# What every list, table and matrix has.
MOVES = (
    Key("down,j", "move(1)"),
    Key("up,k", "move(-1)"),
    Key("pagedown,ctrl+f", "page(1)"),
    Key("pageup,ctrl+b", "page(-1)"),
    Key("ctrl+d", "page(0.5)"),
    Key("ctrl+u", "page(-0.5)"),
    Key("home,g", "edge(0)"),
    Key("end,G", "edge(1)"),
)
CHOOSE = Key("enter", "choose", "open")
MARK = Key("space", "mark", "mark", "Mark the row, or take its mark away")

# What the application has on every screen; the numbers of screens come beside it.
HELP = Key("question_mark,f1", "help", "help", "Show the keys of this screen")
COMMANDS = Key("colon,ctrl+p", "commands", "command", "Find any action by its words")
COPY = Key("y", "command", "command", "Show and copy the command that says the same as this screen")
BACK = Key("escape", "back", "", "Go back to the screen before")
QUIT = Key("q", "quit", "quit", "Leave; rollouts that run go on")
QUIT_ALWAYS = Key("ctrl+q", "quit", always=True)
JOBS = Key("J", "jobs", "", "Show everything that works in the background")
JUMP = Key("ctrl+o", "jump", "", "Jump to a part of the screen by its letter")
QUARANTINE = Key("Q", "quarantine", "", "Quarantine an asset: see what that cuts, and isolate it", changes=True)
RELEASE = Key("R", "release", "", "Release a quarantine, or end a permission", changes=True)
LET_THROUGH = Key("T", "let_through", "", "Let a connection through for a time: see what that opens", changes=True)
SUSPEND = Key("ctrl+z", "suspend_process", "", "Suspend; fg in the shell comes back")
MOUSE = Key("M", "mouse", "", "Let the mouse mark text, or take it back")
REDRAW = Key("ctrl+l", "redraw", "", "Write the screen again, where it is garbled", always=True)
FIND = Key("slash", "find", "find", "Find in this screen")
APPLICATION = (
    COMMANDS,
    HELP,
    COPY,
    BACK,
    JUMP,
    JOBS,
    QUARANTINE,
    LET_THROUGH,
    RELEASE,
    MOUSE,
    SUSPEND,
    REDRAW,
    QUIT,
    QUIT_ALWAYS,
)


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    """Return keys as Textual takes them."""
    return [Binding(key.keys, key.action, key.label, show=False, priority=key.always) for key in keys]
