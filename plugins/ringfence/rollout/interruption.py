"""An interrupt of this process ends Ansible as a whole: no worker goes on alone and no connection stays open."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from ringfence.rollout.outcome import Outcome

# Ansible ends its workers, each a session of its own, when it gets this; what kills Ansible would leave them running.
PASSED_ON = signal.SIGINT
# Seconds that Ansible gets to end by itself.
PATIENCE = 10.0


class Interrupted(KeyboardInterrupt):
    """A run was interrupted; `outcome` is what became of its hosts until then."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class Interruption:
    """Passes SIGINT and SIGTERM on to Ansible; in a thread, where signals do not arrive, it does nothing."""

    def __init__(self) -> None:
        self.came = False
        self._since = 0.0
        self._ansible = 0

    def read(self, raw: Mapping[str, object]) -> None:
        """Learn Ansible's process from its first event; before that it has no workers."""
        pid = raw.get("pid")
        if not self._ansible and raw.get("event") == "playbook_on_start" and isinstance(pid, int):
            self._ansible = pid
            if self.came:
                self._pass_on()

    def overdue(self) -> bool:
        """Return whether Ansible has to be killed: it has not begun yet, or does not end."""
        return self.came and (not self._ansible or time.monotonic() - self._since > PATIENCE)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within this the signals are passed on; afterwards they mean what they meant before."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._take) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take(self, _number: int, _frame: FrameType | None) -> None:
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
