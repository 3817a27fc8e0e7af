"""What aiohttp would log: nothing of a request that is none, and one line of what is a fault of ours.

Its tracebacks hold what was sent, so the address too where that was sent along with something broken.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from aiohttp.http_exceptions import HttpProcessingError

NAME = "ringfence_tui.serve"


class _Told(logging.Handler):
    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self.say = say

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            self.say(f"a request failed: {type(error).__name__ if error else record.getMessage()}")


def fault_log(say: Callable[[str], None]) -> logging.Logger:
    """Return the log of a server that says a line for each fault."""
    log = logging.getLogger(NAME)
    log.propagate = False
    log.handlers = [_Told(say)]
    return log
