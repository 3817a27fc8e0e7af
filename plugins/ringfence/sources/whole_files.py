"""Files that are whole or not there: written beside their place, kept on the disk, then renamed; read only where they
end."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from ringfence.model.errors import InputError, Place


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner alone; its directory is made. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def regular_file(path: Path) -> bytes:
    """Return what a file holds; raises InputError for a pipe, a device or a directory, which may never end, and OSError
    where it cannot be read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError("this is no regular file", Place(str(path)), "remove it")
        return file.read()
