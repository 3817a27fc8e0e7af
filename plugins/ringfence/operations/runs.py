"""Rollouts as runs: begun as a process of their own, listed, followed by whoever wants to, and steered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ringfence.files import open_regular
from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.model.problems import Problem, Severity
from ringfence.model.run_states import LIVING, PAUSED, PAUSING, RUNNING
from ringfence.operations.apply import ApplyRequest, Rollout, checked_plan
from ringfence.operations.execution import Execution
from ringfence.operations.passwords import NO_PASSWORDS, Passwords
from ringfence.person import person
from ringfence.rollout import HostResult, PlaybookResult
from ringfence.rollout.results import INTERRUPTED, collect
from ringfence.rollout.run_events import RunReader, TimedEvent
from ringfence.rollout.runs import RunDirectory, RunFacts, begin_run, run_directories

if TYPE_CHECKING:
    from ringfence.estate import Estate, Listener
    from ringfence.rollout import Event

LOOK = 0.1
KILLED = "ended without a word"
SAID = "said"
LAST_WORDS = 4000  # bytes of what its process printed


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run with its state.

    That is `running`, `pausing`, `paused`, `successful`, `failed`, `interrupted`, or that its process ended without
    saying why.
    `ended` is when, ISO text in UTC, empty where that is not known.
    """

    directory: RunDirectory
    facts: RunFacts
    state: str
    ended: str = ""

    @property
    def lives(self) -> bool:
        """Return whether its process works."""
        return self.state in LIVING

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {"id": self.directory.id, "state": self.state, "ended": self.ended, **asdict(self.facts)}


@dataclass(frozen=True, slots=True)
class DamagedRun:
    """A run whose files do not tell any more what it was, and why."""

    id: str
    error: InputError


def begun_runs(estate: Estate) -> tuple[list[ListedRun], list[DamagedRun]]:
    """Return the runs of a workspace, oldest first, and those whose files are damaged."""
    found: list[ListedRun] = []
    damaged: list[DamagedRun] = []
    for one in run_directories(estate.history.state):
        try:
            found.append(listed_run(one))
        except InputError as error:
            damaged.append(DamagedRun(one.id, error))
    return found, damaged


def listed_run(run: RunDirectory) -> ListedRun:
    """Return a run with its state now. Raise InputError where what it was begun with is damaged."""
    lives, end = run.lives(), run.end()  # in this order: one that ends in between has an end
    if end is None:
        state = KILLED if not lives else RUNNING if not run.control().pause else PAUSED if run.holds() else PAUSING
    else:
        state = "failed" if "error" in end else "interrupted" if end.get("interrupted") else str(end.get("status"))
    return ListedRun(run, run.facts(), state, str((end or {}).get("ended", "")))


def find_run(estate: Estate, name: str | None = None) -> RunDirectory:
    """Return the run whose id begins with a text, without one the newest. Raise InputError if there is none."""
    found = [one for one in run_directories(estate.history.state) if one.id.startswith(name or "")]
    if not found:
        raise InputError(f"no run begins with '{name}'" if name else "there is no run", remedy="see 'ringfence runs'")
    if name and len(found) > 1 and name != found[0].id:
        raise InputError(f"'{name}' begins {len(found)} runs: {', '.join(one.id for one in found)}")
    return found[0] if name else found[-1]


def begin(
    estate: Estate, request: ApplyRequest, passwords: Passwords = NO_PASSWORDS
) -> tuple[RunDirectory, subprocess.Popen[str]]:
    """Begin to roll a plan out in a process of its own, which gets Ansible's passwords by a pipe.

    Raise InputError for what `apply` refuses, and where a run works on the workspace or on a host of it already.
    """
    chosen = checked_plan(estate, request)
    plan = chosen.plan
    facts = RunFacts(
        who=person(),
        commit=_commit(estate),
        plan=plan.digest,
        started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        hosts=tuple(name for name in sorted(plan.hosts) if not request.limit or name in request.limit),
        waves=tuple(map(tuple, request.waves(plan))),
        confirm_within=request.confirm_within,
        limit=request.limit,
    )
    run, locks = begin_run(estate.history.state, facts)
    given = {**asdict(request), "plan": str(chosen.directory), "run": None}
    given["allowed_signers"] = str(request.allowed_signers.absolute()) if request.allowed_signers else None
    try:
        with (run.path / SAID).open("w") as said:
            process = subprocess.Popen(
                # -P: a file of the directory in which it is begun is never taken for a module
                [sys.executable, "-P", "-m", "ringfence.operations.run_process", str(estate.directory), str(run.path)],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                text=True,
                start_new_session=True,
                pass_fds=locks,
            )
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin as order:  # one that ended at once reads nothing
                order.write(json.dumps({"request": given, "locks": locks, "passwords": passwords.data()}))
    finally:
        for descriptor in locks:
            os.close(descriptor)
    return run, process


def heard(run: RunDirectory, stop: Callable[[], bool] = lambda: False) -> Iterator[list[TimedEvent]]:
    """Yield what a run tells, as it comes and nothing in between, until it has ended and all was told, or `stop`."""
    reader = RunReader(run)
    while True:
        lives = run.lives()
        yield reader.new()
        while reader.behind:
            yield reader.new()
        if not lives or stop():
            return
        time.sleep(LOOK)


def told_by(run: RunDirectory) -> Iterator[TimedEvent]:
    """Yield what a run told until now."""
    reader = RunReader(run)
    yield from reader.new()
    while reader.behind:
        yield from reader.new()


def follow(
    estate: Estate, run: RunDirectory, execution: Execution, stop: Callable[[], bool] = lambda: False
) -> Rollout | None:
    """Tell everything that a run did and does; return what became of it, None where `stop` says to look no more.

    A cancellation aborts the run. Raise the error that ended it.
    """
    facts = run.facts()
    listener = execution.listener
    abort = _abort(run)
    execution.cancel.on_cancel(abort)
    listener.playbook_started("rollout", facts.waves, rollout=True)
    events: list[Event] = []
    result = None
    try:
        for told in heard(run, stop):
            for one in told:
                events.append(one.event)
                listener.event(one.event)
        if stop() and run.lives():
            return None
        result, interrupted = _result(run, facts, events)
        if run.end() is None:
            listener.problems([_killed(run)])
    finally:
        execution.cancel.forget(abort)
        listener.playbook_ended(result)
        _tell_words(run, listener)
    request = ApplyRequest(facts.plan, limit=facts.limit, confirm_within=facts.confirm_within)
    return Rollout(checked_plan(estate, request, valid=False).plan, request, result, interrupted)


def apply_as_run(estate: Estate, request: ApplyRequest, execution: Execution) -> Rollout:
    """Roll a plan out as a run and follow it to its end; a cancellation aborts it."""
    run, process = begin(estate, request, execution.passwords or NO_PASSWORDS)
    done = follow(estate, run, execution)
    process.wait()
    if done is None:
        raise OutsideError(f"run {run.id} is not followed any more", remedy="ringfence attach")
    return done


def _abort(run: RunDirectory) -> Callable[[], None]:
    def abort() -> None:
        run.steer(abort=True)

    return abort


def last_words(run: RunDirectory) -> str:
    """Return the last line that the process of a run printed; one that works as it should prints nothing."""
    try:
        with open_regular(run.path / SAID) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_WORDS))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return lines[-1].strip() if lines else ""


def _tell_words(run: RunDirectory, listener: Listener) -> None:
    """Tell what a run that has ended said beside its events: which hosts took what stands, what failed behind it."""
    end = run.end() or {}
    notes, problems = end.get("notes"), end.get("problems")
    for text in notes if isinstance(notes, list) else ():
        listener.note(str(text))
    for data in problems if isinstance(problems, list) else ():
        with suppress(KeyError, TypeError, ValueError):
            listener.problems([Problem.of(data)])


def _killed(run: RunDirectory) -> Problem:
    path = run.path / SAID
    words = last_words(run)
    last = f": {words}" if words else ""
    remedy = "hosts that wait go back by themselves; ringfence apply goes on"
    return Problem(Severity.ERROR, f"run {run.id} {KILLED}{last}", Place(str(path)), remedy)


def _result(run: RunDirectory, facts: RunFacts, events: list[Event]) -> tuple[PlaybookResult, bool]:
    end = run.end()
    if end is None:
        cut = "the process of the run ended without a word; what became of this host is not known"
        return PlaybookResult(collect(events, facts.hosts, cut_short=cut), "failed"), False
    if "error" in end:
        kind = InputError if end.get("exit_status") == InputError.exit_status else OutsideError
        raise kind(str(end["error"]), remedy=str(end["remedy"]) if end.get("remedy") else None)
    interrupted = bool(end.get("interrupted"))
    hosts = collect(events, facts.hosts)
    told = end.get("hosts")
    for one in told if isinstance(told, list) else ():  # why a host was left in between, no event says
        name = str(one["host"])
        hosts[name] = HostResult(**one, result=hosts[name].result if name in hosts else {})
    return PlaybookResult(hosts, INTERRUPTED if interrupted else str(end["status"])), interrupted


def _commit(estate: Estate) -> str:
    with suppress(OSError):
        command = ["git", "-C", str(estate.directory), "rev-parse", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""
    return ""


def refuse_ended(run: RunDirectory, hosts: tuple[str, ...] = ()) -> None:
    """Raise InputError where a run has ended, or has nothing to do with one of these hosts."""
    from ringfence.operations.drive import refuse_unknown

    if not run.lives():
        raise InputError(f"run {run.id} has ended", remedy="ringfence apply goes on where it ended")
    refuse_unknown(hosts, run.facts().hosts, f"run {run.id}")
