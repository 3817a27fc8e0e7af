"""Programs of the benchmark `tui`: `bare` is Textual with one label, `timed FILE` ours with a clock at its event loop.

The clock writes a line for each handler that held the loop for 5 ms or more: when it ended, milliseconds of its
thread's processor time, which other work on the machine does not lengthen, and what it was: its name, what Textual
dispatched in it, and garbage that was looked for.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from typing import Any

TOLD_FROM = 0.005  # seconds


def bare() -> None:
    """Run an application of one label."""
    from textual.app import App, ComposeResult
    from textual.widgets import Label

    class Bare(App[None]):
        def compose(self) -> ComposeResult:
            yield Label("Here it is")

    Bare().run()


def timed(told: str) -> int:
    """Run our application, and write into a file what held its loop."""
    run = asyncio.events.Handle._run  # type: ignore[attr-defined]
    within = _heard()

    def clocked(handle: Any) -> None:
        within.clear()
        began = time.thread_time()
        run(handle)
        spent = time.thread_time() - began
        if spent >= TOLD_FROM:
            what = ", ".join((_name(handle), *dict.fromkeys(within)))
            file.write(f"{time.monotonic()} {spent * 1000:.1f} {what}\n")
            file.flush()

    asyncio.events.Handle._run = clocked  # type: ignore[attr-defined]
    from ringfence_tui.launch import run as launch

    with open(told, "w") as file:  # noqa: PTH123
        return launch()


def _name(handle: Any) -> str:
    """Return what a handler is called: a task by what it runs."""
    call = handle._callback
    task = getattr(call, "__self__", None)
    return task.get_coro().__qualname__ if isinstance(task, asyncio.Task) else getattr(call, "__qualname__", repr(call))


def _heard() -> list[str]:
    """Return a list that grows by what is dispatched and by garbage that is looked for."""
    from textual.message_pump import MessagePump

    heard: list[str] = []
    dispatch = MessagePump._dispatch_message

    async def told(pump: Any, message: Any) -> None:
        heard.append(f"{type(message).__name__} of {type(pump).__name__}")
        await dispatch(pump, message)

    MessagePump._dispatch_message = told  # type: ignore[method-assign]
    gc.callbacks.append(lambda phase, info: heard.append(f"garbage {info['generation']}") if phase == "stop" else None)
    return heard


if __name__ == "__main__":
    sys.exit(timed(sys.argv[2]) if sys.argv[1] == "timed" else bare())
