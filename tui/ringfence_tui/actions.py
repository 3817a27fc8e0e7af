"""Everything that can be done from where one is: what the palette finds and what help lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ringfence_tui.clock import zone
from ringfence_tui.keys import APPLICATION, Key
from ringfence_tui.screens import SCREENS
from ringfence_tui.spans import Row, Span, Tone, row
from ringfence_tui.theme import DARK, LIGHT, OWN

THEME_NAMES = ((DARK, "dark"), (LIGHT, "light"), (OWN, "the terminal's own colours"))
KEYS_OF_LISTS = (
    ("↓ ↑  j k", "one row further, one back"),
    ("page down, page up  ctrl+d ctrl+u", "a page, half a page"),
    ("home end  g G", "the first, the last row"),
    ("tab  shift+tab", "the next, the last part of the screen"),
    ("ctrl+o", "jump to a part of the screen by its letter"),
)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done: what it is called, its key, and what Textual runs; `on` is `app` or `screen`.

    `word` is what the key line calls it.
    """

    text: str
    key: str
    run: str
    on: str = "screen"
    group: str = ""
    word: str = ""


def actions(title: str, keys: Iterable[Key], *, read_only: bool, opened: bool = True) -> tuple[Action, ...]:
    """Return everything that can be done on a screen of a title with some keys; less while no workspace is opened."""
    return tuple(_actions(title, keys, read_only=read_only, opened=opened))


def _actions(title: str, keys: Iterable[Key], *, read_only: bool, opened: bool) -> Iterator[Action]:
    for key in keys:
        if key.help and not (key.changes and read_only):
            yield Action(key.help, key.own_name, key.action, "screen", title, key.label)
    for entry in SCREENS:
        if not entry.name.startswith("start") and (opened or entry.name == "lab"):
            yield Action(f"Go to {entry.title}", entry.key, f"show('{entry.name}')", "app", "screens")
    for key in APPLICATION:
        if key.help and not (key.changes and (read_only or not opened)):
            yield Action(key.help, key.name, key.action, "app", "everywhere", key.label)
    for theme, name in THEME_NAMES:
        yield Action(f"Colours: {name}", "", f"colours('{theme}')", "app", "everywhere")


def found(every: Sequence[Action], typed: str) -> tuple[Action, ...]:
    """Return the actions that are meant by what is typed: what begins so first, then what has the letters in order."""
    wanted = typed.lower().split()
    if not wanted:
        return tuple(every)
    whole, parts, letters = [], [], []
    for action in every:
        text = action.text.lower()
        begun = typed.lower().strip()
        if action.key == typed.strip() or any(one.startswith(begun) for one in (action.word, text, *text.split())):
            whole.append(action)
        elif all(word in text for word in wanted):
            parts.append(action)
        elif _in_order("".join(wanted), text):
            letters.append(action)
    return (*whole, *parts, *letters)


def _in_order(letters: str, text: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in letters)


def help_rows(every: Sequence[Action]) -> tuple[Row, ...]:
    """Return what help shows: the keys of this screen, of lists, of every screen."""
    rows: list[Row] = []
    group = ""
    for action in every:
        if not action.key:
            continue
        if action.group != group:
            group = action.group
            rows += [(), row(Span(group.upper(), Tone.TITLE))]
        rows.append(row(Span(f"  {action.key:<12}", Tone.KEY), action.text))
    rows += [(), row(Span("LISTS AND TABLES", Tone.TITLE))]
    rows += [row(Span(f"  {keys}", Tone.KEY), f"   {text}") for keys, text in KEYS_OF_LISTS]
    rows += [(), row(Span("SIGNS", Tone.TITLE))]
    signs = (
        ("+", Tone.ALLOWED, "allowed by a rule"),
        ("~", Tone.UNDECIDED, "passes, and no rule decides"),
        ("!", Tone.WOULD, "passes only because the mode does not bite: full mode would deny it"),
        ("x", Tone.DENIED, "denied"),
        ("?", Tone.UNKNOWN, "not judged: an unknown end, or a process that was not seen"),
        ("·", Tone.DIM, "nothing was seen"),
        ("*", Tone.STRONG, "differs from what hosts hold, or is marked"),
    )
    rows += [row("  ", Span(f"{sign}   ", tone), text) for sign, tone, text in signs]
    rows += [(), row(Span("TIMES", Tone.TITLE)), row(f"  of this machine's zone ({zone()}); commands say UTC")]
    return tuple(rows[1:])
