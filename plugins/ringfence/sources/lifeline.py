"""A pipe by which a program that we started notices that nobody waits for its answer any more."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

UNTIL = "--until"  # before the command, for `ansible_listing.py`: the descriptor at whose end it ends
_held: set[int] = set()
_holding = threading.Lock()


@contextmanager
def lifeline() -> Iterator[int]:
    """Yield a descriptor for a program. It comes to its end when this process does, however that is, or at `let_go`."""
    reading, writing = os.pipe()
    with _holding:
        _held.add(writing)
    try:
        yield reading
    finally:
        os.close(reading)
        with _holding:
            if writing in _held:
                _held.remove(writing)
                os.close(writing)


def let_go() -> None:
    """Have all programs end that hold on to this process."""
    with _holding:
        while _held:
            os.close(_held.pop())
