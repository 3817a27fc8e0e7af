"""Foreign text on the screen: harmless, in one line, measured and cut by cells."""

from __future__ import annotations

import pytest
from ringfence_tui.widgets.text import cells, cut, fitted, safe

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


def test_words_of_other_scripts_stay_as_they_are() -> None:
    for word in ("Zürich", "データベース", "база", "ﺏﺎﺑ", "नमस्ते"):
        assert safe(word) == word


def test_text_is_cut_by_cells_not_by_characters() -> None:
    assert cut("データベース", 7) == "データ…"
    assert cells(fitted("データベース", 6)) == 6
    assert fitted("ab", 4, right=True) == "  ab"
    assert cut("abc", 0) == ""
