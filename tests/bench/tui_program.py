"""Programs of the benchmark `tui`: `bare` is Textual with one label, `timed FILE` ours with a clock at its event loop.

The clock writes a line for each handler that held the loop for 5 ms or more: when it ended, and milliseconds of its
thread's processor time, which other work on the machine does not lengthen.
"""

from __future__ import annotations

import asyncio
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

    def clocked(handle: Any) -> None:
        began = time.thread_time()
        run(handle)
        spent = time.thread_time() - began
        if spent >= TOLD_FROM:
            file.write(f"{time.monotonic()} {spent * 1000:.1f}\n")
            file.flush()

    asyncio.events.Handle._run = clocked  # type: ignore[attr-defined]
    from ringfence_tui.launch import run as launch

    with open(told, "w") as file:  # noqa: PTH123
        return launch()


if __name__ == "__main__":
    sys.exit(timed(sys.argv[2]) if sys.argv[1] == "timed" else bare())
