"""Waiting for what a test of screens needs, however busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.pilot import Pilot

from tests.tui.stub_engine import shown

# What has not come by then does not come.
SECONDS = 60


async def until(pilot: Pilot[int], holds: Callable[[str], bool] | str) -> str:
    """Return the screen when a text is on it, or a condition holds."""
    text = ""

    def there() -> bool:
        nonlocal text
        text = shown(pilot.app)  # type: ignore[arg-type]
        return holds in text if isinstance(holds, str) else holds(text)

    try:
        await until_true(pilot, there)
    except AssertionError:
        raise AssertionError(f"not on the screen: {holds}\n{text}") from None
    return text


async def until_true(pilot: Pilot[int], holds: Callable[[], object]) -> None:
    """Return when something holds."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it does not come"
        await pilot.pause(0.01)
