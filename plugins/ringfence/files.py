"""Files that are whole or absent, and reading that always ends.

A file is written beside its place, kept on the disk, then renamed. Pipes and devices are not read, nor what is too
large to be one of ours.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from ringfence.model.errors import InputError, Place

PRIVATE = 0o600  # for what only its owner shall read
READABLE = 0o644
MOST_BYTES = 512 << 20  # of a file that is read whole: a sparse one costs nobody a thing, and who reads it everything
SCRATCH = ".tmp"  # the .gitignore of a workspace names it: a write that is killed leaves its file behind
NOT_REGULAR = "this is not a regular file"
TOO_LARGE = f"the file is larger than {MOST_BYTES >> 20} MiB"


_refused: list[bool] = []


def refuse_writing() -> None:
    """Have this process write no file from here on, not even one that only saves time: each is an OSError."""
    _refused.append(True)


def may_write(path: Path) -> None:
    """Raise OSError where this process is to write nothing."""
    if _refused:
        raise OSError(errno.EROFS, "this is read-only", str(path))


def write_whole(path: Path, text: str, mode: int = READABLE) -> None:
    """Replace a file in one step: a reader sees the old or the new text, whole, also after a crash.

    A file that is there keeps its permissions, a new one gets `mode`; its directory is made. Raise OSError.
    """
    may_write(path)
    with _named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = path.stat().st_mode & 0o7777 if path.exists() else mode
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=SCRATCH)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                os.fchmod(handle, kept)
                _keep(file, text)
            Path(scratch).replace(path)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise


def write_named(path: Path, text: str, mode: int = READABLE) -> None:
    """Write to where a person said, as `>` would: through a link, into a pipe or a device, never over what is no file.

    A regular file is replaced in one step, as in `write_whole`. Raise OSError, also for one that may not be written.
    """
    place = path.resolve()
    if place.exists() and not place.is_file():
        place.write_text(text, encoding="utf-8", newline="")
        return
    if place.exists() and not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    write_whole(place, text, mode)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file that is read, changed and written: of two who do that at once, one waits.

    The lock is a file of its own beside it, as the file itself is replaced. Raise OSError.
    """
    may_write(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock_file(path.with_name(f".{path.name}.lock")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def lock_file(path: Path) -> Iterator[int]:
    """Give the descriptor of a file that is only ever locked: nothing in it is changed.

    Raise OSError, also for a link to another file and for what is none.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, READABLE)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileExistsError(errno.EEXIST, f"{path.name} is not a regular file: delete it")
        yield descriptor
    finally:
        os.close(descriptor)


def write_all(files: Iterable[tuple[Path, str]]) -> None:
    """Write files in place, then all onto the disk, for a directory that appears in one step. Raise OSError.

    Only the first then waits for the disk: it takes the others with it.
    """
    written = []
    for path, text in files:
        with _named(path), path.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
        written.append(path)
    for path in written:
        with _named(path):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def open_regular(path: Path, flags: int = 0) -> BinaryIO:
    """Open a file to read. Raise OSError, also for what may never end: a pipe, a socket, a device, a directory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, NOT_REGULAR, str(path))
    return os.fdopen(descriptor, "rb")


def regular_file(path: Path) -> bytes:
    """Return the content of a file.

    Raise InputError for a pipe, a device or a directory, which may never end, and for what is larger than any file of
    ours; OSError where it cannot be read.
    """
    try:
        file = open_regular(path)
    except OSError as error:
        if error.strerror == NOT_REGULAR:
            raise InputError(NOT_REGULAR, Place(str(path)), "remove it") from error
        raise
    with file:
        content = _bounded(file)
    if content is None:
        raise InputError(TOO_LARGE, Place(str(path)), "remove it")
    return content


def own_file(path: Path) -> bytes:
    """Return what a regular file of this user holds that nobody else may write, nothing where it is none."""
    try:
        file = open_regular(path, os.O_NOFOLLOW)
    except OSError:
        return b""
    with file:
        status = os.fstat(file.fileno())
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            return b""
        return _bounded(file) or b""


def _bounded(file: BinaryIO) -> bytes | None:
    """Return what an open file holds, None where that is more than `MOST_BYTES`."""
    if os.fstat(file.fileno()).st_size > MOST_BYTES:
        return None
    content = file.read(MOST_BYTES + 1)
    return content if len(content) <= MOST_BYTES else None


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Have an OSError name the file that it is about: a full disk names none, a scratch file would be another."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def _keep(file: TextIO, text: str) -> None:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())
