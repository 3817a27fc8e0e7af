"""What a host's iptables, ipset and kernel must be able to do for a table: what is missing is named beforehand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.enforcers.iptables.mark_classes import Marks
from ringfence.model.tables import VerdictTable
from ringfence.model.units import not_followed

OLDEST_IPTABLES = (1, 4, 21)
OLDEST_IPSET = (6, 38)
OLDEST_KERNEL = (3, 10)
# `-m cgroup --path` is of iptables 1.6.0.
OLDEST_UNITS = (1, 6, 0)
# Bits of the mark that Ringfence takes where nothing else is said: Kubernetes, Docker and wg-quick use lower ones.
DEFAULT_MASK = 0x7FF00000
_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Features:
    """Facts about a host; what it did not tell is taken as a current release has it.

    `marks_used` are the bits of the mark that rules other than ours name, `skbinfo` says whether sets can give a mark.
    """

    iptables: tuple[int, ...] = (1, 8, 9)
    ipset: tuple[int, ...] = (7, 17)
    kernel: tuple[int, ...] = (6, 1)
    cgroup2: bool = True
    skbinfo: bool = True
    marks: int = DEFAULT_MASK
    marks_used: int = 0


def features_of(told: Mapping[str, object]) -> Features:
    """Return the facts of what a host told about itself, in the words of its status."""
    known = Features()
    return Features(
        _version(told.get("iptables")) or known.iptables,
        _version(told.get("ipset")) or known.ipset,
        _version(told.get("kernel")) or known.kernel,
        told.get("cgroup2") is not False,
        told.get("skbinfo") is not False,
        _mask(told.get("marks"), known.marks),
        _mask(told.get("marks_used"), known.marks_used),
    )


def lacks(features: Features) -> str:
    """Return why a host cannot be enforced on by iptables at all, empty where it can be."""
    told = [
        f"{name} {_text(found)} is older than {_text(least)}"
        for name, found, least in (
            ("iptables", features.iptables, OLDEST_IPTABLES),
            ("ipset", features.ipset, OLDEST_IPSET),
            ("the kernel", features.kernel, OLDEST_KERNEL),
        )
        if found < least
    ]
    return "; ".join(told)


def marks_of(features: Features) -> Marks | None:
    """Return the bits to tell classes of addresses apart by, or None where each class needs a rule of its own."""
    return Marks(features.marks) if features.marks and features.skbinfo else None


def unsupported(table: VerdictTable, features: Features) -> list[str]:
    """Return one sentence for everything of the table that this host cannot enforce; an empty list: all of it."""
    problems = [lacks(features)] if lacks(features) else []
    if shared := features.marks & features.marks_used:
        problems.append(
            f"other rules on this host use bits {shared:#x} of the mark, which Ringfence would use "
            f"(of {features.marks:#x})"
        )
    listeners = (*table.inbound.units, *table.inbound.users)
    if listeners:
        problems.append(f"the unit or user of a listener cannot be matched: {', '.join(listeners)}")
    if units := table.outbound.units:
        named = ", ".join(units)
        if not features.cgroup2:
            problems.append(f"units cannot be matched, /sys/fs/cgroup holds no cgroup2 hierarchy: {named}")
        elif features.iptables < OLDEST_UNITS:
            problems.append(
                f"units cannot be matched, iptables {_text(features.iptables)} knows no `cgroup --path`: {named}"
            )
    for unit in table.outbound.units:
        if why := not_followed(unit):
            problems.append(f"{unit} cannot be followed when it starts again: {why}")
    return problems


def _version(told: object) -> tuple[int, ...]:
    return tuple(map(int, _NUMBER.findall(told)[:3])) if isinstance(told, str) else ()


def _mask(told: object, default: int) -> int:
    if isinstance(told, bool) or not isinstance(told, int) or not 0 <= told < 1 << 32:
        return default
    return told


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
