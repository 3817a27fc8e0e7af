"""Events on their way from the thread that reads to the application: never more than it can work on."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from textual.driver import Driver
from textual.events import Key, MouseEvent
from textual.message import Message

MOST_WAITING = 1000  # keys and clicks: nobody waits for what comes after them
SENT_AT_ONCE = 256  # events after which the application is waited for
LOOK = 0.1  # seconds between two looks whether the application leaves


class Handing:
    """Hands events on; `leaves` is set when the application leaves."""

    def __init__(self, driver: Driver, leaves: threading.Event) -> None:
        self.driver, self.leaves = driver, leaves
        self.sent = 0

    def hand(self, events: Iterable[Message]) -> None:
        """Hand events on, and drop keys and clicks beyond what the application can work on."""
        for event in events:
            if isinstance(event, Key | MouseEvent) and not leaves(event) and self._many_wait():
                continue
            self.driver.process_message(event)
            self.sent += 1
            if self.sent % SENT_AT_ONCE == 0:
                self._wait()

    def _many_wait(self) -> bool:
        app: Any = self.driver._app
        return bool(app.message_queue_size + len(app.key_order.waiting) > MOST_WAITING)

    def _wait(self) -> None:
        """Wait until the application has heard of everything, or leaves."""
        heard = threading.Event()
        self.driver._loop.call_soon_threadsafe(heard.set)
        while not heard.wait(LOOK) and not self.leaves.is_set():
            pass


def leaves(event: Message) -> bool:
    """Return whether an event is the key that leaves, which goes before all others."""
    return isinstance(event, Key) and event.key == "ctrl+q"
