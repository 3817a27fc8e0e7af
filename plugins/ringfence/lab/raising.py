"""Raise a lab: start its supervisor in new namespaces, feed it its order, follow it until all hosts started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

from ringfence.lab import cgroups, control, probe, state
from ringfence.lab.supervisor import Order
from ringfence.model.errors import OutsideError

LOG = "supervisor.log"
PATIENCE = 20.0  # seconds until the supervisor listens


def start(directory: Path, order: Order, lab: state.State) -> tuple[subprocess.Popen[bytes], state.State]:
    """Start the supervisor and return its holder and the lab's state, on disk too; raises OutsideError.

    Until `keep` is called, the end of this process is the end of the supervisor.
    """
    root = os.geteuid() == 0
    scope = probe.delegated_scope()
    command = [*scope, *probe.isolate_command(root=root), sys.executable, "-m", "ringfence.lab.supervisor"]
    group = Path(lab.group) if lab.group is not None else None
    with (directory / LOG).open("wb") as log:
        holder = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},  # found as this process found it
            preexec_fn=None if group is None else lambda: cgroups.join(group),
        )
    lab = state.write(directory, replace(lab, holder=state.identify(holder.pid)))
    pipe = cast(IO[bytes], holder.stdin)
    pipe.write(json.dumps(order).encode() + b"\n")
    pipe.flush()
    supervisor = state.identify(_await_listening(directory, holder))
    if supervisor is None:
        raise OutsideError("the lab's first process has ended", remedy=f"see {directory / LOG}")
    return holder, state.write(directory, replace(lab, supervisor=supervisor))


def follow(directory: Path, holder: subprocess.Popen[bytes], report: Callable[[str], None]) -> None:
    """Report each host that the supervisor starts, until it has started all; raises OutsideError when it fails."""
    for line in cast(IO[bytes], holder.stdout):
        event = json.loads(line)
        if "error" in event:
            raise OutsideError(f"the lab could not be made: {event['error']}", remedy=_last_words(directory))
        if event["started"] is None:
            return
        report(event["started"])
    raise OutsideError("the lab could not be made: its first process ended", remedy=_last_words(directory))


def keep(holder: subprocess.Popen[bytes]) -> None:
    """Let the lab stand when this process ends."""
    pipe = cast(IO[bytes], holder.stdin)
    pipe.write(b"keep\n")
    pipe.close()
    cast(IO[bytes], holder.stdout).close()


def python_of_hosts() -> str:
    """Return the Python that a namespace host runs its services with: the system's, else the one that runs this."""
    system = Path("/usr/bin/python3")
    return str(system) if system.exists() else os.path.realpath(sys.executable)


def _await_listening(directory: Path, holder: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + PATIENCE
    while holder.poll() is None and time.monotonic() < deadline:
        try:
            return control.peer(directory)
        except OSError:
            time.sleep(0.005)
    raise OutsideError("the lab's namespaces could not be made", remedy=_last_words(directory))


def _last_words(directory: Path) -> str:
    lines = (directory / LOG).read_text(errors="replace").strip().splitlines()
    return f"it said: {lines[-1]}" if lines else "it said nothing"
