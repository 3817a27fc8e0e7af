"""The files of a run that the engine and the collection both look at, and whether the process of a run is there."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK = ".lock"
CONTROL_FILE = "control.json"
STEPS_FILE = "steps.jsonl"
# Held by every process of Ansible that works on a host for a run.
HOSTS_LOCK = ".hosts-lock"


def lives(run: str | os.PathLike[str]) -> bool:
    """Return whether the process of a run is there: it holds the lock until it ends, however it ends."""
    return _held(Path(run) / LOCK, fcntl.LOCK_SH)


def at_hosts(run: str | os.PathLike[str]) -> bool:
    """Return whether Ansible still works on a host for a run; it may outlive a process of the run that was killed."""
    return _held(Path(run) / HOSTS_LOCK, fcntl.LOCK_EX)


@contextmanager
def working_on_a_host(run: str | os.PathLike[str] | None) -> Iterator[None]:
    """Have others see that this process works on a host for a run, until it has done or ended, however it ends.

    Whoever asks then whether the run lives and begins nothing where it does not never meets the next run. A disk that
    is full stops no rollout.
    """
    descriptor = -1
    with suppress(OSError):
        if run:
            descriptor = os.open(Path(run) / HOSTS_LOCK, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _held(path: Path, by: int) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor) as lock:
            fcntl.flock(lock, by | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
