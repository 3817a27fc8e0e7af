"""Bytes of a key at three sizes, on a table of 50,000 rows: what a slow line feels. Times are the benchmark's."""

from __future__ import annotations

import sys

import pytest

from tests.tui.terminal import Terminal

MANY = [sys.executable, "-m", "tests.tui.many_rows"]
STEPS = 60


@pytest.mark.parametrize(
    ("size", "most_step", "most_page", "most_screen"),
    [((80, 24), 2000, 6000, 12000), ((120, 40), 2500, 12000, 24000), ((200, 60), 4000, 25000, 50000)],
)
def test_a_key_writes_few_bytes(size: tuple[int, int], most_step: int, most_page: int, most_screen: int) -> None:
    with Terminal(MANY, size) as terminal:
        terminal.wait_for("host-00007")
        first = len(terminal.written)
        terminal.settle()
        before = len(terminal.written)
        for number in range(1, STEPS + 1):
            terminal.press("down")
            terminal.wait_for(f">host-{number:05}")
        assert (len(terminal.written) - before) / STEPS <= most_step
        before = len(terminal.written)
        terminal.press("pagedown")
        terminal.wait_for(lambda shown: f">host-{STEPS:05}" not in shown and ">host-" in shown)
        terminal.settle()
        assert len(terminal.written) - before <= most_page
        assert first <= most_screen
        terminal.press("end")
        terminal.wait_for(">host-49999")
