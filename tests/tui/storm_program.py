"""The application, with faults of its background work written into a file: `python -m tests.tui.storm_program FILE`."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

from textual.worker import Worker, WorkerState

RUN = Worker._run


async def _run(self: Worker[Any], app: Any) -> None:
    await RUN(self, app)
    if self.state is WorkerState.ERROR and self.error is not None:
        with Path(sys.argv[1]).open("a") as file:
            file.write("".join(traceback.format_exception(self.error)))


if __name__ == "__main__":
    Worker._run = _run  # type: ignore[method-assign]
    from ringfence_tui.launch import run

    sys.exit(run())
