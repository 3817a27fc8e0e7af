"""The one tree of errors: what is wrong, where, and the remedy."""

from __future__ import annotations

import errno
from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """Where something was written: a file and, from 1, its line and column; 0 where unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file, *(str(number) for number in (self.line, self.column) if number)]
        return ":".join(parts)


class RingfenceError(Exception):
    """Anything Ringfence refuses to do: a message, the place it is about, and a remedy, where there are any."""

    exit_status = 2

    def __init__(self, message: str, place: Place | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.remedy = remedy

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        way_out = f" ({self.remedy})" if self.remedy else ""
        return f"{where}{self.message}{way_out}"


class InputError(RingfenceError):
    """What a person or a file gave is wrong (exit status 2)."""


class InputErrors(InputError):
    """Several input errors found in one pass, in the order of their places; never empty."""

    def __init__(self, errors: list[InputError]) -> None:
        self.errors = errors
        super().__init__(errors[0].message, errors[0].place, errors[0].remedy)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class OutsideError(RingfenceError):
    """Something outside Ringfence failed: a host, a service, a command (exit status 3)."""

    exit_status = 3


# What is wrong with a path that was given; anything else that fails is the machine's.
_OF_THE_PATH = frozenset(
    {
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL),
        *(errno.EACCES, errno.EPERM),
    }
)


def file_error(
    error: OSError, path: object, fault: str = "cannot be read", remedy: str | None = None
) -> RingfenceError:
    """Return the error for a file that somebody named: an InputError where its path is wrong, else an OutsideError."""
    kind = InputError if error.errno in _OF_THE_PATH else OutsideError
    return kind(f"{fault}: {error.strerror or error}", Place(str(path)), remedy)
