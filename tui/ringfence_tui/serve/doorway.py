"""Connections that have not passed the gate yet: few at a time, and each for some seconds.

Whoever reaches the port may open connections and say nothing, or a letter a minute; those cost no session and no
file descriptor for long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp.web_protocol import RequestHandler

AT_MOST = 64  # connections; a page needs some six
ASKS_WITHIN = 10.0  # seconds for a whole request
KEPT = 15.0  # seconds that one stays open between requests


@dataclass
class Doorway:
    """Makes the protocol of each connection. One too many ends the oldest that waits, so that the newest gets in."""

    make: Callable[[], RequestHandler]
    asks_within: float = ASKS_WITHIN
    _waiting: dict[RequestHandler, None] = field(default_factory=dict)

    def connection(self) -> RequestHandler:
        """Return the protocol of a new connection."""
        while len(self._waiting) >= AT_MOST:
            self._end(next(iter(self._waiting)))
        made = self.make()
        self._waiting[made] = None
        asyncio.get_running_loop().call_later(self.asks_within, self._end, made)
        return made

    def passed(self, connection: object) -> None:
        """Let a connection stay: it has asked for something with the right address."""
        self._waiting.pop(connection, None)  # type: ignore[call-overload]  # another protocol is none of ours

    def _end(self, connection: RequestHandler) -> None:
        if connection in self._waiting:
            del self._waiting[connection]
            if connection.transport is not None:
                connection.transport.abort()
