"""Foreign text on the screen: harmless, in one line, measured and cut by cells."""

from __future__ import annotations

import pytest
from ringfence.model.safe_text import clean_line
from ringfence_tui.widgets.field import as_long
from ringfence_tui.widgets.text import cells, cut, fitted, safe
from wcwidth import wcwidth

HOSTILE = [
    "\x1b]0;x\x07",
    "\x9b2J",
    "\u202eabc",
    "a\r\nb",
    "\udcff",
    "\u2028",
    "\u061c",
    "\ufe0f",
    "\U000e0041",
    "\u3164",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_it_reaches_the_terminal_as_a_command(text: str) -> None:
    shown = safe(text)

    assert shown.isprintable()
    assert "\ufe0f" not in shown
    assert shown.encode()


def test_marks_that_pile_up_are_told_apart_from_the_letter() -> None:
    shown = safe("z" + "\u0301" * 20)

    assert shown.startswith("z\u0301\u0301\\u0301")
    assert cells(shown) > 18


def test_letters_that_join_do_not_pile_up() -> None:
    for pile in ("क" + "\u093f" * 20, "\u1112" + "\u1161" * 20):
        assert "\\u" in safe(pile)


def test_what_terminals_measure_otherwise_is_told_as_its_number() -> None:
    for text in ("\U0001f1e9", "👍\U0001f3fd", "\u0b53", "\U000f0000"):
        assert safe(text).isprintable()
        assert "\\" in safe(text)


def test_every_character_that_is_shown_takes_the_cells_that_the_terminal_gives_it() -> None:
    every = (chr(point) for point in range(0x20, 0x20000) if not 0xD800 <= point <= 0xDFFF)
    shown = [one for one in every if clean_line(one) == one]

    assert [one for one in shown if cells(one) != wcwidth(one)] == []


@pytest.mark.parametrize("text", [*HOSTILE, "z" + "\u0301" * 20])
def test_a_field_paints_what_a_completion_put_in_without_its_commands(text: str) -> None:
    shown = as_long(f"role={text}")

    assert len(shown) == len(f"role={text}")
    assert shown == safe(shown)


def test_words_of_other_scripts_stay_as_they_are() -> None:
    for word in ("Zürich", "データベース", "база", "ﺏﺎﺑ", "नमस्ते"):
        assert safe(word) == word


def test_text_is_cut_by_cells_not_by_characters() -> None:
    assert cut("データベース", 7) == "データ…"
    assert cells(fitted("データベース", 6)) == 6
    assert fitted("ab", 4, right=True) == "  ab"
    assert cut("abc", 0) == ""
