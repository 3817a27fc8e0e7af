"""The files of an inventory before Ansible reads them: a file that is not regular, or never ends, is refused.

Ansible opens every file, waits for a FIFO that nobody writes to, and reads a device until memory is full.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ringfence.model.errors import InputError, Place
from ringfence.sources.table_files import kind_of_file

MOST_BYTES = 256 << 20
_VARIABLES = ("group_vars", "host_vars")


def refuse_unreadable_files(paths: Sequence[Path], base: Path) -> None:
    """Raise InputError for the first file of inventories, or of variables beside them, that Ansible cannot read."""
    whole = [base / path for path in paths]
    beside = [directory / name for directory in {base, *(path.parent for path in whole)} for name in _VARIABLES]
    for path in _files([*whole, *(one for one in beside if one.is_dir())]):
        try:
            status = path.stat()
        except OSError:
            # A link to nowhere, or what may not be looked at: Ansible tells of those itself.
            continue
        place = Place(str(path.relative_to(base)) if path.is_relative_to(base) else str(path))
        kind = kind_of_file(status.st_mode)
        if kind is not None:
            raise InputError(f"is {kind}, and no file that Ansible could read", place, "remove it from the inventory")
        if status.st_size > MOST_BYTES:
            raise InputError(f"is larger than {MOST_BYTES >> 20} MiB", place, "remove it from the inventory")


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield paths and all that lies below them, each directory once, but what Ansible takes for hidden."""
    waiting, seen = list(paths), set()
    while waiting:
        path = waiting.pop(0)
        if not path.is_dir():
            yield path
            continue
        whole = os.path.realpath(path)
        if whole not in seen and os.access(path, os.R_OK | os.X_OK):
            seen.add(whole)
            waiting += sorted(below for below in path.iterdir() if not below.name.startswith("."))
