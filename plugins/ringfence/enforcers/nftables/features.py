"""What a host's nft and kernel must be able to do for a table: missing things are named before anything is applied."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ringfence.model.services import SCTP, block_of
from ringfence.model.tables import Cell, DirectionTable, ProcessClass, VerdictTable
from ringfence.model.units import not_followed

if TYPE_CHECKING:
    from pydantic import JsonValue

# Oldest versions whose syntax and matches the renderer relies on (RHEL 8: nft 0.9.3, kernel 4.18).
OLDEST_NFT = (0, 9, 3)
OLDEST_KERNEL = (4, 18)


@dataclass(frozen=True, slots=True)
class Features:
    """Facts probed on a host; `socket_cgroup`: a trial load of `socket cgroupv2` was accepted by nft and kernel."""

    nft: tuple[int, ...]
    kernel: tuple[int, ...]
    cgroup2: bool = True
    socket_cgroup: bool = True

    @staticmethod
    def told(told: Mapping[str, JsonValue]) -> Features:
        """Return the facts that a host reported.

        `nft` (empty where it is not installed) and `kernel` are version texts; the other two are booleans.
        """
        return Features(
            nft=() if told.get("nft") == "" else _numbers(told.get("nft")) or CURRENT.nft,
            kernel=_numbers(told.get("kernel")) or CURRENT.kernel,
            cgroup2=told.get("cgroup2") is not False,
            socket_cgroup=told.get("socket_cgroup") is not False,
        )

    def data(self) -> dict[str, JsonValue]:
        """Return plain data that `told` reads."""
        return {
            "nft": self.nft_text,
            "kernel": _version(self.kernel),
            "cgroup2": self.cgroup2,
            "socket_cgroup": self.socket_cgroup,
        }

    @property
    def nft_text(self) -> str:
        """Return nft's version."""
        return _version(self.nft)


# What a host is assumed to have while nobody has asked it; the target itself refuses what it lacks.
CURRENT = Features(nft=(1, 1), kernel=(6, 1))


def unsupported(table: VerdictTable, features: Features) -> list[str]:
    """Return one sentence for everything of the table that this host cannot enforce; an empty list: all of it."""
    problems = []
    if not features.nft:
        problems.append("there is no nft")
    elif features.nft < OLDEST_NFT:
        problems.append(f"nft {_version(features.nft)} is older than {_version(OLDEST_NFT)}")
    if features.kernel < OLDEST_KERNEL:
        problems.append(f"kernel {_version(features.kernel)} is older than {_version(OLDEST_KERNEL)}")
    units = sorted({*table.inbound.units, *table.outbound.units})
    if units:
        named = ", ".join(units)
        if not features.cgroup2:
            problems.append(f"units cannot be matched, /sys/fs/cgroup holds no cgroup2 hierarchy: {named}")
        if not features.socket_cgroup:
            version = f"nft {_version(features.nft)} on kernel {_version(features.kernel)}"
            problems.append(f"units cannot be matched, {version} knows no `socket cgroupv2`: {named}")
    for unit in units:
        if why := not_followed(unit):
            problems.append(f"{unit} cannot be followed when it starts again: {why}")
    if table.inbound.users:
        problems.append(f"the user of a listener cannot be matched: {', '.join(table.inbound.users)}")
    problems += [
        f"the unit of an SCTP listener cannot be matched (the kernel looks up TCP and UDP listeners only): {unit}"
        for unit in (_units_with_own_sctp(table.inbound) if table.inbound.units else ())
    ]
    return problems


def _units_with_own_sctp(table: DirectionTable) -> list[str]:
    """Return the units whose SCTP verdicts differ from those of no unit for some addresses."""
    if not table.units:
        return []
    others = [cell for cell in table.cells if cell.process == ProcessClass()]
    return sorted(
        {
            cell.process.unit
            for cell in table.cells
            if cell.process.unit is not None
            for other in others
            if other.local == cell.local and other.remote & cell.remote and _sctp(other) != _sctp(cell)
        }
    )


def _sctp(cell: Cell) -> list[tuple[int, int, str]]:
    """Return the fused pieces of effects over the SCTP block."""
    ((low, high),) = block_of(SCTP)
    pieces: list[tuple[int, int, str]] = []
    for begin, end, outcome in cell.services.pieces:
        first, last = max(begin, low), min(end, high)
        if first > last:
            continue
        if pieces and pieces[-1][2] == str(outcome.effect):
            pieces[-1] = (pieces[-1][0], last, pieces[-1][2])
        else:
            pieces.append((first, last, str(outcome.effect)))
    return pieces


@lru_cache(maxsize=256)
def _version(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def _numbers(value: object) -> tuple[int, ...]:
    """Return a version's first numbers; a text of a host that is not a version is none."""
    return _numbers_of(value[:64]) if isinstance(value, str) else ()


@lru_cache(maxsize=4096)
def _numbers_of(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"[0-9]{1,6}", text)[:3])
