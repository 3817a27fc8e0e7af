"""How far judging flows is, and what a change makes of those that are judged so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ringfence.model.picture import SignCount


@dataclass(frozen=True, slots=True)
class SoFar:
    """The flows that a change denies or allows anew, of those that are judged so far."""

    denied: SignCount
    allowed: SignCount


class Told(Protocol):
    """Hears how many of how many groups of flows are judged, 0 of 0 before that is known; it may raise Cancelled."""

    def __call__(self, done: int, of: int, so_far: SoFar | None = None, /) -> None:
        """Hear it, and of a change what it does so far."""
        ...
