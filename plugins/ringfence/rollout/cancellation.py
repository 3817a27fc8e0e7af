"""A wish to stop, which any thread may utter and the one that works heeds."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Cancelled(Exception):
    """The work was cancelled: there is no result, and nobody waits for one."""


class Cancellation:
    """Not wished for until `cancel` is called; then it stays so, and what was registered is called once."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._heed: list[Callable[[], None]] = []

    @property
    def wanted(self) -> bool:
        """Return whether somebody wants the work to stop."""
        return self._event.is_set()

    def heed(self) -> None:
        """Raise Cancelled where the work is to stop."""
        if self.wanted:
            raise Cancelled

    def cancel(self) -> None:
        """Have the work stop; again is without effect."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            heed, self._heed = self._heed, []
        for call in heed:
            call()

    def on_cancel(self, call: Callable[[], None]) -> None:
        """Have a function called when the work is to stop: at once where it is already."""
        with self._lock:
            if not self._event.is_set():
                self._heed.append(call)
                return
        call()

    def forget(self, call: Callable[[], None]) -> None:
        """Call a function no more."""
        with self._lock:
            self._heed = [one for one in self._heed if one != call]

    def wait(self, seconds: float) -> bool:
        """Wait so long at most; return whether the work is to stop."""
        return self._event.wait(seconds)
