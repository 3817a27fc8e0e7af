"""docs/tui.md names every key of the application, and no other: `python -m tests.tui.test_key_docs` writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

from ringfence_tui.actions import KEYS_OF_LISTS, actions
from ringfence_tui.keys import APPLICATION, NAMES, Key
from ringfence_tui.screens import SCREENS, Entry
from ringfence_tui.screens.map import sheet_box
from ringfence_tui.screens.policy.editing import EDITING

DOCUMENT = Path(__file__).parents[2] / "docs/tui.md"
BEGIN, END = "<!-- keys, written by `python -m tests.tui.test_key_docs` -->\n", "<!-- end of keys -->\n"
SAID = re.compile(r"`([^`\n]+)`")


def keys_of(entry: Entry) -> tuple[Key, ...]:
    module, _, name = entry.where.partition(":")
    found: tuple[Key, ...] = getattr(import_module(module), name).KEYS
    return found


def names_of(key: Key) -> list[str]:
    return [NAMES.get(one, one) for one in key.keys.split(",")]


def apart(keys: str) -> list[str]:
    """Return the keys of a line that help shows."""
    return re.findall(r"page down|page up|[^, ]+", keys)


def rows(keys: Iterable[Key]) -> Iterator[str]:
    yield "| key | what it does |"
    yield "|---|---|"
    for key in keys:
        what = key.help or key.label.capitalize() or "Leave, also where letters are typed"
        yield f"| {' '.join(f'`{name}`' for name in names_of(key))} | {what} |"


def tables() -> str:
    """Return the tables of all keys."""
    parts: list[tuple[str, Iterable[Key]]] = [
        (entry.title, keys) for entry in SCREENS if not entry.name.startswith("start") and (keys := keys_of(entry))
    ]
    forms = [entry for entry in SCREENS if entry.name.startswith("start_")]
    parts.append(("The choice of the first run", keys_of(next(one for one in SCREENS if one.name == "start"))))
    parts.append(("A form of the first run", keys_of(forms[0])))
    parts.append(("The sheet of a rule, over the map", sheet_box.KEYS))
    parts.append(("A file or a rule that is edited", EDITING))
    parts.append(("Every screen, beside their numbers", APPLICATION))
    said = "".join(f"\n### {title}\n\n" + "\n".join(rows(keys)) + "\n" for title, keys in parts)
    lists = "\n".join(f"| {' '.join(f'`{one}`' for one in apart(keys))} | {what} |" for keys, what in KEYS_OF_LISTS)
    return f"{said}\n### Lists and tables\n\n| key | what it does |\n|---|---|\n{lists}\n\n"


def every_name() -> set[str]:
    screens = {name for entry in SCREENS for key in keys_of(entry) for name in names_of(key)}
    return screens | {name for key in APPLICATION for name in names_of(key)} | {entry.key for entry in SCREENS}


def test_the_document_has_every_key_with_what_it_does() -> None:
    text = DOCUMENT.read_text()
    assert BEGIN + tables() + END in text, "python -m tests.tui.test_key_docs writes them"


def test_every_key_that_the_text_names_is_one_of_the_screen_it_is_named_for() -> None:
    text, _, _ = DOCUMENT.read_text().partition(BEGIN)
    board = text.partition("On the board of a rollout:")[2].partition("The mouse")[0]
    rollout = {name for entry in SCREENS if entry.name == "rollout" for key in keys_of(entry) for name in names_of(key)}
    named = {row.split("|")[1].strip() for row in board.splitlines() if row.startswith("| `")}
    assert {one for cell in named for one in SAID.findall(cell)} <= rollout
    everywhere = text.partition("Every screen has these keys")[2].partition("On the board of a rollout:")[0]
    cells = [row.split("|")[1] for row in everywhere.splitlines() if row.startswith("| `")]
    moves = {one for keys, _ in KEYS_OF_LISTS for one in apart(keys)}
    known = {name for key in APPLICATION for name in names_of(key)} | moves | {"enter", "/"}
    assert {one for cell in cells for one in SAID.findall(cell)} <= known
    journey = text.partition("## From nothing to a denial")[2].partition("## Read-only")[0]
    pressed = {one for row in journey.splitlines() if row.startswith("| `") for one in SAID.findall(row.split("|")[1])}
    assert pressed <= every_name()


def test_the_sheet_names_every_key_that_it_takes() -> None:
    taken = {*sheet_box.EVERYWHERE, *sheet_box.COMMANDS, "enter", "escape", "backspace"}
    assert {name for key in sheet_box.KEYS for name in key.keys.split(",")} == taken


def test_help_writes_each_key_once() -> None:
    for entry in SCREENS:
        written = [action.key for action in actions(entry.title, keys_of(entry), read_only=False)]
        own = [key for key in written if key]
        assert [key for key in own if " " in key] == [], entry.name


def test_no_key_is_written_as_its_name_in_textual() -> None:
    names = {name for entry in SCREENS for key in keys_of(entry) for name in names_of(key)}
    assert [name for name in names if "_" in name] == []


if __name__ == "__main__":
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(before + BEGIN + tables() + END + after)
