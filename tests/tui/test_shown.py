"""What the terminal shows already is not written again, and what it may not show any more is."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from ringfence_tui.widgets.shown import Shown

from tests.tui.terminal import Terminal
from tests.unit.cli_shop import shop

RINGFENCE = [sys.executable, "-m", "ringfence.cli"]
WIDTH, LINES = 12, 2
MOST = 12_000  # bytes of a new screen at 80×24
PIECES = st.tuples(
    st.integers(0, LINES - 1), st.integers(0, WIDTH - 1), st.integers(1, WIDTH), st.sampled_from("ab "), st.booleans()
)


@given(st.lists(PIECES, max_size=30))
def test_the_terminal_shows_the_same_as_if_everything_were_written(pieces):
    shown = Shown()
    every = [[" "] * WIDTH for _ in range(LINES)]
    some = [[" "] * WIDTH for _ in range(LINES)]
    for y, start, length, letter, lost in pieces:
        end = min(start + length, WIDTH)
        text = letter * (end - start)
        every[y][start:end] = text
        if lost:
            shown.forget()
        if shown.written(y, start, end, text):
            some[y][start:end] = text
        assert some == every


def test_a_piece_is_written_once() -> None:
    shown = Shown()
    assert [shown.written(0, 0, 3, "abc") for _ in range(3)] == [True, False, False]
    assert shown.written(0, 2, 4, "xy")
    assert shown.written(0, 0, 3, "abc"), "its end was another one meanwhile"


def test_a_new_screen_is_few_bytes_and_what_garbled_one_goes_with_ctrl_l(tmp_path: Path) -> None:
    shop(tmp_path)
    with Terminal(RINGFENCE, cwd=tmp_path) as terminal:
        terminal.wait_for("covered      4 of 4")
        for key, said in (("2", ">api-1"), ("3", "groups"), ("4", "RULE"), ("5", "by category"), ("6", "no plan")):
            before = len(terminal.written)
            terminal.press(key)
            terminal.wait_for(said)
            terminal.settle(0.2)
            assert len(terminal.written) - before <= MOST / 2, "a quarter of it since nothing is written twice"
        shown = terminal.text()
        garble(terminal)
        terminal.press("ctrl+l")
        assert terminal.wait_for(lambda text: "shutting down" not in text) == shown


def test_a_size_that_comes_back_is_painted_again(tmp_path: Path) -> None:
    """A terminal cuts off what does not fit while it is small, and an application that is stopped may miss that."""
    shop(tmp_path)
    with Terminal(RINGFENCE, cwd=tmp_path) as terminal:
        terminal.wait_for("covered      4 of 4")
        terminal.settle(0.2)
        garble(terminal)
        terminal.resize(80, 24)
        terminal.wait_for(lambda text: "shutting down" not in text)


def garble(terminal: Terminal) -> None:
    """Have another program write on the terminal, as `wall` does."""
    terminal.emulated.cursor_position(5, 1)
    terminal.emulated.draw("the system is shutting down")
    assert "shutting down" in terminal.text()
