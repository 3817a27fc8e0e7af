"""The application, with faults of its background work written into a file: `python -m tests.tui.storm_program FILE`.

It raises no lab: keys of a storm are pressed by nobody.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from ringfence_tui.engine.client import Engine, EngineError
from ringfence_tui.widgets.overlay import Overlay
from textual.worker import Worker, WorkerState

RUN, ASK = Worker._run, Engine.ask


async def _run(self: Worker[Any], app: Any) -> None:
    await RUN(self, app)
    if self.state is WorkerState.ERROR and self.error is not None:
        with Path(sys.argv[1]).open("a") as file:
            file.write("".join(traceback.format_exception(self.error)))


def _tell_tasks(_signal: int, _frame: object) -> None:
    """Write where every task waits: what one asks for that no longer answers."""
    with Path(sys.argv[1]).open("a") as file:
        for app in applications():
            keys = app.key_order
            print(app.screen_stack, app.focused, list(app.screen.query(Overlay)), file=file)
            print(keys.busy, keys.holds, list(keys.waiting), keys.at, keys.at.is_running, file=file)
        for task in asyncio.all_tasks():
            print(task.get_name(), file=file)
            task.print_stack(file=file)


def applications() -> list[Any]:
    """Return the application, once there is one."""
    from ringfence_tui.app import RingfenceApp

    return [one for one in gc.get_objects() if isinstance(one, RingfenceApp)]


async def _ask(self: Engine, question: str, request: object, kind: type[Any], on_part: Any = None) -> Any:
    if question.startswith("lab."):
        raise EngineError("there is no lab in a storm")
    return await ASK(self, question, request, kind, on_part)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _tell_tasks)
    Engine.ask = _ask  # type: ignore[method-assign]
    Worker._run = _run  # type: ignore[method-assign]
    from ringfence_tui.launch import run

    sys.exit(run())
