"""Forgetting what is kept of the past: what a choice means, what stays because it is needed, and the deletion."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.operations.flow_selection import time_of

# What is being deleted has this before its name: no list shows it, and the next deletion ends one that was cut short.
GOING = ".forgotten-"
NAMED = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """Which are to be forgotten: all but the newest `keep`, those from before a time, those with one of these names.

    What is given has to hold together: with `keep` and `before` only what is old in both ways goes.
    """

    keep: int | None = None
    before: str | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One of the things that are kept, and its bytes."""

    id: str
    made: datetime
    size: int
    path: Path

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {"id": self.id, "made": self.made.isoformat(), "bytes": self.size}


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What a choice means: what goes, and what was chosen and stays, with the reason. `named` says that names chose."""

    goes: tuple[Item, ...]
    stays: tuple[tuple[Item, str], ...]
    named: bool = False

    @property
    def size(self) -> int:
        """Return the bytes of what goes."""
        return sum(item.size for item in self.goes)

    @property
    def exit_status(self) -> int:
        """Return 1 where something that was named stays, else 0."""
        return 1 if self.named and self.stays else 0

    def still(self, other: Forgetting) -> tuple[Item, ...]:
        """Return what goes here and there: of what was shown, what is still not needed."""
        both = {item.id for item in other.goes}
        return tuple(item for item in self.goes if item.id in both)

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {
            "forgotten": [item.data() for item in self.goes],
            "kept": [{**item.data(), "why": why} for item, why in self.stays],
            "bytes": self.size,
        }


def forgetting(
    items: Sequence[Item], choice: Choice, needed: Mapping[str, str], now: datetime, kind: str
) -> Forgetting:
    """Return what a choice means for things, oldest first; `needed` says by name why some stay in any case.

    Raise InputError for a choice that says nothing, and for a name that is none's or several things'.
    """
    if choice.keep is None and choice.before is None and not choice.names:
        raise InputError(
            f"nothing says which {kind}s to forget",
            remedy="--keep 10 keeps the newest ten, --before 30d says how old, or name them",
        )
    named = {_named(items, name, kind) for name in choice.names}
    newest = {item.id for item in items[max(len(items) - choice.keep, 0) :]} if choice.keep is not None else set()
    before = time_of(choice.before, now) if choice.before is not None else None
    chosen = [
        item
        for item in items
        if (not named or item.id in named) and item.id not in newest and (before is None or item.made < before)
    ]
    return Forgetting(
        tuple(item for item in chosen if item.id not in needed),
        tuple((item, needed[item.id]) for item in chosen if item.id in needed),
        bool(named),
    )


def delete(items: Sequence[Item], folder: Path) -> None:
    """Delete directories or files of a folder: each is gone in one step, also where this is cut short.

    Raise OutsideError where one cannot be deleted.
    """
    for left in sorted(folder.glob(f"{GOING}*")):
        _delete(left)
    for item in items:
        path = item.path
        if path.is_dir():
            going = path.with_name(f"{GOING}{path.name}")
            try:
                path.rename(going)
            except OSError as error:
                raise _undeletable(path, error) from error
            path = going
        _delete(path)


def _delete(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise _undeletable(path, error) from error


def _undeletable(path: Path, error: OSError) -> OutsideError:
    return OutsideError(f"cannot be deleted: {error.strerror}", Place(str(path)))


def _named(items: Sequence[Item], name: str, kind: str) -> str:
    """Return what a name begins."""
    meant = [item.id for item in items if item.id.startswith(name)]
    if name in meant:
        return name
    if not name or not meant:
        known = ", ".join(item.id for item in items[-NAMED:]) or "none"
        more = f" and {len(items) - NAMED} older" if len(items) > NAMED else ""
        raise InputError(f"no {kind} begins with '{name}'", remedy=f"{kind}s here: {known}{more}")
    if len(meant) > 1:
        raise InputError(f"'{name}' begins {len(meant)} {kind}s: {', '.join(meant[:NAMED])}")
    return meant[0]
