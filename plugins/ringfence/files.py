"""Files that are whole or not there: written beside their place, kept on the disk, then renamed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TextIO

PRIVATE = 0o600  # for what only its owner shall read
READABLE = 0o644


def write_whole(path: Path, text: str, mode: int = READABLE) -> None:
    """Replace a file in one step: a reader sees the old or the new text, whole, also after a crash.

    A file that is there keeps its permissions, a new one gets `mode`; its directory is made. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = path.stat().st_mode & 0o7777 if path.exists() else mode
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            os.fchmod(handle, kept)
            _keep(file, text)
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def write_through(path: Path, text: str) -> None:
    """Write a file in place and onto the disk, for a directory that appears in one step. Raises OSError."""
    with path.open("w", encoding="utf-8", newline="") as file:
        _keep(file, text)


def _keep(file: TextIO, text: str) -> None:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())
