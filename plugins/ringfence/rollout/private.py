"""The private directory of a run of Ansible: its owner's alone, without the environment, gone even after a kill."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from ringfence.user_directories import user_directory

PREFIX = "run-"
# Held as long as a run lasts: a run whose lock is free was killed.
LOCK = ".lock"


@contextmanager
def private_directory() -> Iterator[Path]:
    """Give a new directory, gone afterwards; what runs that were killed left behind goes first."""
    base = _base()
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in base.glob(f"{PREFIX}*"):
        _sweep(left)
    directory, lock = _locked(base)
    with lock:
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _locked(base: Path) -> tuple[Path, TextIO]:
    """Return a new directory and its lock, held: what another run sweeps before that is made anew."""
    while True:
        directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        with ExitStack() as opened:
            try:
                lock = opened.enter_context((directory / LOCK).open("w"))
            except FileNotFoundError:
                continue
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock.fileno()).st_nlink:
                opened.pop_all()
                return directory, lock


def _base() -> Path:
    """Return where runs have their directories: the user's runtime directory, else the user's state."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK) and Path(runtime).stat().st_uid == os.geteuid():
        return Path(runtime) / "ringfence"
    return user_directory("XDG_STATE_HOME") / "ringfence/runs"


def _sweep(directory: Path) -> None:
    """Delete the directory of a run that has ended."""
    try:
        with (directory / LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)
    except OSError:
        return  # it runs, or begins just now
