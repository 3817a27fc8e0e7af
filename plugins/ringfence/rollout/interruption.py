"""An interrupt or a cancellation ends Ansible as a whole: no worker goes on alone and no connection stays open."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from ringfence.rollout.cancellation import Cancellation
from ringfence.rollout.results import PlaybookResult

# Ansible ends its workers, each a session of its own, when it gets this; what kills Ansible would leave them running.
PASSED_ON = signal.SIGINT
# Seconds that Ansible gets to end by itself.
PATIENCE = 10.0


class Interrupted(KeyboardInterrupt):
    """A run was interrupted; `result` is what became of its hosts until then."""

    def __init__(self, result: PlaybookResult) -> None:
        super().__init__()
        self.result = result


class Interruption:
    """Passes SIGINT, SIGTERM and a cancellation on to Ansible.

    Signals arrive in the main thread alone, a cancellation in any.
    """

    def __init__(self, cancel: Cancellation) -> None:
        self.came = False
        self._cancel = cancel
        self._lock = threading.RLock()  # a signal may come while this thread holds it
        self._since = 0.0
        self._ansible = 0

    def read(self, raw: Mapping[str, object]) -> None:
        """Learn Ansible's process from its first event; before that it has no workers."""
        pid = raw.get("pid")
        if not self._ansible and raw.get("event") == "playbook_on_start" and isinstance(pid, int):
            with self._lock:
                self._ansible = pid
                if self.came:
                    self._pass_on()

    def overdue(self) -> bool:
        """Return whether Ansible has to be killed: it has not begun yet, or does not end."""
        return self.came and (not self._ansible or time.monotonic() - self._since > PATIENCE)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within this both are passed on; afterwards signals mean what they meant before."""
        numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
        before = {number: signal.signal(number, self._take) for number in numbers}
        self._cancel.on_cancel(self._come)
        try:
            yield
        finally:
            self._cancel.forget(self._come)
            with self._lock:
                self._ansible = 0  # its number may be another process's from now on
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        self._come()

    def _come(self) -> None:
        with self._lock:
            if not self.came:
                self.came = True
                self._since = time.monotonic()
            if self._ansible:
                self._pass_on()

    def _pass_on(self) -> None:
        try:
            os.kill(self._ansible, PASSED_ON)
        except ProcessLookupError:
            return
