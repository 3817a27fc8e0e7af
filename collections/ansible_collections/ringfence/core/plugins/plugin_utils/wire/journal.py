# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The journal of a rollout: a line an event beside the plan, which outlives the controller and guards the waves."""

from __future__ import annotations

import fcntl
import os
import stat

from .plan_directory import Plan, PlanError, regular_file
from .vendored.first_few import first_few
from .vendored.journal_lines import EXCUSED, PASSED, STARTED, journal_events, journal_line
from .vendored.plan_format import JOURNAL_FILE


class Journal:
    """Appends events and answers which hosts of a wave may not be passed yet."""

    def __init__(self, plan: Plan, path: str | None = None) -> None:
        self.plan = plan
        self.path = path or os.path.join(plan.directory, JOURNAL_FILE)

    def append(self, host: str, event: str, reason: str = "") -> None:
        """Write one event to the journal.

        When this returns, the event survives the end of this process. It also survives a crash of the machine, except
        for `started`, which no wave waits for.
        """
        line = journal_line(self.plan.identity, host, event, reason)
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o644)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise PlanError("journal", f"the journal {self.path} is not a regular file")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                size = os.fstat(descriptor).st_size
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    line = b"\n" + line
                while line:  # a disk that becomes full takes a part, and then says so
                    line = line[os.write(descriptor, line) :]
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                if event != STARTED:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise PlanError("journal", f"cannot write the journal {self.path}: {error.strerror}") from error

    def states(self) -> dict[str, str]:
        """Return the last event of every host. A line that is cut short, or not an event, counts as not written."""
        try:
            text = regular_file(self.path).decode(errors="replace")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise PlanError("journal", f"cannot read the journal {self.path}: {error.strerror}") from error
        return {event.host: event.event for event in journal_events(text, self.plan.identity)}

    def guard(self, wave: int, excused: list[str]) -> None:
        """Raise PlanError unless every host of the wave before is confirmed or excused.

        `excused` are hosts that a person lets pass now; the journal keeps that.
        """
        if wave == 0:
            return
        states = self.states()
        waiting = []
        for host in self.plan.waves[wave - 1]:
            if states.get(host) in PASSED:
                continue
            if host in excused:
                self.append(host, EXCUSED, "by the person who rolls out")
            else:
                waiting.append(f"{host} ({states.get(host, 'not begun')})")
        if waiting:
            shown = first_few(waiting)
            raise PlanError(
                "wave",
                f"wave {wave} waits for wave {wave - 1}: {shown}; fix them, or excuse them (ringfence_excused)",
            )
