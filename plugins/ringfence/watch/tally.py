"""What a watch has seen so far, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts of a watch.

    `events` by kind; `hidden` were of one kind with an event that was told; `missed` lines were left out by hosts
    because one look had too many; `unnamed` packets are of peers that a kernel had no room for; `wrong` lines were none
    of a reader's; `not_believed` could not have been seen by their host. `silent` says why hosts are not watched now,
    `behind` by how many seconds a look of a host is late.
    """

    hosts: int = 0
    looks: int = 0
    events: Counter[str] = field(default_factory=Counter)
    hidden: int = 0
    missed: int = 0
    unnamed: int = 0
    wrong: int = 0
    not_believed: int = 0
    forgotten: int = 0
    violations: int = 0
    added: int = 0
    denied: bool = False
    silent: dict[str, str] = field(default_factory=dict)
    behind: dict[str, float] = field(default_factory=dict)
    sinks: list[dict[str, object]] = field(default_factory=list)

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {
            "hosts": self.hosts,
            "looks": self.looks,
            "events": dict(self.events),
            "hidden": self.hidden,
            "missed": self.missed,
            "unnamed": self.unnamed,
            "wrong": self.wrong,
            "not_believed": self.not_believed,
            "forgotten": self.forgotten,
            "violations": self.violations,
            "added": self.added,
            "silent": dict(sorted(self.silent.items())),
            "behind": {host: round(seconds, 1) for host, seconds in sorted(self.behind.items())},
            "sinks": self.sinks,
        }
