"""The board of a rollout: waves, their hosts, and what each host is at, as values that cross a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nsmallest

from ringfence.model.run_states import LIVING


class Phase(StrEnum):
    """What a host is at, as its sign on the board."""

    NEXT = "·"
    HELD = "‖"
    WORKS = "▸"
    WELL = "✓"
    FAILED = "✗"
    EXCUSED = "–"
    LEFT = "?"


# A host in one of these has ended, in this run.
ENDED = frozenset({Phase.WELL, Phase.FAILED, Phase.EXCUSED, Phase.LEFT})
# Hosts in these keep the next wave from beginning.
STOPS = frozenset({Phase.FAILED, Phase.LEFT})
# What a person looks for first.
FIRST = (Phase.FAILED, Phase.LEFT, Phase.WORKS, Phase.HELD, Phase.EXCUSED, Phase.NEXT, Phase.WELL)


@dataclass(frozen=True, slots=True)
class BoardHost:
    """One host. Times are ISO text in UTC, empty where nothing was said.

    `word` says the phase in a word or two, `until` when a step that has a limit ends, `tries` how often it was begun.
    """

    name: str
    wave: int
    phase: Phase = Phase.NEXT
    word: str = "next"
    reason: str = ""
    since: str = ""
    ended: str = ""
    until: str = ""
    tries: int = 0
    changed: bool = False
    denied: int = 0
    warnings: tuple[str, ...] = ()
    said: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BoardWave:
    """The counts of a wave by phase, when its first host began and its last one ended."""

    number: int
    name: str
    hosts: int
    counts: Mapping[Phase, int]
    began: str = ""
    ended: str = ""

    @property
    def done(self) -> int:
        """Return how many hosts have ended."""
        return sum(count for phase, count in self.counts.items() if phase in ENDED)

    @property
    def over(self) -> bool:
        """Return whether every host has ended."""
        return self.done == self.hosts

    @property
    def begun(self) -> bool:
        """Return whether a host of it is at work or has ended."""
        return self.done > 0 or Phase.WORKS in self.counts

    @property
    def stops(self) -> int:
        """Return how many hosts keep the next wave from beginning."""
        return sum(count for phase, count in self.counts.items() if phase in STOPS)


@dataclass(frozen=True, slots=True)
class BoardHead:
    """What is said of the whole run; `state` is that of `runs`, `waits` says what keeps a wave from beginning.

    `back_by` names who rolled it back, `back_run` the run that brings the plan before back, `back_error` why none does.
    """

    run: str
    plan: str
    who: str
    commit: str
    started: str
    state: str
    ended: str = ""
    process: int | None = None
    confirm_within: int = 30
    limit: tuple[str, ...] = ()
    pause: bool = False
    abort: bool = False
    excuse: tuple[str, ...] = ()
    waits: str = ""
    error: str = ""
    waves: tuple[BoardWave, ...] = ()
    back_by: str = ""
    back_run: str = ""
    back_error: str = ""

    @property
    def lives(self) -> bool:
        """Return whether its process works."""
        return self.state in LIVING

    def count(self, *phases: Phase) -> int:
        """Return how many hosts of all waves are in one of these phases."""
        return sum(wave.counts.get(phase, 0) for wave in self.waves for phase in phases)


@dataclass(frozen=True, slots=True)
class BoardChange:
    """The board's head, and the hosts that changed since the change before: the first one has them all."""

    head: BoardHead
    hosts: tuple[BoardHost, ...] = ()

    def parts(self, most: int) -> Iterator[BoardChange]:
        """Yield it in parts of so many hosts at most, so that whoever takes them can do something else in between."""
        yield BoardChange(self.head, self.hosts[:most])
        for start in range(most, len(self.hosts), most):
            yield BoardChange(self.head, self.hosts[start : start + most])


@dataclass(frozen=True, slots=True)
class Board:
    """A whole board."""

    head: BoardHead
    hosts: Mapping[str, BoardHost] = field(default_factory=dict)

    def of_wave(self, number: int, most: int | None = None) -> Sequence[BoardHost]:
        """Return the hosts of a wave, what a person looks for first, then by name, and not more than `most`."""
        found: dict[Phase, list[BoardHost]] = {phase: [] for phase in FIRST}
        for host in self.hosts.values():
            if host.wave == number:
                found[host.phase].append(host)
        chosen: list[BoardHost] = []
        for hosts in found.values():
            left = None if most is None else most - len(chosen)
            chosen += (
                nsmallest(left, hosts, key=_name)
                if left is not None and left < len(hosts)
                else sorted(hosts, key=_name)
            )
        return chosen

    def failed(self) -> tuple[str, ...]:
        """Return the names of the hosts that keep the next wave from beginning."""
        return tuple(sorted(name for name, host in self.hosts.items() if host.phase in STOPS))


def _name(host: BoardHost) -> str:
    return host.name


def merged(board: Board | None, change: BoardChange) -> Board:
    """Return a board after a change; one of another run begins anew."""
    before = board.hosts if board is not None and board.head.run == change.head.run else {}
    return Board(change.head, {**before, **{host.name: host for host in change.hosts}})
