"""Services as points, `protocol * 65536 + port`, as in a verdict table: pieces, their comparison, and words for them.

Not every point can be met: ICMP has 256 message types and exists in IPv4 only (ICMPv6 likewise), and only TCP, UDP and
SCTP have ports; any other protocol is the one point of its port 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .vendored.service_words import BLOCK, ICMP, ICMPV6, SCTP, TCP, UDP, protocol_text

LAST_POINT = 256 * BLOCK - 1
_PORTS = {TCP: BLOCK, UDP: BLOCK, SCTP: BLOCK}
# Family -> protocols that are told apart by a header of their own, and how many values that has.
HEADERS = {4: {ICMP: 256, **_PORTS}, 6: {ICMPV6: 256, **_PORTS}}


class Outcome(NamedTuple):
    """An effect (`allow`, `deny`, `watch`), the rule that decided it, and whether it is logged."""

    effect: str
    rule: str
    log: bool


class Piece(NamedTuple):
    """A closed interval of points and its outcome."""

    low: int
    high: int
    outcome: Outcome


class PieceDifference(NamedTuple):
    """Points of a family where two service maps do not agree."""

    low: int
    high: int
    expected: Outcome
    found: Outcome


def pieces_of(data: list[list[Any]]) -> tuple[Piece, ...]:
    """Return a service map of a table as pieces."""
    return tuple(Piece(int(low), int(high), Outcome(str(e), str(rule), bool(log))) for low, high, e, rule, log in data)


def piece_differences(expected: tuple[Piece, ...], found: tuple[Piece, ...], family: int) -> list[PieceDifference]:
    """Return every point that can be met in a family and has two different outcomes; intervals stay in one protocol."""
    differences: list[PieceDifference] = []
    i = j = low = 0
    while i < len(expected) and j < len(found):
        high = min(expected[i].high, found[j].high)
        if expected[i].outcome != found[j].outcome:
            for first, last in _met(low, high, family):
                differences.append(PieceDifference(first, last, expected[i].outcome, found[j].outcome))
        i, j, low = i + (expected[i].high == high), j + (found[j].high == high), high + 1
    return differences


def _met(low: int, high: int, family: int) -> list[tuple[int, int]]:
    """Return the points between two that can be met, by protocol."""
    met = []
    for protocol in range(low // BLOCK, high // BLOCK + 1):
        start = protocol * BLOCK
        first, last = max(low, start), min(high, start + HEADERS[family].get(protocol, 1) - 1)
        if first <= last:
            met.append((first, last))
    return met


def words(intervals: list[tuple[int, int]], family: int) -> list[str]:
    """Return words for points of a family that can be met, all of which a policy's grammar reads; `any` for all."""
    whole: list[str] = []
    parts: list[str] = []
    for low, high in intervals:
        protocol, first, last = low // BLOCK, low % BLOCK, high % BLOCK
        every = last - first + 1 == HEADERS[family].get(protocol, 1)
        told = protocol in HEADERS[family]
        text = protocol_text(protocol, first, last, whole=every) if told else f"ip/{protocol}"
        (whole if every else parts).append(text)
    # what has a name comes first
    whole.sort(key=lambda text: text.startswith("ip/"))
    return ["any"] if len(whole) == 256 else [*whole, *parts]


def every_protocol(family: int) -> list[str]:
    """Return the words for all protocols of a family, as `words` gives them."""
    return [protocol_text(one, 0, 0, whole=True) if one in HEADERS[family] else f"ip/{one}" for one in range(256)]
