"""Rules of other firewalls in one form, whatever they were written in: tests of three values, and what follows.

A test answers True, False, or None: what decides it is not known of the packet, or the test itself is not understood.
Nothing here guesses: None makes both ways possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from ringfence.beside.packets import Packet

Truth = bool | None
Test = Callable[[Packet], Truth]


@dataclass(frozen=True, slots=True)
class Match:
    """A test, and the words that it was written in."""

    test: Test
    text: str


class Kind(StrEnum):
    """What becomes of a packet that a rule is for."""

    ACCEPT = "accept"
    DROP = "drop"
    RETURN = "return"
    JUMP = "jump"
    GOTO = "goto"
    # nobody can tell what becomes of it, or as what it goes on: another address, another state, a program's answer
    UNKNOWN = "unknown"
    # it may be dropped here for reasons that are not understood, and goes on as it is otherwise
    MAYBE = "maybe"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows; `target` is the chain of a jump, or the words of what is not known."""

    kind: Kind
    target: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A verdict for packets that meet every test; with `choices` that of the first of these that a packet meets."""

    matches: tuple[Match, ...]
    verdict: Verdict | None
    number: int
    choices: tuple[tuple[Match, Verdict], ...] = ()


@dataclass(slots=True)
class Chain:
    """A chain; one of a hook has `hook`, the priority and whether its policy is to drop.

    `device`: it sees only packets of some interfaces or bridges, and nobody here knows of which.
    """

    name: str
    rules: list[Rule] = field(default_factory=list)
    hook: str = ""
    priority: int = 0
    drops: bool = False
    nat: bool = False
    device: bool = False


@dataclass(slots=True)
class Table:
    """A table: its chains by name, the families of packets that it sees, and how it is called to people.

    `counts` has how many rules each chain was told with, those without consequence included.
    """

    called: str
    name: str
    families: tuple[int, ...]
    chains: dict[str, Chain] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def all_of(values: Iterable[Truth]) -> Truth:
    """Return whether all hold: False as soon as one does not, None where that is not known."""
    found: Truth = True
    for value in values:
        if value is False:
            return False
        if value is None:
            found = None
    return found


def any_of(values: Iterable[Truth]) -> Truth:
    """Return whether one holds: True as soon as one does, None where that is not known."""
    found: Truth = False
    for value in values:
        if value is True:
            return True
        if value is None:
            found = None
    return found


def agreed(values: Iterable[bool]) -> Truth:
    """Return what all say, None where they differ."""
    found = set(values)
    return found.pop() if len(found) == 1 else None


def negated(value: Truth) -> Truth:
    """Return the opposite."""
    return None if value is None else not value


def remembered(test: Test) -> Test:
    """Return a test that is not tried again for the packet that it was tried for last."""
    last: list[tuple[Packet, Truth]] = []

    def once(packet: Packet) -> Truth:
        if not last or last[0][0] is not packet:
            last[:] = [(packet, test(packet))]
        return last[0][1]

    return once


def never_known(_packet: Packet) -> Truth:
    """Answer as a test that is not understood."""
    return None
