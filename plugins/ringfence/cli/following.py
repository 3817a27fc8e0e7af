"""Following a run that this command began: an interrupt of the command aborts the run and waits for its end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ringfence.operations.execution import Cancellation


@contextmanager
def signals_cancel(cancel: Cancellation) -> Iterator[None]:
    """Within this SIGINT and SIGTERM cancel; in a thread, where signals do not arrive, nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def take(_number: int, _frame: FrameType | None) -> None:
        # In a thread of its own: a handler must not wait for a lock that this thread may hold.
        threading.Thread(target=cancel.cancel).start()

    before = {number: signal.signal(number, take) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
