"""Keys of keyboards with other letters: commands at their places, texts as they are typed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ringfence_tui.key_layouts import LAYOUTS, latin, latin_key
from textual import events

from tests.tui.terminal import Terminal
from tests.unit.cli_shop import shop


@pytest.mark.parametrize(("letters", "keys"), LAYOUTS)
def test_each_letter_has_one_place(letters: str, keys: str) -> None:
    assert [latin(letter) for letter in letters] == list(keys)


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("й", "q"),
        ("Й", "Q"),
        ("Ж", ":"),
        ("х", "["),
        ("ά", "a"),
        ("Σ", "S"),
        ("٣", "3"),
        ("۴", "4"),
        ("ｑ", "q"),
        ("？", "?"),
    ],
)
def test_a_letter_is_the_key_at_its_place(typed: str, key: str) -> None:
    assert latin(typed) == key


@pytest.mark.parametrize("typed", ["q", "Q", "/", "é", "ß", "日", "", "ab", "İ"])
def test_what_has_no_other_place_stays(typed: str) -> None:
    assert latin(typed) == typed


def test_held_keys_are_those_at_their_places_too() -> None:
    made = latin_key(events.Key("ctrl+с", None))  # as the keyboard protocol of kitty tells it
    assert (made.key, made.character) == ("ctrl+c", None)
    same = events.Key("ctrl+c", None)
    assert latin_key(same) is same


def test_commands_are_at_their_places_on_a_russian_keyboard_and_texts_are_russian(tmp_path: Path) -> None:
    shop(tmp_path)
    with Terminal([sys.executable, "-m", "ringfence.cli"], (100, 30), cwd=tmp_path) as terminal:
        terminal.wait_for("covered      4 of 4")
        terminal.press("ф")  # a: look at the assets
        terminal.wait_for(">api-1")
        terminal.press("о")  # j
        terminal.wait_for(">db-1")
        terminal.press("/", "фыва")
        terminal.wait_for(lambda shown: "фыва" in shown and "0 of 4" in shown)
        terminal.press("esc", "esc")
        terminal.wait_for(lambda shown: "фыва" not in shown)
        terminal.press("Ж", "щмукмшуц")  # :overview
        terminal.wait_for("Go to Overview")
        terminal.press("esc")
        terminal.wait_for(lambda shown: "Go to Overview" not in shown)
        terminal.press("й")
        assert terminal.wait_end() == 0
