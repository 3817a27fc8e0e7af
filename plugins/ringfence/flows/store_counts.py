"""What an `add` to the store did, in figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Added:
    """What one `add` did: flows read, observations that were not in the store before, days written.

    `known` are files whose content was added before and of which nothing was read; `ambiguous` says of which addresses
    nothing said whose they were; `records` are those of sensors that the flows were folded from: of several files, a
    flow counts with the last that has a record of it; `twice` says of which sources flows and records came both.
    """

    read: int
    new: int
    days: tuple[date, ...]
    known: int = 0
    ambiguous: tuple[str, ...] = ()
    records: int = 0
    twice: tuple[str, ...] = ()

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        days = [day.isoformat() for day in self.days]
        return {
            "read": self.read,
            "new": self.new,
            "days": days,
            "known": self.known,
            "records": self.records,
            "twice": list(self.twice),
        }


NOTHING_ADDED = Added(0, 0, ())
