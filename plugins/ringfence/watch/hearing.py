"""Who hears of a watch while it lasts: one overrides what it wants to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.watch.events import WatchEvent
    from ringfence.watch.violations import Status, Violation


class Hearing:
    """Hears nothing. Methods are called by the thread that watches, one after another."""

    def event(self, event: WatchEvent, status: Status | None) -> None:
        """Take what was seen; `status` is that of its violation, None where it is none."""

    def violation(self, violation: Violation) -> None:
        """Take a violation that is new, or new again."""

    def host(self, host: str, why: str) -> None:
        """Take that a host is watched from now on, or why it is silent."""

    def note(self, text: str) -> None:
        """Take a sentence about the watch that asks for attention."""
