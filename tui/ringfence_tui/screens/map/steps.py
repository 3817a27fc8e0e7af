"""Work over many edges in steps, so that keys are heard in between."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator, Sequence
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")
Steps = Generator[None, None, T]  # yields where it can be interrupted, returns what it made
STEP = 500  # edges; so many take some 2 ms at most
AT_A_TIME = 0.008  # seconds before others have a turn


def slices(every: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the parts of a sequence that a step works on."""
    for first in range(0, len(every), STEP):
        yield every[first : first + STEP]


def at_once(steps: Steps[T]) -> T:
    """Return what steps make, without a pause."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: T = end.value
            return made


async def in_turns(steps: Steps[T]) -> T:
    """Return what steps make; the event loop has its turn every few milliseconds."""
    began = perf_counter()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: T = end.value
            return made
        if perf_counter() - began > AT_A_TIME:
            await asyncio.sleep(0)
            began = perf_counter()
