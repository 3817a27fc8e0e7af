"""The emergencies of a workspace: a file each below `emergencies/`, which a team commits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from os.path import lexists
from pathlib import Path

from ringfence.files import locked, write_whole
from ringfence.model.addresses import range_texts
from ringfence.model.emergencies import FOLDER, SUFFIX, EmergencyEnd, HostState, Order
from ringfence.model.errors import InputError, InputErrors, OutsideError, Place
from ringfence.model.intervals import IntervalSet
from ringfence.model.services import service_texts
from ringfence.model.workspace_files import STATE


def orders(directory: Path) -> tuple[Order, ...]:
    """Return every emergency that a workspace knows of, the newest last.

    Raise InputErrors for files that are no emergency: what stands is not told while one of them, or their
    directory, cannot be read.
    """
    found: list[Order] = []
    errors: list[InputError] = []
    folder = directory / FOLDER
    try:
        paths = sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX)) if lexists(folder) else []
    except OSError as error:
        why = f"cannot be read, so nothing is known of what stands: {error.strerror}"
        remedy = "let yourself read it; where it is no directory, move it away"
        raise InputErrors([InputError(why, Place(FOLDER), remedy)]) from error
    if not paths:
        return ()
    from ringfence.estate.emergency_files import read_order

    for path in paths:
        try:
            found.append(read_order(path))
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)
    return tuple(sorted(found, key=lambda one: (one.since, one.id)))


def kept_order(directory: Path, name: str) -> Order | None:
    """Return the emergency of an id, None where there is none. Raise InputError where its file is none."""
    path = directory / FOLDER / f"{name}{SUFFIX}"
    if not path.is_file():
        return None
    from ringfence.estate.emergency_files import read_order

    return read_order(path)


def keep_order(directory: Path, order: Order) -> Order:
    """Write an emergency into the workspace and return it with its place. Raise OutsideError where that fails."""
    path = directory / FOLDER / f"{order.id}{SUFFIX}"
    try:
        write_whole(path, json.dumps(order_data(order), indent=2) + "\n")
    except OSError as error:
        raise OutsideError(f"the emergency is not kept: {error.strerror}", Place(str(path))) from error
    return replace(order, place=Place(f"{FOLDER}/{path.name}", 1))


def update_order(directory: Path, order: Order, states: Mapping[str, HostState]) -> Order:
    """Keep what is known of some hosts beside what others have written meanwhile; return the emergency as it is now.

    Two people may work on one emergency at once: what one of them released stays released, and no host is forgotten.
    Raise OutsideError where it cannot be written.
    """
    path = directory / FOLDER / f"{order.id}{SUFFIX}"
    with ExitStack() as held:
        # a lock that cannot be had stops nobody from isolating a machine
        with suppress(OSError):
            held.enter_context(locked(directory / STATE / FOLDER))
        if path.exists():
            from ringfence.estate.emergency_files import read_order

            kept = read_order(path)
            first = kept if kept.released else order
            order = replace(order, released=first.released, released_by=first.released_by, hosts=kept.hosts)
        return keep_order(directory, replace(order, hosts={**order.hosts, **states}))


def order_data(order: Order) -> dict[str, object]:
    """Return plain data of an emergency, as its file has it."""
    points = order.services.v4 | order.services.v6
    return {
        "format": 1,
        "id": order.id,
        "kind": str(order.kind),
        "who": order.who,
        "why": order.why,
        "since": order.since,
        "ends": order.ends,
        "released_at": order.released,
        "released_by": order.released_by,
        "approved_by": list(order.approved_by),
        "first": _end_data(order.first),
        "second": _end_data(order.second),
        "service": order.service,
        "services": list(service_texts(points)),
        "hosts": {name: str(state) for name, state in sorted(order.hosts.items())},
    }


def _end_data(end: EmergencyEnd) -> Mapping[str, object]:
    return {
        "said": list(end.said),
        "assets": [{"name": one.name, "realm": one.realm, "addresses": _texts(one.addresses)} for one in end.members],
        "addresses": _texts(end.outside),
    }


def _texts(addresses: IntervalSet) -> list[str]:
    return list(range_texts(addresses))
