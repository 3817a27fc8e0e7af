"""What a host's iptables, ipset and kernel must be able to do for a table: what is missing is named beforehand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.model.tables import VerdictTable
from ringfence.model.units import not_followed

if TYPE_CHECKING:
    from pydantic import JsonValue

OLDEST_IPTABLES = (1, 4, 21)
OLDEST_IPSET = (6, 38)
OLDEST_KERNEL = (3, 10)
# `-m cgroup --path` is of iptables 1.6.0.
OLDEST_UNITS = (1, 6, 0)
# Bits of the mark that Ringfence takes where nothing else is said: Kubernetes, Docker and wg-quick use lower ones.
DEFAULT_MASK = 0x7FF00000
_NUMBER = re.compile(r"[0-9]{1,6}")
_MASK = re.compile(r"0x[0-9a-fA-F]{1,8}")


@dataclass(frozen=True, slots=True)
class Features:
    """Facts about a host: versions, empty for a program that is not there; whether sets can give a mark (`skbinfo`).

    `known` says whether it told of its iptables at all. `marks` are the bits of the mark that Ringfence may use there,
    `marks_used` those that other rules name.
    """

    iptables: tuple[int, ...] = (1, 8, 9)
    ipset: tuple[int, ...] = (7, 17)
    kernel: tuple[int, ...] = (6, 1)
    cgroup2: bool = True
    skbinfo: bool = True
    marks: int = DEFAULT_MASK
    marks_used: int = 0
    known: bool = True

    @staticmethod
    def told(told: Mapping[str, JsonValue]) -> Features:
        """Return the facts that a host reported; what it did not tell is taken as a current release has it."""
        known = Features()
        return Features(
            _version(told.get("iptables"), known.iptables),
            _version(told.get("ipset"), known.ipset),
            _version(told.get("kernel"), known.kernel),
            told.get("cgroup2") is not False,
            told.get("skbinfo") is not False,
            _mask(told.get("marks"), known.marks),
            _mask(told.get("marks_used"), known.marks_used),
            told.get("known", "iptables" in told) is True,
        )

    def data(self) -> dict[str, JsonValue]:
        """Return plain data that `told` reads."""
        return {
            "iptables": _text(self.iptables),
            "ipset": _text(self.ipset),
            "kernel": _text(self.kernel),
            "cgroup2": self.cgroup2,
            "skbinfo": self.skbinfo,
            "marks": self.marks,
            "marks_used": self.marks_used,
            "known": self.known,
        }

    def lacks(self) -> list[str]:
        """Return a sentence for everything without which iptables cannot enforce anything on a host."""
        programs = (
            ("iptables", self.iptables, OLDEST_IPTABLES),
            ("ipset", self.ipset, OLDEST_IPSET),
            ("kernel", self.kernel, OLDEST_KERNEL),
        )
        return [
            f"{name} {_text(found)} is older than {_text(least)}" if found else f"there is no {name}"
            for name, found, least in programs
            if found < least
        ]


def unsupported(table: VerdictTable, features: Features) -> list[str]:
    """Return one sentence for everything of the table that this host cannot enforce; an empty list: all of it."""
    problems = features.lacks()
    if shared := features.marks & features.marks_used:
        problems.append(
            f"other rules on this host use bits {shared:#x} of the mark, and Ringfence would use {features.marks:#x}"
        )
    if listeners := (*table.inbound.units, *table.inbound.users):
        problems.append(f"the unit or user of a listener cannot be matched: {', '.join(listeners)}")
    if units := table.outbound.units:
        named = ", ".join(units)
        if not features.cgroup2:
            problems.append(f"units cannot be matched, /sys/fs/cgroup holds no cgroup2 hierarchy: {named}")
        elif features.iptables < OLDEST_UNITS:
            version = _text(features.iptables)
            problems.append(f"units cannot be matched, iptables {version} knows no `cgroup --path`: {named}")
    for unit in table.outbound.units:
        if why := not_followed(unit):
            problems.append(f"{unit} cannot be followed when it starts again: {why}")
    return problems


def _version(told: JsonValue, default: tuple[int, ...]) -> tuple[int, ...]:
    if told == "":
        return ()
    return tuple(map(int, _NUMBER.findall(told)[:3])) or default if isinstance(told, str) else default


def mask_of(told: object) -> int | None:
    """Return bits of the mark, given as a number or as a text like `0x7ff00000`; None where it is none."""
    if isinstance(told, str) and _MASK.fullmatch(told):
        told = int(told, 16)
    if isinstance(told, bool) or not isinstance(told, int) or not 0 <= told < 1 << 32:
        return None
    return told


def _mask(told: JsonValue, default: int) -> int:
    found = mask_of(told)
    return default if found is None else found


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
