"""Processes as the compiler tells them apart: classes of Linux and of Windows, and whether a peer names one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from ringfence.model.rules import Process
from ringfence.model.tables import ProcessClass, process_classes


@dataclass(frozen=True, slots=True)
class WindowsClass:
    """Who on a Windows host: a program (or none of the named ones) and a service (or none of the named ones)."""

    program: str | None
    service: str | None


FarClass = ProcessClass | WindowsClass


def runs_as(process: Process | None, found: FarClass) -> bool:
    """Return whether a class is one of those that a peer names; one of the other system's never is."""
    if process is None:
        return True
    match found:
        case ProcessClass(unit, user):
            asked = ((process.units, unit), (process.users, user))
        case WindowsClass(program, service):
            asked = ((process.programs, program), (process.services, service))
    return any(names for names, _ in asked) and all(not names or one in names for names, one in asked)


def far_classes(named: Iterable[Process]) -> tuple[FarClass, ...]:
    """Return every combination that some processes of a far end may be told apart by, none of the named first.

    A side does not know what system the far end is: it may be either.
    """
    processes = list(named)
    units = sorted({unit for process in processes for unit in process.units})
    users = sorted({user for process in processes for user in process.users})
    programs = sorted({program for process in processes for program in process.programs})
    services = sorted({service for process in processes for service in process.services})
    windows = product((None, *programs), (None, *services)) if programs or services else ()
    return (*process_classes(units, users), *(WindowsClass(*pair) for pair in windows))
