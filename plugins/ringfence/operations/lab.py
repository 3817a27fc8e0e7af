"""The lab: raised in a process of its own, looked at, taken down; and a workspace for its hosts."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.operations.execution import Execution

if TYPE_CHECKING:
    from ringfence.lab.spec import HostStatus

NAME = "demo"
Told = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class LabState:
    """A lab: its hosts, none where it is not up; `lacks` is what this machine lacks for each kind of host."""

    name: str
    hosts: tuple[HostStatus, ...]
    lacks: tuple[tuple[str, tuple[str, ...]], ...] = ()


def lab_state(name: str = NAME) -> LabState:
    """Return the hosts of a lab, or what this machine can do where it is not up."""
    from ringfence.lab.probe import probe
    from ringfence.lab.session import open_lab

    hosts = tuple(open_lab(name).status())
    if hosts:
        return LabState(name, hosts)
    able = probe()
    kinds = (("machines", able.machines), ("namespaces", able.namespaces), ("process rules", able.processes))
    return LabState(name, (), tuple((what, tuple(map(str, lacks))) for what, lacks in kinds))


def raise_lab(told: Told, execution: Execution, name: str = NAME, kind: str = "auto") -> None:
    """Bring the shop up as a lab; `told` hears a line and the share done, from 0 to 1.

    A cancellation ends it, and nothing of it is left. Raise OutsideError for what this machine cannot do.
    """
    command = [sys.executable, "-P", "-m", "ringfence.operations.lab_process", name, kind]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:

        def end() -> None:
            process.send_signal(signal.SIGTERM)

        execution.cancel.on_cancel(end)
        last: dict[str, object] = {}
        printed = ""
        try:
            for line in process.stdout or ():
                try:
                    last = json.loads(line)
                except ValueError:
                    printed = line.strip()
                    continue
                if "text" in last:
                    told(str(last["text"]), float(str(last["share"])))
        finally:
            execution.cancel.forget(end)
    if execution.cancel.wanted and not last.get("up"):
        raise OutsideError("the lab was stopped while it was raised: nothing of it is left", remedy="raise it again")
    if not last.get("up"):
        message = str(last.get("error") or printed or "what raised it ended without a word")
        raise OutsideError(f"the lab is not up: {message}", remedy=str(last.get("remedy") or "ringfence doctor"))


def take_lab_down(name: str = NAME) -> None:
    """End a lab and remove all of it."""
    from ringfence.lab.session import open_lab

    open_lab(name).down()


def write_lab_workspace(directory: Path, name: str = NAME) -> tuple[Path, ...]:
    """Write a workspace for the hosts of a lab that is up: their sources, labels, and a policy that is not right yet.

    Return the policy files. Raise InputError where something is in the directory already, or the lab is not up.
    """
    from ringfence.lab.demonstration.workspace_files import write_workspace
    from ringfence.lab.probe import probe
    from ringfence.lab.session import open_lab

    if directory.exists() and any(directory.iterdir()):
        raise InputError("there is something already; nothing was written", Place(str(directory)), "choose another one")
    lab = open_lab(name)
    status = lab.status()
    if not status:
        raise InputError(f"the lab {name} is not up", remedy=f"ringfence lab up --name {name}")
    directory.mkdir(parents=True, exist_ok=True)
    processes = status[0].kind == "machines" or not probe().processes
    hosts = lab.hosts()
    return tuple(write_workspace(directory, lab.inventory_path, hosts, processes=processes, first_look=True))
