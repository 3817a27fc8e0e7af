"""What a lab leaves on disk about itself, so that another run, or one after a crash, finds and ends it."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ringfence.files import write_whole
from ringfence.lab.spec import HostData, Kind
from ringfence.model.errors import OutsideError

FILE = "state.json"


@dataclass(frozen=True, slots=True)
class Process:
    """A process that cannot be taken for another: its id, its start in clock ticks after boot, and the boot."""

    pid: int
    started: int
    boot: str

    def alive(self) -> bool:
        """Return whether this very process still runs."""
        return identify(self.pid) == self


@dataclass(frozen=True, slots=True)
class State:
    """A lab as it was brought up: `holder` made the namespaces, `supervisor` is process 1 inside them."""

    name: str
    kind: Kind
    hosts: list[HostData]
    group: str | None = None
    holder: Process | None = None
    supervisor: Process | None = None
    complete: bool = False

    def alive(self) -> bool:
        """Return whether the lab's first process still runs."""
        return self.supervisor is not None and self.supervisor.alive()


def identify(pid: int) -> Process | None:
    """Return the process that has this id now, None where there is none or only its remains."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # from field 3 of proc(5), the state; the start is field 22
    if fields[0] in ("Z", "X"):
        return None
    return Process(pid, int(fields[19]), Path("/proc/sys/kernel/random/boot_id").read_text().strip())


def read(directory: Path) -> State | None:
    """Return the state of the lab in this directory, None where there is no lab."""
    try:
        data = json.loads((directory / FILE).read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise OutsideError(f"{directory / FILE} is damaged: {error}", remedy="remove the directory") from error
    for key in ("holder", "supervisor"):
        data[key] = Process(**data[key]) if data[key] else None
    return State(**data)


def write(directory: Path, state: State) -> State:
    """Put the state into the directory, whole or not at all, and return it."""
    write_whole(directory / FILE, json.dumps(asdict(state), indent=1))
    return state


def end(state: State, patience: float = 10.0) -> State:
    """Kill the lab's processes and wait until they are gone; raises OutsideError when they do not go."""
    processes = [process for process in (state.supervisor, state.holder) if process is not None]
    for process in processes:
        if process.alive():
            os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + patience
    while any(process.alive() for process in processes):
        if time.monotonic() > deadline:
            raise OutsideError(f"the processes of lab {state.name} do not end: {processes}")
        time.sleep(0.01)
    return replace(state, supervisor=None, holder=None)
