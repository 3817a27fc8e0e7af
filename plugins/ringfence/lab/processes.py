"""Find the first process of a lab host among all processes of this machine."""

from __future__ import annotations

import os
from pathlib import Path

from ringfence.lab import network


def first_of(host: str, supervisor: int) -> int | None:
    """Return the id, as seen here, of the process that is number 1 on the host; None where it does not run."""
    try:
        inode = Path(f"/proc/{supervisor}/root{network.NAMESPACES}/{host}").stat().st_ino
    except (FileNotFoundError, ProcessLookupError):
        return None
    wanted = f"net:[{inode}]"
    found = [(depth, pid) for pid in _ids() if _network(pid) == wanted and (depth := _depth_of_first(pid)) is not None]
    return min(found)[1] if found else None


def _ids() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdecimal()]  # noqa: PTH208 - /proc, by name alone


def _network(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115 - the text of the link is the answer
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return None


def _depth_of_first(pid: int) -> int | None:
    """Return how many process namespaces deep this process is number 1, None where it is another number."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    for line in status.splitlines():
        if line.startswith("NSpid:"):
            numbers = line.split()[1:]
            return len(numbers) if numbers[-1] == "1" and len(numbers) > 1 else None
    return None
