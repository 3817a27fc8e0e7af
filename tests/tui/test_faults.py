"""A fault of the application tells where it came from, and no secret; leaving is no fault."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from ringfence_tui.widgets.fault import fault_text

from tests.tui.map_estate import drawn
from tests.tui.terminal import Terminal

FAULTY = """
import sys
from ringfence_tui.widgets.line_question import LineQuestion

def fails(self, value):
    told = value + "!"
    raise RuntimeError("\\x1b]0;owned\\x07")

LineQuestion._take = fails
from ringfence_tui.launch import run
sys.exit(run())
"""
ROOT = str(Path(__file__).parents[2])


def test_what_a_variable_held_is_not_told() -> None:
    try:
        secret = "hunter2"
        raise ValueError(len(secret), "\x1b[2J")
    except ValueError as error:
        said = fault_text(error).plain

    assert "hunter2" not in said.replace('secret = "hunter2"', "")
    assert "\x1b" not in said
    assert "test_faults.py" in said


def test_a_crash_prints_no_password_and_no_escape(tmp_path: Path) -> None:
    with Terminal([sys.executable, "-c", FAULTY], cwd=drawn(tmp_path / "estate")) as terminal:
        terminal.wait_for("covered")
        terminal.press("6")
        terminal.wait_for("Rollout")
        terminal.press("Q")
        terminal.settle(1.0)
        terminal.send(b"\x1b[200~hunter2\x1b[201~")
        assert terminal.wait_end() == 1
        said = terminal.written[terminal.written.rindex(b"\x1b[?1049l") :]
        assert b"please report it" in said
        assert b"hunter2" not in said
        assert b"owned" in said
        assert b"\x1b]0;" not in said


def test_leaving_while_a_screen_is_opened_is_no_fault(tmp_path: Path) -> None:
    directory = drawn(tmp_path / "estate")
    for wait in (0.1, 0.25):
        with Terminal([sys.executable, "-m", "ringfence.cli"], (200, 60), cwd=directory) as terminal:
            terminal.wait_for("covered")
            terminal.press("2")
            terminal.read(wait)
            os.kill(terminal.pid, signal.SIGTERM)
            assert terminal.wait_end() == 128 + signal.SIGTERM
            assert b"Traceback" not in terminal.written
