"""Keys one at a time: the next one goes where the one before has led to, however fast they come.

Textual gives every widget a queue of its own, so keys that arrive in one packet would all go to what had the focus when
the first of them was pressed: behind a slow line, `/role=db` would mark and sort rows instead of finding them.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from textual.app import App
    from textual.dom import DOMNode

# What is pasted goes where the key before it has led to, as a key does.
Pressed = events.Key | events.Paste
# How often the way from the focused widget to the application is gone: a key becomes a message (enter in a field), that
# one another (of our own class), and the screen hears of the last.
ROUNDS = 3
HELD_AT_MOST = 1.0  # seconds that keys wait for what is being opened, or for an earlier key
LOOKS_EVERY = 0.05  # seconds between looks whether the widget that works on a key is still there


class KeyOrder:
    """Holds keys back while an earlier one is worked on, or something that takes the keys is being opened."""

    def __init__(
        self, app: App[int], forward: Callable[[Pressed], Awaitable[None]], ready: Callable[[], None] = lambda: None
    ) -> None:
        self.app = app
        self.forward = forward
        self.ready = ready  # called before each key is forwarded
        self.waiting: deque[Pressed] = deque()
        self.busy = False
        self.holds = 0
        self.number = 0
        self.began = 0.0
        self.at: DOMNode = app

    async def take(self, key: Pressed) -> None:
        """Forward a key, now or when it is its turn."""
        if self.busy or self.holds:
            self.waiting.append(key)
            return
        await self._begin(key)

    def hold(self) -> None:
        """Have keys wait for what is being opened."""
        self.holds += 1
        self.app.set_timer(HELD_AT_MOST, self._give_up)

    def release(self) -> None:
        """Let keys go on: what was opened takes them now."""
        if self.holds:
            self.holds -= 1
            self.app.call_later(self._next)

    def _give_up(self) -> None:
        if self.holds:
            self.release()

    async def _begin(self, key: Pressed) -> None:
        self.busy = True
        self.number += 1
        self.began = time.monotonic()
        self.ready()
        start = self.app.focused or self.app.screen
        self.at = start
        self._look(self.number)
        await self.forward(key)
        self._climb(start, start, 1, self.number)

    def _climb(self, node: DOMNode, start: DOMNode, round_: int, number: int) -> None:
        """Ask a node, once it has worked on everything before, to ask its parent, up to the application."""
        if number != self.number:
            return
        if node is self.app:
            self.at = start
            if round_ >= ROUNDS or not start.call_later(self._climb, start, start, round_ + 1, number):
                self.app.call_later(self._done, number)
            return
        self.at = node
        above = node.parent if node.parent is not None else self.app
        if not node.call_later(self._climb, above, start, round_, number):
            self.app.call_later(self._done, number)

    def _look(self, number: int) -> None:
        """Go on where the widget that was asked has been removed: it drops what it was to do."""
        if number != self.number or not self.busy:
            return
        if not self.at.is_running or time.monotonic() - self.began > HELD_AT_MOST:
            self.app.call_later(self._done, number)
        else:
            asyncio.get_running_loop().call_later(LOOKS_EVERY, self._look, number)

    async def _done(self, number: int) -> None:
        if self.busy and number == self.number:
            self.busy = False
            await self._next()

    async def _next(self) -> None:
        if self.waiting and not self.busy and not self.holds:
            await self._begin(self.waiting.popleft())
