"""A verdict table's data made ready for questions: process classes, local and remote intervals, pieces of services."""

from __future__ import annotations

from typing import NamedTuple

from .address_line import interval_of
from .service_line import Piece, pieces_of

Interval = tuple[int, int]
Process = tuple["str | None", "str | None"]
Remote = tuple[int, int, str]


class Cells(NamedTuple):
    """Local addresses, and the service map of every remote address: `(low, high, name)`, sorted."""

    local: list[Interval]
    remotes: list[Remote]


class TableIndex:
    """The cells of a table by direction and process class; addresses are parsed once each, when first asked for."""

    def __init__(self, table: dict) -> None:
        self.table = table
        self.services: dict[str, tuple[Piece, ...]] = {n: pieces_of(data) for n, data in table["services"].items()}
        self._intervals: dict[str, list[Interval]] = {}
        self._cells: dict[str, dict[Process, list[Cells]]] = {}

    def intervals(self, name: str) -> list[Interval]:
        """Return the intervals of a named address set."""
        if name not in self._intervals:
            self._intervals[name] = [interval_of(text) for text in self.table["addresses"][name]]
        return self._intervals[name]

    def cells(self, direction: str) -> dict[Process, list[Cells]]:
        """Return the cells of `in` or `out` by process class (unit and user, None for none of the named)."""
        if direction not in self._cells:
            self._cells[direction] = self._by_process(direction)
        return self._cells[direction]

    def _by_process(self, direction: str) -> dict[Process, list[Cells]]:
        named: dict[Process, dict[str, list[tuple[str, str]]]] = {}
        for cell in self.table[direction]["cells"]:
            of_process = named.setdefault((cell["unit"], cell["user"]), {})
            of_process.setdefault(cell["local"], []).append((cell["remote"], cell["services"]))
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
