"""Rows that are too long for a line."""

from __future__ import annotations

from ringfence_tui.spans import Span, Tone, plain, row
from ringfence_tui.widgets.folded import folded
from ringfence_tui.widgets.text import cells

WRONG = row(Span("✗ ", Tone.BAD), Span("shop.yml:8 ", Tone.STRONG), "invariant does not hold")


def test_a_row_is_folded_between_words_and_keeps_its_tones() -> None:
    lines = folded(WRONG, 20, most=4)

    assert [plain(line).rstrip() for line in lines] == ["✗ shop.yml:8", "invariant does not", "hold"]
    assert lines[0][1].tone is Tone.STRONG


def test_the_last_line_holds_all_that_is_left() -> None:
    assert plain(folded(WRONG, 5, most=2)[1]) == "shop.yml:8 invariant does not hold"


def test_a_word_that_commands_the_terminal_is_folded_as_it_is_shown() -> None:
    (line,) = folded(row("a\x1b[2Jb"), 40, most=4)
    assert "\x1b" not in plain(line)


def test_a_word_longer_than_a_line_is_folded_within_it_and_nothing_of_it_is_lost() -> None:
    path = "/srv/" + "x" * 25 + "日本" * 5
    lines = folded((Span("at "), Span(path), Span(" line 3")), 20, 9)
    assert all(cells("".join(span.text for span in line).rstrip()) <= 20 for line in lines)
    assert "".join(span.text for line in lines for span in line) == f"at {path} line 3"
