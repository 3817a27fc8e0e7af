"""Times of work done here: wall and CPU seconds, peers in turns in one run, medians."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Times:
    """Seconds by the clock, and seconds of processor time of this process and the children it has waited for."""

    wall: float
    cpu: float


def timed(work: Callable[[], T]) -> tuple[Times, T]:
    """Return how long a piece of work took, and its result."""
    wall, cpu = time.monotonic(), processor_seconds()
    result = work()
    return Times(time.monotonic() - wall, processor_seconds() - cpu), result


def in_turns(works: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, Times]:
    """Return the median times of every work; each is done once a round, so that all meet the same machine."""
    found: dict[str, list[Times]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            found[name].append(timed(work)[0])
    return {name: middle(times) for name, times in found.items()}


def middle(times: list[Times]) -> Times:
    """Return the median of each kind of seconds."""
    return Times(median(one.wall for one in times), median(one.cpu for one in times))


def processor_seconds() -> float:
    """Return the processor time spent so far."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in spent)


def peak_megabytes() -> float:
    """Return the most memory that this process has held at once."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
