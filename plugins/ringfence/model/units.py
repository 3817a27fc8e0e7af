"""Units of systemd: which names a policy can be about, and why not the others."""

from __future__ import annotations

import re

# systemd.unit(5): a prefix of these characters, a type suffix, at most 255 characters.
_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]{1,246}\.([a-z]+)")
# Of these the ones that can be followed: services and instances, no templates; as a regular expression of JSON Schema.
SERVICE_PATTERN = r"^[A-Za-z0-9:_.\\@-]{0,245}[A-Za-z0-9:_.\\-]\.service$"
_WHY = {
    "socket": "the listener that it opens is found by its service: name that",
    "slice": "a slice has no start of its own that could be followed: name its services",
    "scope": "a scope is made by a program and has no start that could be followed: name a service, or a user",
    "mount": "a mount has no start that could be followed, and no process that speaks",
    "automount": "an automount is not a process",
    "swap": "a swap has no start that could be followed, and no process that speaks",
    "timer": "a timer is not a process: name the service that it starts",
    "path": "a path is not a process: name the service that it starts",
    "target": "a target is not a process: name its services",
    "device": "a device is not a process",
}


def is_unit_name(text: str) -> bool:
    """Return whether a text is the whole name of a unit, of whatever type."""
    met = _NAME.fullmatch(text)
    return met is not None and (met[1] == "service" or met[1] in _WHY)


def not_followed(unit: str) -> str | None:
    """Return why the processes of a unit cannot be followed from start to start, None if they can.

    The number of a control group changes with every start, and a drop-in of a service reports it to the kernel.
    """
    stem, _, kind = unit.rpartition(".")
    if kind != "service":
        return _WHY.get(kind, f"'{kind}' is not a type of unit that runs something")
    if stem.endswith("@"):
        return f"a template runs nothing itself: name an instance, '{stem}INSTANCE.service'"
    return None
