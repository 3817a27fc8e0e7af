"""What a key costs on the map, in bytes on a terminal, with more groups than fit."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

import pytest

from tests.tui.terminal import Terminal

ROOT = Path(__file__).parents[3]
PROGRAM = [sys.executable, "-m", "tests.tui.map_program", "150"]
SIZES = {(80, 24): (2000, 6000), (120, 40): (2500, 12000), (200, 60): (4000, 25000)}

BEGINS = 30.0  # seconds at most until a busy machine answers a key; one that comes late must not count for the next key


@pytest.mark.parametrize(("size", "most"), SIZES.items(), ids=str)
def test_a_cursor_key_and_a_page_cost_few_bytes(size, most):
    with Terminal(PROGRAM, size, cwd=ROOT) as terminal:
        terminal.wait_for("env0")
        terminal.settle(0.2)
        terminal.press("home", "g")
        terminal.settle(0.2)
        costs = [cost(terminal, key) for key in ("j", "l", "down", "right", "k", "h", "j", "j")]
        pages = [cost(terminal, key) for key in ("pagedown", "pageup", "L")]
    assert median(costs) <= most[0], costs
    assert max(pages) <= most[1], pages


def cost(terminal: Terminal, key: str) -> int:
    """Return the bytes that a key costs, with what is told of the cell once the cursor rests on it."""
    terminal.press(key)
    return terminal.read(BEGINS) + terminal.settle(0.3)
