"""What changes when a file changes that hosts are judged by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ringfence.model.emergencies import FOLDER, SUFFIX
from ringfence.model.workspace_files import INVENTORY, LABELS, PLANS, POLICY, SETTINGS
from ringfence.plan.state_file import STATE_FILE
from ringfence.wire.plan_format import JOURNAL_FILE


def workspace_stamp(directory: Path) -> tuple[object, ...]:
    """Return what changes when a file changes that hosts are judged by, or with what hosts are known to hold."""
    return tuple(sorted(_stamps(directory)))


def _stamps(directory: Path) -> Iterator[tuple[str, int, int]]:
    places = [directory / name for name in (SETTINGS, LABELS, STATE_FILE)]
    for folder in (POLICY, INVENTORY):
        places += (directory / folder).rglob("*.*")
    places += (directory / FOLDER).glob(f"*{SUFFIX}")
    places += (directory / PLANS).glob("*")
    places += (directory / PLANS).glob(f"*/{JOURNAL_FILE}")  # confirmations are lines more
    for place in places:
        with suppress(OSError):
            found = place.stat()
            yield str(place), found.st_mtime_ns, found.st_size
