"""A storm of seeded keys, clicks and sizes: no traceback, little memory, and it is left within moments."""

from __future__ import annotations

import os
import random
import re
import sys
import time
from pathlib import Path

import pytest

from tests.tui.terminal import KEYS, Terminal
from tests.unit.cli_shop import shop

EVENTS = 5000 if os.environ.get("RINGFENCE_EXAMPLES") == "full" else 400
MOST_GROWTH = 40  # MiB
LEAVES_WITHIN = 10  # seconds on a busy machine; the engine's work is not waited for
# Not sent: what leaves, and what the terminal itself heeds.
PRESSED = [key for key in KEYS if key not in {"ctrl+q", "ctrl+z", "ctrl+c", "ctrl+s"}]
PRESSED += list("abcdefghijklmnoprstuvwxyzADLUGPRE123456789/?:[]-+ ")
SIZES = [(80, 24), (100, 30), (120, 40)]


def memory(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_storm_ends_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    program = [sys.executable, "-m", "ringfence.cli", "--read-only"]
    with Terminal(program, (100, 30), cwd=shop(tmp_path)) as terminal:
        terminal.wait_for("NEXT")
        warm = 0.0
        for number in range(EVENTS):
            kind = chance.random()
            if kind < 0.9:
                terminal.press(chance.choice(PRESSED))
            elif kind < 0.97:
                terminal.click(chance.randrange(terminal.columns), chance.randrange(terminal.lines))
            else:
                terminal.resize(*chance.choice(SIZES))
            while terminal.read(0.001):
                pass
            assert terminal.status is None, terminal.text()
            if number == EVENTS // 4:
                terminal.settle(0.3)
                warm = memory(terminal.pid)
        terminal.settle(0.3)
        assert memory(terminal.pid) - warm < MOST_GROWTH
        began = time.monotonic()
        terminal.press("ctrl+q")
        assert terminal.wait_end() == 0
        assert time.monotonic() - began < LEAVES_WITHIN
    assert b"Traceback" not in terminal.written
