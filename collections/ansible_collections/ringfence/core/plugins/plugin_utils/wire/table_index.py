"""A verdict table's data made ready for questions: process classes, local and remote intervals, pieces of services."""

from __future__ import annotations

from typing import NamedTuple

from .service_line import Piece, pieces_of
from .vendored.address_line import interval_of
from .vendored.plan_format import LINUX_KINDS, PLATFORMS
from .vendored.set_names import set_digest

Interval = tuple[int, int]
# A name, or None for none of the named ones, for each process kind of the table's platform.
Process = tuple["str | None", ...]
Remote = tuple[int, int, str]


def kinds_of(direction: dict) -> tuple[str, ...]:
    """Return the process kinds of the platform that a table is of."""
    return next((kinds for kinds in PLATFORMS.values() if all(f"{kind}s" in direction for kind in kinds)), LINUX_KINDS)


class Case(NamedTuple):
    """Dynamic sets, by their digests, that an address is in and is not in, and the service map that holds then."""

    inside: frozenset[str]
    outside: frozenset[str]
    pieces: tuple[Piece, ...]


class Cells(NamedTuple):
    """Local addresses, and what holds for every remote address: `(low, high, name)`, sorted; `cases` tells the name."""

    local: list[Interval]
    remotes: list[Remote]


class TableIndex:
    """The cells of a table by direction and process class; addresses are parsed once each, when first asked for."""

    def __init__(self, table: dict) -> None:
        self.table = table
        self.services: dict[str, tuple[Piece, ...]] = {n: pieces_of(data) for n, data in table["services"].items()}
        # Digest -> name of the dynamic sets; a table that was read back knows digests only.
        self.sets: dict[str, str] = {}
        self._cases: dict[str, list[Case]] = {}
        self._intervals: dict[str, list[Interval]] = {}
        self._cells: dict[str, dict[Process, list[Cells]]] = {}

    def intervals(self, name: str) -> list[Interval]:
        """Return the intervals of a named address set."""
        if name not in self._intervals:
            self._intervals[name] = [interval_of(text) for text in self.table["addresses"][name]]
        return self._intervals[name]

    def cells(self, direction: str) -> dict[Process, list[Cells]]:
        """Return the cells of `in` or `out` by process class."""
        if direction not in self._cells:
            self._cells[direction] = self._by_process(direction)
        return self._cells[direction]

    def cases(self, name: str) -> list[Case]:
        """Return what the name beside a remote address stands for, by membership; at first for an address in no set."""
        if name not in self._cases:
            self._cases[name] = [Case(frozenset(), frozenset(), self.services[name])]
        return self._cases[name]

    def _by_process(self, direction: str) -> dict[Process, list[Cells]]:
        named: dict[Process, dict[str, list[tuple[str, str]]]] = {}
        asked: dict[tuple[Process, str, str], list[Case]] = {}
        kinds = kinds_of(self.table[direction])
        for cell in self.table[direction]["cells"]:
            process = tuple(cell[kind] for kind in kinds)
            of_process = named.setdefault(process, {})
            if "inside" in cell:
                asked.setdefault((process, cell["local"], cell["remote"]), []).append(self._case(cell))
            else:
                of_process.setdefault(cell["local"], []).append((cell["remote"], cell["services"]))
        for (process, local, remote), cases in asked.items():
            name = self._asking(sorted(cases, key=lambda case: len(case.inside)))
            named[process].setdefault(local, []).append((remote, name))
        shared: dict[tuple[tuple[str, str], ...], list[Remote]] = {}
        by_process: dict[Process, list[Cells]] = {}
        for process, by_local in named.items():
            for local, pairs in by_local.items():
                key = tuple(pairs)
                if key not in shared:
                    shared[key] = sorted(
                        (low, high, services) for remote, services in pairs for low, high in self.intervals(remote)
                    )
                by_process.setdefault(process, []).append(Cells(self.intervals(local), shared[key]))
        return by_process

    def _case(self, cell: dict) -> Case:
        inside, outside = (frozenset(map(self._digest, cell[where])) for where in ("inside", "outside"))
        return Case(inside, outside, self.services[cell["services"]])

    def _digest(self, name: str) -> str:
        digest = set_digest(name) if ":" in name else name
        self.sets.setdefault(digest, name)
        return digest

    def _asking(self, cases: list[Case]) -> str:
        """Return the name of some cases; equal ones have one name."""
        for name, known in self._cases.items():
            if known == cases:
                return name
        name = f"d{len(self._cases)}"
        self._cases[name] = cases
        return name
