"""Runs: a directory for every rollout of a workspace, which whoever attaches reads, and steers by its control file."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from ringfence.files import PRIVATE, lock_file, open_regular, regular_file
from ringfence.files import write_whole as write_text
from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.rollout.run_denials import RunDenials, denials_of
from ringfence.wire.run_files import CONTROL_FILE, LOCK, STEPS_FILE, at_hosts, lives

RUNS = "runs"
RUN_FILE = "run.json"
EVENTS_FILE = "events.jsonl"
PROCESS_FILE = "pid"
END_FILE = "end.json"
BACK_FILE = "back.json"
DENIALS_FILE = "denials.json"
HELD = "held"  # a host's step while its wave waits
LAST_STEP = 4096  # bytes, more than a step takes
ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}(-[0-9]+)?")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Who began a run, when, of which plan, and the git commit of the workspace then (empty outside git)."""

    who: str
    commit: str
    plan: str
    started: str
    hosts: tuple[str, ...]
    waves: tuple[tuple[str, ...], ...]
    confirm_within: int = 30
    limit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunControl:
    """What people want of a run: nothing more after the wave that runs, an end, hosts that it goes on without.

    `back` names who wants it rolled back when it has ended, empty where nobody does.
    """

    pause: bool = False
    abort: bool = False
    excuse: tuple[str, ...] = ()
    back: str = ""


@dataclass(frozen=True, slots=True)
class RunBack:
    """What came of rolling a run back: the run that brings the earlier plan back, and its plan; the error if any.

    Without a run no host had confirmed anything, so nothing had to be brought back.
    """

    run: str = ""
    plan: str = ""
    error: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """One run. It lives as long as its process holds the lock; one that neither lives nor has an end was killed."""

    path: Path

    @property
    def id(self) -> str:
        """Return the name of the run: its time and its plan."""
        return self.path.name

    @property
    def began(self) -> datetime:
        """Return when it was begun, in UTC, as its name says."""
        return datetime.strptime(self.id[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    @property
    def short_plan(self) -> str:
        """Return the short name of its plan, as its name says."""
        return self.id[17:29]

    @property
    def size(self) -> int:
        """Return the bytes of its files."""
        return sum(path.stat().st_size for path in self.path.iterdir() if path.is_file())

    def facts(self) -> RunFacts:
        """Return what was known when the run began. Raise InputError if that file is damaged; it says why."""
        try:
            data = json.loads(regular_file(self.path / RUN_FILE))
            return RunFacts(
                who=str(data["who"]),
                commit=str(data["commit"]),
                plan=str(data["plan"]),
                started=str(data["started"]),
                hosts=tuple(map(str, data["hosts"])),
                waves=tuple(tuple(map(str, wave)) for wave in data["waves"]),
                confirm_within=int(data["confirm_within"]),
                limit=tuple(map(str, data["limit"])),
            )
        except (OSError, ValueError, TypeError, KeyError) as error:
            remedy = f"'ringfence runs forget {self.id}' deletes what is left of it"
            raise InputError(f"this run is damaged: {_why(error)}", Place(str(self.path / RUN_FILE)), remedy) from error

    def control(self) -> RunControl:
        """Return what people want of it; a control file that cannot be read wants nothing."""
        try:
            data = json.loads(regular_file(self.path / CONTROL_FILE))
            excuse, back = tuple(map(str, data["excuse"])), str(data.get("back", ""))
            return RunControl(bool(data["pause"]), bool(data["abort"]), excuse, back)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, InputError):
            return RunControl()

    def steer(
        self, *, pause: bool | None = None, abort: bool = False, excuse: tuple[str, ...] = (), back: str = ""
    ) -> RunControl:
        """Want something more of it; return all that is wanted now."""
        with _locked(self.path / ".steering"):
            before = self.control()
            wanted = RunControl(
                before.pause if pause is None else pause,
                before.abort or abort,
                (*before.excuse, *excuse),
                before.back or back,
            )
            write_whole(self.path / CONTROL_FILE, asdict(wanted))
        return wanted

    def holds(self) -> bool:
        """Return whether it waits before a wave, which is then the last thing that its hosts told."""
        try:
            with open_regular(self.path / STEPS_FILE) as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - LAST_STEP))
                lines = file.read().splitlines()
            last = json.loads(lines[-1]) if lines else None
        except (OSError, ValueError):
            return False
        return isinstance(last, dict) and last.get("step") == HELD

    def end(self) -> dict[str, object] | None:
        """Return what its process said at its end, None where it said nothing."""
        try:
            data = json.loads(regular_file(self.path / END_FILE))
        except (OSError, ValueError, InputError):
            return None
        return data if isinstance(data, dict) else None

    def went_back(self, back: RunBack) -> None:
        """Write down what came of rolling it back."""
        write_whole(self.path / BACK_FILE, asdict(back))

    def back(self) -> RunBack | None:
        """Return what came of rolling it back, None where nothing did yet."""
        try:
            data = json.loads(regular_file(self.path / BACK_FILE))
            return RunBack(*(str(data[key]) for key in ("run", "plan", "error", "remedy")))
        except (OSError, ValueError, TypeError, KeyError, InputError):
            return None

    def keep_denials(self, denials: RunDenials) -> None:
        """Keep what hosts told of what they denied since they got its table."""
        write_whole(self.path / DENIALS_FILE, denials.data())

    def denials(self) -> RunDenials | None:
        """Return what hosts told of that when they were last asked, None where nobody asked."""
        try:
            return denials_of(json.loads(regular_file(self.path / DENIALS_FILE)))
        except (OSError, ValueError, TypeError, KeyError, InputError):
            return None

    def process(self) -> int | None:
        """Return the process that carries it out, None where it did not say."""
        try:
            return int(regular_file(self.path / PROCESS_FILE))
        except (OSError, ValueError, InputError):
            return None

    def lives(self) -> bool:
        """Return whether its process is there."""
        return lives(self.path)

    def at_hosts(self) -> bool:
        """Return whether its Ansible works on a host, also where the process of the run was killed."""
        return at_hosts(self.path)


def run_directories(state: Path) -> list[RunDirectory]:
    """Return the runs of a workspace's state, oldest first, also those that are damaged."""
    # one that lives and has no file of its facts is just beginning
    return [one for one in _every_directory(state) if (one.path / RUN_FILE).exists() or not one.lives()]


def _every_directory(state: Path) -> list[RunDirectory]:
    directory = state / RUNS
    names = sorted(path for path in directory.iterdir() if ID.fullmatch(path.name)) if directory.is_dir() else []
    return [RunDirectory(path) for path in names if path.is_dir()]


def begin_run(state: Path, facts: RunFacts) -> tuple[RunDirectory, tuple[int, int]]:
    """Make the directory of a run; return it with the locks of the workspace and of the run, held by two descriptors.

    Raise InputError where a run works on the workspace already, or one that was killed still works on a host.
    """
    runs = state / RUNS
    try:
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        workspace = os.open(runs / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(workspace, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(workspace)
            raise _works_already(state) from error
        left = left_at_hosts(state)
        if left is not None:
            os.close(workspace)
            raise left
        name = f"{re.sub('[-:]', '', facts.started)}-{facts.plan[:12]}"
        number = 1
        while (runs / (name if number == 1 else f"{name}-{number}")).exists():
            number += 1
        path = runs / (name if number == 1 else f"{name}-{number}")
        path.mkdir(mode=0o700)
        own = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(own, fcntl.LOCK_EX)
        write_whole(path / RUN_FILE, asdict(facts))
    except OSError as error:
        raise OutsideError(f"a run cannot be begun: {error.strerror}", Place(str(runs))) from error
    return RunDirectory(path), (workspace, own)


def _works_already(state: Path) -> InputError:
    """Return what to tell where the lock of the runs is held: by which run, also one that is just beginning."""
    living = next((one.id for one in reversed(_every_directory(state)) if one.lives()), "")
    if not living:
        return InputError(
            "a run is just beginning here, or another command holds the runs",
            remedy="try again in a moment; 'ringfence runs' lists them",
        )
    return InputError(
        f"a run works on this workspace already: {living}",
        remedy="follow it with 'ringfence attach', or end it with 'ringfence attach --abort'",
    )


def left_at_hosts(state: Path) -> InputError | None:
    """Return what to tell where a run, or a command that is none, has ended and its Ansible still changes a host.

    Only for who holds the lock of the runs, as such a command does while it works.
    """
    left = next((one.id for one in reversed(run_directories(state)) if one.at_hosts() and not one.lives()), None)
    if left is None and not at_hosts(state / RUNS):
        return None
    return InputError(
        f"{f'run {left}' if left else 'a command'} was killed, and its Ansible still works on a host",
        remedy="it ends by itself, within minutes; 'pgrep -a ansible-playbook' shows it. Then try again",
    )


@contextmanager
def no_run_begins(state: Path) -> Iterator[None]:
    """Keep runs from beginning; where one works on the workspace already, no other begins anyway.

    Raise InputError where one is just beginning, OutsideError where the directory of runs cannot be written.
    """
    runs = state / RUNS
    try:
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(runs / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OutsideError(f"cannot be written: {error.strerror}", Place(str(runs))) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        if not any(one.lives() for one in run_directories(state)):
            raise InputError("a run is just beginning, or hosts are being changed", remedy="try again") from error
    try:
        yield
    finally:
        os.close(descriptor)


def write_whole(path: Path, data: Mapping[str, object]) -> None:
    """Write a file of JSON that is there whole or not at all."""
    write_text(path, json.dumps(data, sort_keys=True) + "\n", PRIVATE)


def _why(error: Exception) -> str:
    """Return why the facts of a run cannot be told."""
    if isinstance(error, OSError):
        return f"{RUN_FILE} cannot be read: {error.strerror}"
    if isinstance(error, KeyError):
        return f"{RUN_FILE} does not say {error}"
    no_json = isinstance(error, (json.JSONDecodeError, UnicodeDecodeError))
    return f"{RUN_FILE} {'is no JSON' if no_json else 'has another shape'}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock, so that of two people who steer none is forgotten."""
    with lock_file(path) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
