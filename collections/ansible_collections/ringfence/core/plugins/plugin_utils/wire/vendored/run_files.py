"""The files of a run that the engine and the collection both look at, and whether the process of a run is there."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

LOCK = ".lock"
CONTROL_FILE = "control.json"
STEPS_FILE = "steps.jsonl"


def lives(run: str | os.PathLike[str]) -> bool:
    """Return whether the process of a run is there: it holds the lock until it ends, however it ends."""
    try:
        descriptor = os.open(Path(run) / LOCK, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
