"""An end that comes from outside: a signal, or a terminal that is gone.

Textual (8.2.8) leaves the terminal as it is at SIGTERM and SIGHUP, ends as at a fault at SIGINT, and reads a terminal
that is gone without a pause.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence_tui.app import RingfenceApp

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
LEAVES_WITHIN = 5.0  # seconds; a terminal that is gone can hold what is still to be written forever


def heed(app: RingfenceApp) -> None:
    """End the application as `q` does at a signal, with status 128 + its number, and when the terminal is gone."""
    if app.is_headless or app.is_web:
        return
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            with suppress(RuntimeError, ValueError):  # only the main thread hears signals
                loop.add_signal_handler(number, _signalled, app, loop, number)
    if sys.__stdin__ is not None:
        watch = threading.Thread(target=_watch, args=(app, loop, sys.__stdin__.fileno()), daemon=True, name="terminal")
        watch.start()


def can_suspend() -> bool:
    """Return whether a shell in the same session began this: nobody else can continue what was stopped."""
    parent = os.getppid()
    try:
        return os.getsid(parent) == os.getsid(0) and os.getpgid(parent) != os.getpgrp()
    except OSError:
        return False


def _signalled(app: RingfenceApp, loop: asyncio.AbstractEventLoop, number: signal.Signals) -> None:
    loop.remove_signal_handler(number)  # a second one ends it at once
    _leave(app, 128 + number)


def _watch(app: RingfenceApp, loop: asyncio.AbstractEventLoop, terminal: int) -> None:
    """Wait until the terminal hangs up: without an event that is asked for, nothing else ends the wait."""
    poll = select.poll()
    poll.register(terminal, 0)
    with suppress(OSError):
        while not (found := poll.poll()):
            pass
        if found[0][1] & (select.POLLHUP | select.POLLERR):
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_leave, app, 128 + signal.SIGHUP)
            _at_last(128 + signal.SIGHUP)


def _leave(app: RingfenceApp, status: int) -> None:
    _at_last(status)
    app.exit(return_code=status)


def _at_last(status: int) -> None:
    """End the process where the application does not; the engine ends with it."""
    timer = threading.Timer(LEAVES_WITHIN, os._exit, (status,))
    timer.daemon = True
    timer.start()
