"""A program on a terminal of our own: what it writes is read by pyte, keys are sent as bytes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import pyte
from wcwidth import wcwidth

from tests.tui.recording import Recording

KEYS = {
    "enter": "\r",
    "esc": "\x1b",
    "tab": "\t",
    "backspace": "\x7f",
    "space": " ",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
}
KEYS |= {f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "abcdefghijklmnopqrstuvwxyz"}
# Seconds at most, which only a failed test waits: a crowded machine takes a minute to start an application.
WAITS = 240.0
SETTLES = 30.0  # seconds at most, for what never stops to print
QUIET = 0.05  # seconds without a byte after which a screen counts as painted
# What must not come from the shell that runs the tests.
FORGOTTEN = ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES", "TEXTUAL", "TEXTUAL_THEME", "RINGFENCE_THEME")


class Terminal:
    """A program with a terminal of (columns, lines). Use it as a context: the program is killed at its end."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        size: tuple[int, int] = (80, 24),
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        term: str = "xterm-256color",
        recording: Recording | None = None,
    ) -> None:
        self.recording = recording
        self.columns, self.lines = size
        self.emulated = pyte.Screen(self.columns, self.lines)
        self._stream: Any = pyte.ByteStream(self.emulated)
        self.written = b""  # everything the program wrote
        self.status: int | None = None
        environment = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
        # of what these tests choose nothing is to be remembered for the one who runs them
        environment |= {"TERM": term, "RINGFENCE_THEME": "dark", **(env or {})}
        self.pid, self._file = pty.fork()
        if self.pid == 0:
            with suppress(OSError):
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", self.lines, self.columns, 0, 0))
                if cwd is not None:
                    os.chdir(cwd)
                os.execvpe(str(argv[0]), [str(word) for word in argv], environment)
            os._exit(127)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", self.lines, self.columns, 0, 0))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.kill()

    # What the program shows

    def screen(self) -> tuple[str, ...]:
        """Return the lines of the screen, without the spaces at their ends."""
        buffer, columns = self.emulated.buffer, range(self.emulated.columns)
        return tuple(line_of([buffer[y][x].data for x in columns]).rstrip() for y in range(self.emulated.lines))

    def text(self) -> str:
        """Return the screen as one text."""
        return "\n".join(self.screen())

    def wait_for(self, wanted: str | Callable[[str], bool], seconds: float = WAITS) -> str:
        """Return the screen once a text is on it, or a condition holds. Fail with the screen where it does not."""
        met = (lambda shown: wanted in shown) if isinstance(wanted, str) else wanted
        until = time.monotonic() + seconds
        while not met(self.text()):
            left = until - time.monotonic()
            if left <= 0 or not self.read(left):
                raise AssertionError(f"waited for {wanted!r}; the screen:\n{self.text()}\n(status {self.status})")
        return self.text()

    def settle(self, quiet: float = QUIET, seconds: float = SETTLES) -> int:
        """Read until nothing has come for a moment; return how many bytes came."""
        before, until = len(self.written), time.monotonic() + seconds
        while time.monotonic() < until and self.read(quiet):
            pass
        return len(self.written) - before

    def read(self, seconds: float) -> int:
        """Read what comes within so many seconds; return how many bytes, 0 for none or at the program's end."""
        ready, _, _ = select.select([self._file], [], [], seconds)
        if not ready:
            return 0
        try:
            data = os.read(self._file, 65536)
        except OSError:
            data = b""
        if not data:
            self._reap(block=True)
            return 0
        self.written += data
        self._stream.feed(data)
        if self.recording is not None:
            self.recording.wrote(data)
        return len(data)

    def mark(self, caption: str) -> None:
        """Name what is on the screen, where it is recorded."""
        if self.recording is not None:
            self.settle(0.3, 2.0)
            self.recording.mark(caption, self.emulated)

    # What a person does

    def press(self, *keys: str) -> None:
        """Send keys: names of `KEYS`, or texts as they are typed."""
        for key in keys:
            if self.recording is not None:
                self.recording.typed()
            os.write(self._file, KEYS.get(key, key).encode())

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        os.write(self._file, data)

    def click(self, x: int, y: int) -> None:
        """Click a cell, counted from 0."""
        os.write(self._file, f"\x1b[<0;{x + 1};{y + 1}M\x1b[<0;{x + 1};{y + 1}m".encode())

    def resize(self, columns: int, lines: int) -> None:
        """Have another size."""
        self.columns, self.lines = columns, lines
        self.emulated.resize(lines, columns)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def first_byte(self, key: str, seconds: float = WAITS) -> float:
        """Press a key and return the seconds until the first byte of the answer."""
        started = time.monotonic()
        self.press(key)
        if not self.read(seconds):
            raise AssertionError(f"nothing was written for {key}; the screen:\n{self.text()}")
        return time.monotonic() - started

    # Its end

    def hang_up(self) -> None:
        """Take the terminal away, as a lost line does."""
        os.close(self._file)
        self._file = -1

    def wait_end(self, seconds: float = WAITS) -> int:
        """Return the exit status once the program has ended."""
        until = time.monotonic() + seconds
        while self.status is None:
            if time.monotonic() > until:
                raise AssertionError(f"the program goes on; the screen:\n{self.text()}")
            if not self.read(min(0.1, max(0.0, until - time.monotonic()))):
                self._reap(block=False)
        return self.status

    def kill(self) -> None:
        """End the program, whatever it does."""
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._reap(block=True)
        with suppress(OSError):
            os.close(self._file)

    def _reap(self, *, block: bool) -> None:
        if self.status is None:
            pid, status = os.waitpid(self.pid, 0 if block else os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)


def line_of(cells: Sequence[str]) -> str:
    """Return a line of cells; one half of a wide character whose other half was written over is a blank.

    pyte's own `display` fails there (0.8.2).
    """
    shown: list[str] = []
    wide = False
    for data in cells:
        if wide and data:
            shown[-1] = " "
        if data or not wide:
            shown.append(data or " ")
        wide = bool(data) and wcwidth(data[0]) == 2
    return "".join(shown)
