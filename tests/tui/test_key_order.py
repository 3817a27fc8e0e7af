"""Keys one at a time: the next one is not lost with the widget that the one before was given to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from ringfence_tui import key_order
from ringfence_tui.key_order import KeyOrder
from textual import events


class Widget:
    """A widget that takes calls and never makes them."""

    parent = None

    def __init__(self, *, is_running: bool) -> None:
        self.is_running = is_running

    def call_later(self, *_call: object) -> bool:
        """Take a call."""
        return True


class App:
    """An application whose focused widget has a key."""

    is_running = True

    def __init__(self, focused: Widget) -> None:
        self.focused = self.screen = focused

    def call_later(self, call: Callable[..., Awaitable[None]], *given: object) -> bool:
        """Make a call."""
        self.called = asyncio.ensure_future(call(*given))
        return True


@pytest.mark.parametrize("there", [False, True])
def test_a_key_does_not_wait_for_one_whose_widget_is_gone_or_busy_for_long(
    there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_order, "LOOKS_EVERY", 0.001)
    monkeypatch.setattr(key_order, "HELD_AT_MOST", 0.01 if there else 1000)

    async def within() -> list[str]:
        forwarded: list[str] = []
        second = asyncio.Event()

        async def forward(key: events.Key) -> None:
            forwarded.append(key.key)
            if key.key == "q":
                second.set()

        keys = KeyOrder(App(Widget(is_running=there)), forward)  # type: ignore[arg-type]
        await keys.take(events.Key("d", "d"))
        await keys.take(events.Key("q", "q"))
        assert forwarded == ["d"]
        await asyncio.wait_for(second.wait(), 10)
        return forwarded

    assert asyncio.run(within()) == ["d", "q"]
