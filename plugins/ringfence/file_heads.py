"""Heads of files, kept together in one small file: a listing reads no file again that has not changed since."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from ringfence.files import PRIVATE, regular_file, write_whole
from ringfence.model.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
# Two changes within one tick of a file system's clock leave the same times: what is younger is read again.
SETTLED = 2_000_000_000  # nanoseconds


def file_heads(index: Path, files: Mapping[str, Path], head: type[T], read: Callable[[Path], T]) -> dict[str, T]:
    """Return the head of every file, by its name: from the index where the file is as it was then, else from `read`.

    `head` is a dataclass of texts, numbers and booleans. An index that is missing, damaged or of another release is
    made anew; where it cannot be written, the next listing reads more. Raise what `read` raises.
    """
    known = _read(index)
    now = time.time_ns()
    kept: dict[str, dict[str, Any]] = {}
    found: dict[str, T] = {}
    for name, path in files.items():
        stamp = _stamp(path)
        entry = known.get(name)
        made = _of(head, entry) if stamp and isinstance(entry, dict) and entry.get("stamp") == stamp else None
        if made is None:
            made = read(path)
        elif isinstance(entry, dict):
            kept[name] = entry
        found[name] = made
        if name not in kept and stamp and max(stamp[1:3]) < now - SETTLED:
            kept[name] = {"stamp": stamp, "head": asdict(made)}
    if kept != known and index.parent.is_dir():
        try:
            write_whole(index, json.dumps(kept, sort_keys=True, separators=(",", ":")) + "\n", PRIVATE)
        except OSError:
            return found  # the index only saves time
    return found


def _read(index: Path) -> dict[str, object]:
    try:
        data = json.loads(regular_file(index))
    except (OSError, ValueError, RecursionError, InputError):
        return {}
    return data if isinstance(data, dict) else {}


def _stamp(path: Path) -> list[int]:
    """Return the size, the times of content and of the file itself, and the file's number; nothing for none."""
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _of(kind: type[T], entry: Mapping[str, object]) -> T | None:
    """Return a head that was kept, None for one of another shape."""
    data, types = entry.get("head"), get_type_hints(kind)
    if not isinstance(data, dict) or data.keys() != {one.name for one in fields(kind)}:
        return None
    return kind(**data) if all(type(value) is types[name] for name, value in data.items()) else None
