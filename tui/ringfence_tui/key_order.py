"""Keys one at a time: the next one goes where the one before has led to, however fast they come.

Textual gives every widget a queue of its own, so keys that arrive in one packet would all go to what had the focus when
the first of them was pressed: behind a slow line, `/role=db` would mark and sort rows instead of finding them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from textual.app import App
    from textual.dom import DOMNode

# How often the way from the focused widget to the application is gone: a key becomes a message (enter in a field), that
# one another (of our own class), and the screen hears of the last.
ROUNDS = 3
HELD_AT_MOST = 1.0  # seconds that keys wait for what is being opened


class KeyOrder:
    """Holds keys back while an earlier one is worked on, or something that takes the keys is being opened."""

    def __init__(self, app: App[int], forward: Callable[[events.Key], Awaitable[None]]) -> None:
        self.app = app
        self.forward = forward
        self.waiting: deque[events.Key] = deque()
        self.busy = False
        self.holds = 0
        self._began = 0.0
        self._looks = False

    async def take(self, key: events.Key) -> None:
        """Forward a key, now or when it is its turn."""
        self.waiting.append(key)
        if self.busy and not self._looks:
            self._looks = True
            self.app.set_timer(HELD_AT_MOST, self._look)
        await self._next()

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

    async def _look(self) -> None:
        """Go on where the widget that a key was given to is gone, and its answer with it."""
        self._looks = False
        if not self.waiting:
            return
        if self.busy and monotonic() - self._began >= HELD_AT_MOST:
            self.busy = False
        elif self.busy:
            self._looks = True
            self.app.set_timer(HELD_AT_MOST, self._look)
        await self._next()

    async def _begin(self, key: events.Key) -> None:
        self.busy = True
        self._began = monotonic()
        start = self.app.focused or self.app.screen
        await self.forward(key)
        self._climb(start, start, 1)

    def _climb(self, node: DOMNode, start: DOMNode, number: int) -> None:
        """Ask a node, once it has worked on everything before, to ask its parent, up to the application."""
        if node is self.app:
            if number >= ROUNDS or not start.call_later(self._climb, start, start, number + 1):
                self.app.call_later(self._done)
            return
        above = node.parent if node.parent is not None else self.app
        if not node.call_later(self._climb, above, start, number):
            self.app.call_later(self._done)

    async def _done(self) -> None:
        self.busy = False
        await self._next()

    async def _next(self) -> None:
        if self.waiting and not self.busy and not self.holds:
            await self._begin(self.waiting.popleft())
