"""The application is ended from outside: the terminal is as it was, and nothing goes on without one."""

from __future__ import annotations

import os
import signal
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.tui.terminal import Terminal

RINGFENCE = [sys.executable, "-m", "ringfence.cli"]
WAITS = 240.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_the_terminal_as_it_was(tmp_path: Path, number: signal.Signals) -> None:
    with Terminal(RINGFENCE, cwd=tmp_path) as terminal:
        terminal.wait_for("Begin a new workspace")
        os.kill(terminal.pid, number)
        assert terminal.wait_end() == 128 + number
        for off in (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?25h"):
            assert off in terminal.written


def test_it_ends_with_its_terminal_also_where_nothing_hangs_up(tmp_path: Path) -> None:
    ignoring = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *RINGFENCE]
    with Terminal(ignoring, cwd=tmp_path) as terminal:
        terminal.wait_for("Begin a new workspace")
        (engine,) = Path(f"/proc/{terminal.pid}/task/{terminal.pid}/children").read_text().split()
        terminal.hang_up()
        until = time.monotonic() + WAITS
        while any(Path(f"/proc/{pid}/exe").exists() for pid in (terminal.pid, engine)):  # a zombie has none
            assert time.monotonic() < until, "the application goes on without a terminal"
            time.sleep(0.02)


def test_what_was_stopped_without_notice_goes_on_and_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    with Terminal(RINGFENCE, cwd=tmp_path) as terminal:
        before = termios.tcgetattr(terminal._file)
        terminal.wait_for("Begin a new workspace")
        for _ in range(2):
            os.kill(terminal.pid, signal.SIGSTOP)
            os.kill(terminal.pid, signal.SIGCONT)
            terminal.wait_for("Begin a new workspace")
            terminal.settle()
        terminal.press("ctrl+q")
        assert terminal.wait_end() == 0
        assert termios.tcgetattr(terminal._file) == before
