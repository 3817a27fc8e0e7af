"""The process of a run, `python -m ringfence.operations.run_process WORKSPACE RUN`: rolls out what its input says.

It is a session of its own, so it outlives the command that began it. Its results are in the run's directory.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ringfence.estate import Estate, Listener
from ringfence.model.errors import RingfenceError
from ringfence.model.problems import Problem
from ringfence.operations.apply import ApplyRequest, Rollout, apply
from ringfence.operations.execution import Cancellation, Execution
from ringfence.operations.passwords import Passwords
from ringfence.operations.run_rollback import go_back
from ringfence.rollout import Event
from ringfence.rollout.run_events import event_line
from ringfence.rollout.runs import END_FILE, EVENTS_FILE, PROCESS_FILE, RunBack, RunDirectory, write_whole

# Seconds between two looks at the control file.
LOOK = 0.3


class Recording(Listener):
    """Writes events down, a line each. What a full disk does not take waits for room and ends no rollout.

    Sentences and problems beside them are kept for the run's last words.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._notes: list[str] = []
        self._problems: list[Problem] = []

    def note(self, text: str) -> None:
        """Keep a sentence."""
        self._notes.append(text)

    def problems(self, problems: Sequence[Problem]) -> None:
        """Keep problems."""
        self._problems.extend(problems)

    def words(self) -> dict[str, object]:
        """Return what was said beside the events, as plain data of a run's end."""
        return {"notes": self._notes, "problems": [one.data() for one in self._problems]}

    def event(self, event: Event) -> None:
        """Write an event."""
        with suppress(OSError):
            self._file.write(event_line(event, datetime.now(UTC).isoformat()))
            self._file.flush()


def roll_out(estate: Estate, run: RunDirectory, request: ApplyRequest, execution: Execution) -> Rollout:
    """Roll out; where only hosts failed that a person excused meanwhile, go on without them."""
    while True:
        done = apply(estate, request, execution)
        failed = {name for name, host in done.result.hosts.items() if not host.ok and host.state != "not begun"}
        waived = failed & set(run.control().excuse) - set(request.excuse)
        if done.interrupted or not waived or waived != failed - set(request.excuse):
            return done
        request = replace(request, excuse=(*request.excuse, *sorted(waived)))


def main(workspace: str, directory: str) -> None:
    """Carry a run out."""
    run, cancel = RunDirectory(Path(directory)), Cancellation()
    (run.path / PROCESS_FILE).write_text(f"{os.getpid()}\n")
    order = json.load(sys.stdin)
    locks = order.pop("locks")
    for descriptor in locks:
        os.set_inheritable(descriptor, False)  # what Ansible starts must not keep the run alive
    given = order["request"]
    request = ApplyRequest(
        **{
            **given,
            **{key: tuple(given[key]) for key in ("limit", "excuse")},
            "allowed_signers": Path(given["allowed_signers"]) if given["allowed_signers"] else None,
            "run": run.path,
        }
    )
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK):
            if run.control().abort:
                cancel.cancel()
                return

    threading.Thread(target=look, daemon=True).start()
    end: dict[str, object]
    recording = Recording(run.path / EVENTS_FILE)
    try:
        execution = Execution(recording, cancel)
        passwords = Passwords.of(order["passwords"])
        with passwords.offered():
            done = roll_out(Estate(Path(workspace)), run, request, execution)
            if run.control().back:
                over.set()  # what comes now is no part of the run that somebody aborted
                estate = Estate(Path(workspace))  # as it is now: what hosts confirmed is in the journals
                done = go_back(estate, run, done, Execution(), passwords, lambda: os.close(locks[0]))
        end = {**done.result.data(), "interrupted": done.interrupted}
    except RingfenceError as error:
        if run.control().back:
            run.went_back(RunBack(error=f"it was not rolled back: {error.message}", remedy=error.remedy or ""))
        end = {"error": error.message, "remedy": error.remedy, "exit_status": error.exit_status}
    finally:
        over.set()
    write_whole(
        run.path / END_FILE, {**end, **recording.words(), "ended": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
