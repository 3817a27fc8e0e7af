"""What other firewalls of both ends do with a connection that Ringfence allows, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from ringfence.beside import Finding, Others
from ringfence.model.intervals import Interval, IntervalSet

if TYPE_CHECKING:
    from ringfence.analysis.query_endpoints import Terminal

# Stretches of services that are judged for one answer, and characters of the reports that they are judged by, times
# the stretches: who controls a host may tell rules that take long.
MOST = 400
MOST_WORK = 30_000_000


@dataclass(frozen=True, slots=True)
class BesideSide:
    """What other firewalls of a host do (`finding`; None: it passes them), told by it at a time (ISO text).

    `through`: the host is no end, it may forward the packet.
    """

    host: str
    finding: Finding | None
    seen: str
    through: bool = False

    @property
    def cuts(self) -> bool:
        """Return whether they cut it."""
        return self.finding is not None and self.finding.cut

    @property
    def short(self) -> str:
        """Return what they do, in a few words: `cut by ufw on db-1`."""
        if self.finding is None:
            return f"passes the other firewalls on {self._where}"
        if not self.finding.cut:
            return f"not proven on {self._where}"
        return f"{'replies ' if self.finding.replies else ''}cut by {self.finding.owner} on {self._where}"

    @property
    def _where(self) -> str:
        return f"{self.host}, where it forwards it" if self.through else self.host

    def __str__(self) -> str:
        told = f"told {self.seen}"
        if self.finding is None:
            return f"{self.short} ({told})"
        if self.finding.cut:
            return f"{self.short} ({self.finding.place}; {told})"
        return f"other firewalls on {self._where}: {self.finding} ({told})"

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        found = self.finding.data() if self.finding else {"verdict": "passes"}
        return {"host": self.host, "told": self.seen, **found}


def by_others(
    client: Terminal, server: Terminal, services: IntervalSet, others: Mapping[str, Others], ways: Sequence[str] = ()
) -> Iterator[tuple[IntervalSet, tuple[BesideSide | None, ...]]]:
    """Yield services with what other firewalls of the client and of the server do with them, in as few parts as can be.

    Behind these two comes what those of `ways` do, hosts that may forward it. A host that told nothing has None.
    """
    own = client.asset is not None and client.asset == server.asset
    asked: list[tuple[str, dict[str, bool]]] = [
        *(
            (one.asset.name if one.asset else "", {"inbound": inbound, "own": own})
            for one, inbound in ((client, False), (server, True))
        ),
        *((one, {"through": True}) for one in ways),
    ]
    ends = [(name, others[name], how) if name in others else None for name, how in asked]
    if not any(ends):
        yield services, tuple(None for _ in ends)
        return
    pieces = [services]
    for end in ends:
        if end is not None:
            pieces = [
                IntervalSet((stretch,)) for piece in pieces for stretch in islice(end[1].stretches(piece), MOST + 1)
            ]
    size = sum(end[1].size for end in ends if end is not None)
    if len(pieces) > 1 and len(pieces) > min(MOST, MOST_WORK // max(1, size)):
        many = Finding(False, "", "", "very many services at once: ask for fewer")
        yield services, tuple(_side(end, many) if end else None for end in ends)
        return
    found: dict[tuple[BesideSide | None, ...], list[Interval]] = {}
    for piece in pieces:
        low = piece.intervals[0][0]
        sides = tuple(
            _side(end, end[1].finding(client.point, server.point, low, **end[2])) if end else None for end in ends
        )
        found.setdefault(sides, []).extend(piece.intervals)
    for sides, intervals in found.items():
        yield IntervalSet.of(intervals), sides


def _side(end: tuple[str, Others, dict[str, bool]], finding: Finding | None) -> BesideSide:
    name, others, how = end
    return BesideSide(name, finding, others.seen, how.get("through", False))


def sent_elsewhere(
    client: Terminal, server: Terminal, services: IntervalSet, others: Others | None
) -> Iterator[tuple[IntervalSet, str]]:
    """Yield services with the translation by which the server's host may send them on to another, else with nothing."""
    stretches = list(islice(others.stretches(services), MOST + 1)) if others else []
    if others is None or len(stretches) > MOST:
        yield services, ""
        return
    found: dict[str, list[Interval]] = {}
    for low, high in stretches:
        one = others.sent_elsewhere(client.point, server.point, low)
        text = f"{one.owner} ({one.place}; {one.because})" if one else ""
        found.setdefault(text, []).append((low, high))
    for text, intervals in found.items():
        yield IntervalSet.of(intervals), text
