"""Patterns of label rules, searched in what sources say: a pattern that backtracks without end is given up.

What could take long is searched by a process of its own, since Python's `re` knows no limit and holds its interpreter.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import select
import subprocess
import sys
import threading
from functools import lru_cache

SECONDS = 1.0
# So long where a pattern was given up so often: what many hosts say must not add up, and the others still count.
_SECONDS_LATER, _OFTEN = 0.05, 5
# Steps that `re` takes in some hundredths of a second.
_FEW_STEPS = 2_000_000
_SLOWEST = 1 << 62
_ESCAPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEATED = re.compile(r"[*+]|\{\d*,\d*\}|\{\d{2,}\}")
# A group that is repeated as a whole, and what refers to one.
_NESTED = re.compile(r"\)(?:[*+]|\{)|\(\?P=|\(\?\(")
_SEARCHER = """
import json, re, sys
for line in sys.stdin:
    pattern, text = json.loads(line)
    found = re.search(pattern, text)
    print(json.dumps(None if found is None else [[found[0], *found.groups()], found.groupdict()]), flush=True)
"""

# What a search found: all of it and the groups by their numbers, and groups by their names.
Groups = tuple[list[str | None], dict[str, str | None]]


class GivenUpError(Exception):
    """A pattern was searched for too long in a text."""


def search(pattern: re.Pattern[str], text: str) -> Groups | None:
    """Return the first match of a pattern in a text, None for no match. Raise GivenUpError if that takes too long."""
    if _steps(pattern.pattern, len(text)) > _FEW_STEPS:
        return _SEARCHES.search(pattern.pattern, text)
    found = pattern.search(text)
    return None if found is None else ([found[0], *found.groups()], found.groupdict())


@lru_cache(maxsize=4096)
def _steps(pattern: str, length: int) -> int:
    """Return about how many steps a search may take: a repeat within a repeat doubles them with every character."""
    plain = _ESCAPED.sub("x", pattern)
    if _NESTED.search(plain) or re.search(r"\\[1-9]", pattern):
        return 2**length if length < 62 else _SLOWEST
    return int(min((length + 2) ** (1 + len(_REPEATED.findall(plain))), _SLOWEST))


class _Searches:
    """One process that searches for all threads, started when it is needed, and anew after a search was given up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._given_up: dict[str, int] = {}

    def search(self, pattern: str, text: str) -> Groups | None:
        with self._lock:
            given_up = self._given_up.get(pattern, 0)
            seconds = SECONDS if given_up < _OFTEN else _SECONDS_LATER
            line = self._asked(self._started(), json.dumps([pattern, text]).encode() + b"\n", seconds)
            if line is None:
                self._given_up[pattern] = given_up + 1
                self.end()
                raise GivenUpError(f"no value, for match() did not end in time with the pattern '{pattern}'")
        found = json.loads(line)
        return None if found is None else (found[0], found[1])

    def end(self) -> None:
        """End the process, where there is one and it is ours."""
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.kill()
            process.communicate()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            command = [sys.executable, "-I", "-c", _SEARCHER]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._owner = os.getpid()
            # It takes its time to start, and that is not time spent on a search.
            self._asked(self._process, b'["", ""]\n', 60.0)
        return self._process

    def _asked(self, process: subprocess.Popen[bytes], question: bytes, seconds: float) -> bytes | None:
        if process.stdin is None or process.stdout is None:
            return None
        try:
            process.stdin.write(question)
            process.stdin.flush()
        except BrokenPipeError:
            return None
        poll = select.poll()
        poll.register(process.stdout, select.POLLIN | select.POLLHUP)
        return process.stdout.readline() or None if poll.poll(seconds * 1000) else None


_SEARCHES = _Searches()
atexit.register(_SEARCHES.end)
