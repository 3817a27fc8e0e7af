"""Rows that are too long for a line."""

from __future__ import annotations

from ringfence_tui.app import RingfenceApp
from ringfence_tui.page import Confirmation, Page
from ringfence_tui.screens.check.model import Checked
from ringfence_tui.screens.overview.model import Wrong
from ringfence_tui.spans import Span, Tone, fitting, plain, row
from ringfence_tui.widgets.folded import folded, folded_rows
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.text import cells, offered

from tests.tui.stub_engine import StubEngine, journey, shown
from tests.tui.waiting import until

WRONG = row(Span("✗ ", Tone.BAD), Span("shop.yml:8 ", Tone.STRONG), "invariant does not hold")


def test_a_row_is_folded_between_words_and_keeps_its_tones() -> None:
    lines = folded(WRONG, 20, most=4)

    assert [plain(line).rstrip() for line in lines] == ["✗ shop.yml:8", "invariant does not", "hold"]
    assert lines[0][1].tone is Tone.STRONG


def test_a_line_that_is_full_has_no_room_for_the_space_after_it() -> None:
    assert [plain(one) for one in folded(row("1234567 90 more"), 10, most=3)] == ["1234567 90", "more"]


def test_rows_are_folded_further_in_than_they_begin() -> None:
    lines = [plain(one).rstrip() for one in folded_rows((row("   a reason of some words"), row("short")), 14, 3)]

    assert lines == ["   a reason of", "     some", "     words", "short"]


def test_rows_without_room_are_counted_with_the_way_to_them() -> None:
    rows = [row(word) for word in ("one", "two", "three")]

    assert fitting(rows, 3) == tuple(rows)
    assert [plain(one) for one in fitting(rows, 2)] == ["one", " and 2 more lines"]
    assert [plain(one) for one in fitting(rows[:2], 1, "t lists them")] == [" and 2 more lines: t lists them"]
    assert [len(fitting(rows, room)) for room in (-1, 0, 1)] == [0, 0, 1]


def test_what_a_line_could_go_on_with_says_that_there_is_more() -> None:
    assert offered(["a", "b"], 2) == "a  b"
    assert offered(["a", "b", "c"], 2) == "a  b  …"


@journey
async def test_what_would_be_cut_in_a_pane_or_a_dialog_goes_on_in_the_next_line() -> None:
    sentence = "every word of this sentence is to be read, " * 4 + "to its end"
    wrong = Checked((Wrong("labels.yml:3", sentence, "a remedy"),))
    app = RingfenceApp(StubEngine({"check.everything": lambda *_: wrong}), first="check")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "to its end")
        await pilot.resize_terminal(120, 40)
        await until(pilot, "to its end")
        page = app.page
        page.work(asked(page, Confirmation("do it", (row(sentence),))))
        await until(pilot, lambda text: text.count("to its end") == 2)
        await pilot.press("escape")


@journey
async def test_a_row_that_goes_on_below_the_pane_says_so_until_it_is_scrolled_to() -> None:
    wrong = Checked((Wrong("labels.yml:3", "a sentence of many words, " * 8 + "to its end", "a remedy"),))
    app = RingfenceApp(StubEngine({"check.everything": lambda *_: wrong}), first="check")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "to its end")
        assert "…" not in shown(app)
        pane = app.page.query_one(Lines)
        pane.styles.height = 2
        await until(pilot, lambda text: text.rstrip().count(" …") == 1 and "to its end" not in text)
        pane.focus()
        for _ in range(6):
            await pilot.press("down")
        await until(pilot, lambda text: "a remedy" in text and "…" not in text)


async def asked(page: Page, question: Confirmation) -> None:
    await page.confirm(question)


def test_the_last_line_holds_all_that_is_left() -> None:
    assert plain(folded(WRONG, 5, most=2)[1]) == "shop.yml:8 invariant does not hold"


def test_a_word_that_commands_the_terminal_is_folded_as_it_is_shown() -> None:
    (line,) = folded(row("a\x1b[2Jb"), 40, most=4)
    assert "\x1b" not in plain(line)


def test_a_word_longer_than_a_line_is_folded_within_it_and_nothing_of_it_is_lost() -> None:
    path = "/srv/" + "x" * 25 + "日本" * 5
    lines = folded((Span("at "), Span(path), Span(" line 3")), 20, 9)
    assert all(cells("".join(span.text for span in line).rstrip()) <= 20 for line in lines)
    assert "".join(span.text for line in lines for span in line).replace(" ", "") == f"at{path}line3"
