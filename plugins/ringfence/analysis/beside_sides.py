"""What other firewalls of both ends do with a connection that Ringfence allows, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    """What other firewalls of a host do (`finding`; None: it passes them), told by it at a time (ISO text)."""

    host: str
    finding: Finding | None
    seen: str

    @property
    def cuts(self) -> bool:
        """Return whether they cut it."""
        return self.finding is not None and self.finding.cut

    @property
    def short(self) -> str:
        """Return what they do, in a few words: `cut by ufw on db-1`."""
        if self.finding is None:
            return f"passes the other firewalls on {self.host}"
        if not self.finding.cut:
            return f"not proven on {self.host}"
        return f"{'replies ' if self.finding.replies else ''}cut by {self.finding.owner} on {self.host}"

    def __str__(self) -> str:
        told = f"told {self.seen}"
        if self.finding is None:
            return f"{self.short} ({told})"
        if self.finding.cut:
            return f"{self.short} ({self.finding.place}; {told})"
        return f"other firewalls on {self.host}: {self.finding} ({told})"

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        found = self.finding.data() if self.finding else {"verdict": "passes"}
        return {"host": self.host, "told": self.seen, **found}


def by_others(
    client: Terminal, server: Terminal, services: IntervalSet, others: Mapping[str, Others]
) -> Iterator[tuple[IntervalSet, tuple[BesideSide | None, BesideSide | None]]]:
    """Yield services with what other firewalls of the client and of the server do with them, in as few parts as can be.

    A host that told nothing has None.
    """
    own = client.asset is not None and client.asset == server.asset
    ends = [
        (one.asset.name, others[one.asset.name], inbound) if one.asset and one.asset.name in others else None
        for one, inbound in ((client, False), (server, True))
    ]
    if ends == [None, None]:
        yield services, (None, None)
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
        first, second = (BesideSide(end[0], many, end[1].seen) if end else None for end in ends)
        yield services, (first, second)
        return
    found: dict[tuple[BesideSide | None, BesideSide | None], list[Interval]] = {}
    for piece in pieces:
        low = piece.intervals[0][0]
        first, second = (
            BesideSide(end[0], end[1].finding(client.point, server.point, low, inbound=end[2], own=own), end[1].seen)
            if end
            else None
            for end in ends
        )
        found.setdefault((first, second), []).extend(piece.intervals)
    for sides, intervals in found.items():
        yield IntervalSet.of(intervals), sides
