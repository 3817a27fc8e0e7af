"""A pattern of a person's looked for in a text of a stranger's, within a bound of time."""

from __future__ import annotations

import re
import signal
import threading
from types import FrameType

# Seconds of this process that one search may take; what does not backtrack without end takes microseconds.
MOST = 1.0
# What may backtrack repeats something, and takes long in a long text only: in these many characters a million ways.
_REPEATS = re.compile(r"[*+{]")
SHORT = 20
# Patterns that took longer once: ten thousand assets would wait for each of them.
_slow: set[str] = set()


class _Overrun(Exception):
    """The time is over."""


def bounded_search(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Return the first match; raise ValueError where the search takes too long.

    A thread other than the main one gets no signals, and there the search has no bound.
    """
    if pattern.pattern in _slow:
        raise ValueError(_why(pattern))
    if len(text) <= SHORT or not _REPEATS.search(pattern.pattern):
        return pattern.search(text)
    if threading.current_thread() is not threading.main_thread():
        return pattern.search(text)
    if signal.getsignal(signal.SIGVTALRM) is not _over:
        signal.signal(signal.SIGVTALRM, _over)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST)
    try:
        return pattern.search(text)
    except _Overrun:
        _slow.add(pattern.pattern)
        raise ValueError(_why(pattern)) from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _over(_number: int, _frame: FrameType | None) -> None:
    raise _Overrun


def _why(pattern: re.Pattern[str]) -> str:
    return (
        f"the pattern '{pattern.pattern}' takes longer than {MOST:g} s on one text: it tries too many ways; "
        "write it without a repetition inside a repetition"
    )
