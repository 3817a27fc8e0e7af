# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Limits on what a host may take of its controller: seconds, and bytes of what it answers.

Ansible's connections read until a host has said everything, and wait for ever where it says nothing. A timer of this
process looks at both while they read; a limit on the host's side would not hold one that does not keep to it.
"""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# A table of three hundred thousand elements is listed in this. Ansible keeps an answer several times over, also as a
# list of its lines, which takes twenty times the memory.
MOST_BYTES = 16_000_000
# Seconds between two looks.
TICK = 0.2


class Overrun(BaseException):
    """A host took longer, or sent more, than its limit.

    Not an Exception: connection plug-ins would take it for a failure of the line and try again.
    """


@contextmanager
def limited(seconds: float, most_bytes: int = MOST_BYTES) -> Iterator[None]:
    """Within this, raise Overrun after `seconds`, or after this thread has read `most_bytes`.

    What was started within it and still runs then, such as ssh, is killed. In a thread other than the main one, where
    no signal arrives, there is no limit; Ansible runs actions in the main thread of a process for each.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    began, read = time.monotonic(), _bytes_read()
    running = set(_descendants(os.getpid()))
    before = signal.getsignal(signal.SIGALRM)

    def look(number: int, frame: FrameType | None) -> None:
        if left and time.monotonic() - began >= left and callable(before):
            before(number, frame)
        if time.monotonic() - began >= seconds:
            raise Overrun(f"it did not answer within {seconds:g} s")
        if _bytes_read() - read > most_bytes:
            raise Overrun(f"its answer is longer than {most_bytes // 1_000_000} MB")

    signal.signal(signal.SIGALRM, look)
    # the task's own timeout, which is the same timer
    left, again = signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
    try:
        yield
    except Overrun:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for process in set(_descendants(os.getpid())) - running:
            _kill(process)
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, max(0.01, left - (time.monotonic() - began)) if left else 0, again)
        signal.signal(signal.SIGALRM, before)


def _bytes_read() -> int:
    """Return the bytes that this thread has read; where the kernel does not count them, what memory has grown to."""
    try:
        with open("/proc/thread-self/io", encoding="ascii") as file:
            return int(file.readline().removeprefix("rchar:"))
    except (OSError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _descendants(process: int) -> Iterator[int]:
    """Yield the processes that a process started, and that those started."""
    try:
        threads = os.listdir(f"/proc/{process}/task")
    except OSError:
        return
    for thread in threads:
        try:
            with open(f"/proc/{process}/task/{thread}/children", encoding="ascii") as file:
                children = [int(word) for word in file.read().split()]
        except OSError:
            continue
        for child in children:
            yield child
            yield from _descendants(child)


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except OSError:
        return  # it ended by itself
