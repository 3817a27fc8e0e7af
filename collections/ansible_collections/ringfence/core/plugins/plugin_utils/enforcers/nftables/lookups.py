"""Which rules a process is really judged by, where a rule that tells processes apart is missing or asks otherwise."""

from __future__ import annotations

import re

from .listing import Listing
from .shapes import DEEPEST_LEVEL, HOOKS

Process = tuple["str | None", "str | None"]
_UNIT = re.compile(r'"(.+)" : goto (?:in|out)_(u\d+)')


def judged_as(listing: Listing, direction: str, starts: dict[Process, str]) -> dict[Process, str]:
    """Return where every process class is led, from where the chain of every class leads.

    A unit whose cgroup is in a map that no rule asks at its depth is judged as the unit around it that is asked for,
    else as any other process; a user that no rule asks for, as any other user. What is in no map stays as it is: where
    it would be is not known before it runs.
    """
    base = listing.chains.get(HOOKS[direction])
    asked = {rule.text for rule in base.rules} if base else set()
    groups = _groups(listing, direction)
    reached = {
        path: unit
        for path, unit in groups.items()
        if f"socket cgroupv2 level {_depth(path)} vmap @units_{direction}_{_depth(path)}" in asked
    }
    units: dict[str | None, str | None] = {None: None, **{unit: unit for unit, _ in starts}}
    for unit in {*groups.values()} - {*reached.values()}:
        units[unit] = _around(next(path for path, of in groups.items() if of == unit), reached)
    judged: dict[Process, str] = {}
    for process, start in starts.items():
        named, user = process
        known = units[named]
        judged[process] = starts.get((known, user if _asks_users(listing, direction, known) else None), start)
    return judged


def _groups(listing: Listing, direction: str) -> dict[str, str]:
    """Return the cgroups that the maps of units hold at their depth, with the unit that they are led to."""
    found = {}
    for level in range(1, DEEPEST_LEVEL + 1):
        block = listing.sets.get(f"units_{direction}_{level}")
        for element in block.elements if block else []:
            match = _UNIT.fullmatch(element)
            if match and _depth(match[1]) == level:
                found[match[1]] = match[2]
    return found


def _around(path: str, reached: dict[str, str]) -> str | None:
    """Return the unit of the innermost cgroup around a path that is asked for."""
    while path:
        path = path.rpartition("/")[0]
        if path in reached:
            return reached[path]
    return None


def _asks_users(listing: Listing, direction: str, unit: str | None) -> bool:
    chain = listing.chains.get(HOOKS[direction] if unit is None else f"{direction}_{unit}")
    of_unit = direction if unit is None else f"{direction}_{unit}"
    return chain is not None and any(rule.text == f"meta skuid vmap @users_{of_unit}" for rule in chain.rules)


def _depth(path: str) -> int:
    return path.count("/") + 1
