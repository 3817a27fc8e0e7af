"""What changes when a file changes that hosts are judged by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ringfence.model.workspace_files import INVENTORY, LABELS, PLANS, POLICY, SETTINGS


def workspace_stamp(directory: Path) -> tuple[object, ...]:
    """Return what changes when a file changes that hosts are judged by, or a plan is confirmed."""
    return tuple(sorted(_stamps(directory)))


def _stamps(directory: Path) -> Iterator[tuple[str, int, int]]:
    places = [directory / name for name in (SETTINGS, LABELS)]
    for folder in (POLICY, INVENTORY):
        places += (directory / folder).rglob("*.*")
    places += (directory / PLANS).glob("*")
    for place in places:
        with suppress(OSError):
            found = place.stat()
            yield str(place), found.st_mtime_ns, found.st_size
