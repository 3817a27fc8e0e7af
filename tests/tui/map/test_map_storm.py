"""A storm of keys, clicks and sizes on the map: it goes on, and quits."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.tui.terminal import Terminal

ROOT = Path(__file__).parents[3]
KEYS = "hjklhjklgGHLadvb-+tcofonu[]/" + " "
NAMED = ("enter", "esc", "tab", "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "space", "ctrl+r")
SIZES = ((80, 24), (120, 40), (200, 60))


@pytest.mark.parametrize("program", ["tests.tui.map_program", "tests.tui.map.test_map_hostile"])
def test_a_storm_of_keys_neither_ends_nor_stalls_it(program):
    draw = random.Random(11)
    with Terminal([sys.executable, "-m", program, "40"], cwd=ROOT) as terminal:
        terminal.wait_for("env")
        for _ in range(25):
            for _ in range(10):
                chance = draw.random()
                if chance < 0.9:
                    terminal.press(draw.choice(KEYS) if chance < 0.6 else draw.choice(NAMED))
                else:
                    terminal.click(draw.randrange(terminal.columns), draw.randrange(2, terminal.lines - 1))
            if draw.random() < 0.1:
                terminal.resize(*draw.choice(SIZES))
            terminal.settle(0.01)
        terminal.resize(91, 27)  # what comes behind the storm: once this is seen, the storm is over
        terminal.wait_for(lambda _text: len(terminal.screen()) == 27 and terminal.screen()[-1].startswith(" "))
        # where it ends depends on the machine: a key that is not worked on within a second holds no other back
        for _ in range(10):
            terminal.settle(0.3)
            if "enter flows" in terminal.screen()[-1] and "esc leave" not in terminal.text():
                break
            terminal.press("esc")
        assert "enter flows" in terminal.screen()[-1], terminal.text()
        terminal.settle(0.3)
        terminal.press("ctrl+q")
        assert terminal.wait_end(10) == 0
    assert b"Traceback" not in terminal.written
