"""The texts of an inventory's files, as they are written: where something of them stands is looked up here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

_LARGEST = 4 << 20


def line_of(data: bytes, at: int) -> int:
    """Return the number of the line in which a byte stands."""
    return data.count(b"\n", 0, at) + 1


def texts_of(paths: Sequence[Path], base: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each file that Ansible may read with an inventory: as it is shown, and what is in it."""
    base = base.resolve()
    inventories = [(base / path).resolve() for path in paths]
    # Ansible reads the variables beside the inventory, and those where the command runs
    roots = [*(path if path.is_dir() else path.parent for path in inventories), base]
    below = [file for path in inventories for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    for root in roots:
        for folder in ("group_vars", "host_vars"):
            below += sorted((root / folder).rglob("*"))
    for file in dict.fromkeys(below):
        try:
            data = file.read_bytes() if file.is_file() and file.stat().st_size <= _LARGEST else b""
        except OSError:
            continue
        yield str(file.relative_to(base) if file.is_relative_to(base) else file), data
