"""A service map as an enforcer asks it: runs of protocols, and the ports or message types of a single protocol.

Which packet may lack the header that a verdict needs, and what decides then, is one question for every enforcer that
judges packets: the strictest outcome that the header could have led to.
"""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.model.services import BLOCK, ICMP, ICMPV6, SCTP, TCP, UDP
from ringfence.model.tables import Effect, Outcome, Piece, ServiceMap

MESSAGE_TYPES = 256
_PORTS = {TCP: BLOCK, UDP: BLOCK, SCTP: BLOCK}
# Family -> protocols with a header that verdicts may depend on, and how many values that has.
HEADERS = {4: {ICMP: MESSAGE_TYPES, **_PORTS}, 6: {ICMPV6: MESSAGE_TYPES, **_PORTS}}
STRENGTH = (Effect.DENY, Effect.WATCH, Effect.ALLOW)

Run = tuple[int, int, list[Piece]]


def runs_of(services: ServiceMap, family: int) -> list[Run]:
    """Return runs of protocols, sorted, with their pieces: one piece, or the ports or types of a single protocol."""
    headers = HEADERS[family]
    starts: dict[int, list[Piece]] = {protocol: [] for protocol in headers}
    runs: list[Run] = []
    for low, high, outcome in services.pieces:
        for protocol, size in headers.items():
            first, last = max(low - protocol * BLOCK, 0), min(high - protocol * BLOCK, size - 1)
            if first <= last:
                starts[protocol].append((first, last, outcome))
        first, last = (low + BLOCK - 1) // BLOCK, high // BLOCK
        for protocol in (*sorted(headers), 256):
            if first < protocol and first <= last:
                runs.append((first, min(last, protocol - 1), [(0, 0, outcome)]))
            first = max(first, protocol + 1)
    runs += [(protocol, protocol, pieces) for protocol, pieces in starts.items()]
    return sorted(runs, key=lambda run: run[0])


def strictest(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the first deny, else the first watch, else the first: for a packet that lacks the header to tell."""
    return min(outcomes, key=lambda outcome: STRENGTH.index(outcome.effect))
