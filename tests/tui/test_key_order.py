"""Keys one at a time: the next one is not lost with the widget that the one before was given to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ringfence_tui import key_order
from ringfence_tui.key_order import HELD_AT_MOST, KeyOrder
from textual import events


class Gone:
    """A widget that takes calls and never makes them."""

    parent = None

    def call_later(self, *_call: object) -> bool:
        """Take a call."""
        return True


class App(Gone):
    """An application whose focused widget goes while it has a key."""

    def __init__(self) -> None:
        self.focused = Gone()
        self.screen = self.focused
        self.timers: list[Callable[[], Any]] = []

    def set_timer(self, _seconds: float, call: Callable[[], Any]) -> None:
        """Keep what is called then."""
        self.timers.append(call)


def test_a_key_waits_no_longer_than_a_second_for_one_whose_widget_is_gone(monkeypatch):
    async def within() -> list[str]:
        now, app, forwarded = [0.0], App(), []
        monkeypatch.setattr(key_order, "monotonic", lambda: now[0])

        async def forward(key: events.Key) -> None:
            forwarded.append(key.key)

        keys = KeyOrder(app, forward)  # type: ignore[arg-type]
        await keys.take(events.Key("d", "d"))
        await keys.take(events.Key("q", "q"))
        assert forwarded == ["d"]
        now[0] = HELD_AT_MOST
        await app.timers.pop()()
        assert not app.timers
        return forwarded

    assert asyncio.run(within()) == ["d", "q"]
