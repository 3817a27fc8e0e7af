"""Commands that work on one emergency at once: what ends it waits until nothing of it is on its way to a host.

Each has a directory of its own, whose lock it holds, and in which whatever works on a host for it holds another. Where
a command is killed the second stays held until its last host has answered.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from ringfence.model.problems import Problem, Severity
from ringfence.wire.run_files import LOCK, at_hosts, lives

if TYPE_CHECKING:
    from ringfence.model.emergencies import Order
    from ringfence.operations.execution import Execution

FOLDER = "at-hosts"
PLAYBOOKS = ".playbooks"
# Seconds that an end waits at most: an emergency is never refused.
PATIENCE = 60.0
LOOK = 0.2


@contextmanager
def seen_at_hosts(state: Path, order: Order) -> Iterator[dict[str, str]]:
    """Give the variable by which others see that hosts are told of an emergency; none where the disk is full."""
    own = state / FOLDER / f"{order.id}.{secrets.token_hex(4)}"
    made = own.with_name(f".{own.name}")
    descriptor = -1
    try:
        with suppress(OSError):
            made.mkdir(mode=0o700, parents=True)
            descriptor = os.open(made / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            made.rename(own)  # whoever sees it sees that it lives
        yield {"ringfence_run": str(own)} if own.is_dir() else {}
    finally:
        for path in (made, own):
            if not at_hosts(path):
                rmtree(path, ignore_errors=True)  # one that is left is cleared away by whoever looks next
        if descriptor >= 0:
            os.close(descriptor)


def seen_at_playbooks(state: Path, order: Order) -> dict[str, str]:
    """Return the variable by which others see that a playbook, whenever somebody runs it, works on a host for an order.

    Of a playbook on another machine, which does not have this directory, nothing is seen.
    """
    own = state / FOLDER / f"{order.id}{PLAYBOOKS}"
    with suppress(OSError):
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        return {"ringfence_seen": str(own.resolve())}
    return {}


def forget_playbooks(state: Path, order: Order) -> None:
    """Clear away what `seen_at_playbooks` made, unless one works just now."""
    own = state / FOLDER / f"{order.id}{PLAYBOOKS}"
    if own.is_dir() and not at_hosts(own):
        rmtree(own, ignore_errors=True)  # an empty directory that is left costs nobody anything


def wait_for_others(state: Path, order: Order, execution: Execution, patience: float = PATIENCE) -> list[Problem]:
    """Return when no other command works on hosts for an emergency; what to tell where one still does after a while."""
    told = False
    waited = 0.0
    while _works(state, order):
        if not told:
            execution.listener.note(f"another command still tells hosts of {order.id}; this waits for it")
            told = True
        if waited >= patience:
            message = f"another command still tells hosts of {order.id}, and one of them may hold it again after this"
            remedy = "repeat this with --everywhere in some minutes"
            return [Problem(Severity.WARNING, message, order.place, remedy)]
        if execution.cancel.wait(LOOK):
            break
        waited += LOOK
    return []


def _works(state: Path, order: Order) -> bool:
    """Return whether a command works on hosts for an emergency; what others left behind that do not is cleared away."""
    works = False
    for path in (state / FOLDER).glob(f"{order.id}.*"):
        # in this order: who works on a host looks whether the command lives after it has locked
        if lives(path) or at_hosts(path):
            works = True
        elif path.suffix != PLAYBOOKS:
            rmtree(path, ignore_errors=True)  # another command may clear it away at the same moment
    return works
