"""What a host denied since it got its table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HostDenials:
    """Packets that a host denied, and that mode full would deny; `by_rule` has the most first.

    `reason` says why it told nothing, empty where it did.
    """

    host: str
    denied: int = 0
    watched: int = 0
    by_rule: tuple[tuple[str, int], ...] = ()
    reason: str = ""
