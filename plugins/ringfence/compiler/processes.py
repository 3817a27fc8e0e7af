"""Processes in the compiler: whether a peer names a process class, and the classes of a far end."""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.model.processes import OTHER, PLATFORMS, Named, ProcessClass, process_classes
from ringfence.model.rules import Process


def runs_as(process: Process | None, found: ProcessClass) -> bool:
    """Return whether a class is one of those that a peer names; one of another platform never is."""
    if process is None:
        return True
    named = process.named()
    return bool(named) and all(found.name(kind) in names for kind, names in named.items())


def names_of(processes: Iterable[Process], kinds: tuple[str, ...]) -> Named:
    """Return the names that some processes give of every kind of a platform, sorted."""
    listed = [process.named() for process in processes]
    return tuple((kind, tuple(sorted({name for one in listed for name in one.get(kind, ())}))) for kind in kinds)


def far_classes(named: Iterable[Process]) -> tuple[ProcessClass, ...]:
    """Return every process class of a far end, first the one with none of the named processes.

    The near side does not know the far end's platform, so the classes of every platform are returned.
    """
    processes = list(named)
    found = [one for kinds in PLATFORMS.values() for one in process_classes(names_of(processes, kinds)) if one.names]
    return (OTHER, *found)
