"""The verdict of one connection, looked up in a table by bisection.

A table is a list of cells; here each direction becomes sorted arrays, built once for each process class that is asked
for, so that an answer costs three bisections however many cells and intervals the table has.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ringfence.model.addresses import address_text
from ringfence.model.intervals import Interval, IntervalSet
from ringfence.model.memberships import ALWAYS, Membership
from ringfence.model.rules import Direction
from ringfence.model.tables import Cell, Classes, DirectionTable, Outcome, ProcessClass, ServiceMap, VerdictTable

Cases = tuple[tuple[Membership, ServiceMap], ...]


@dataclass(frozen=True, slots=True)
class Remotes:
    """All remote addresses, each with its service map by the dynamic sets that an address is in.

    With a `cut` they are its classes, whose numbers lead to a place in `cases`; without one they are disjoint
    intervals in order. Where no set matters there is one case. The first case holds for an address that is in no set.
    """

    cases: list[Cases]
    lows: list[int] = field(default_factory=list)
    highs: list[int] = field(default_factory=list)
    cut: Classes | None = None
    of_class: Mapping[int, Cases] = field(default_factory=dict)

    @staticmethod
    def of(cells: Sequence[Cell]) -> Remotes:
        """Return the remote addresses of cells of one local address and process class."""
        deferred = [cell.remote_classes for cell in cells]
        cuts = {id(one.cut): one.cut for one in deferred if one is not None}
        if len(cuts) == 1 and None not in deferred:
            return _of_classes(cells, *cuts.values())
        by_remote: dict[IntervalSet, list[tuple[Membership, ServiceMap]]] = {}
        pieces: list[tuple[int, int, Cases]] = []
        for cell in cells:
            if cell.membership == ALWAYS:
                case = ((ALWAYS, cell.services),)
                pieces.extend((low, high, case) for low, high in cell.remote)
            else:
                by_remote.setdefault(cell.remote, []).append((cell.membership, cell.services))
        for remote, found in by_remote.items():
            cases = _in_order(found)
            pieces.extend((low, high, cases) for low, high in remote)
        pieces.sort(key=lambda piece: piece[0])
        lows, highs = [low for low, _, _ in pieces], [high for _, high, _ in pieces]
        return Remotes([cases for _, _, cases in pieces], lows, highs)

    def at(self, remote: int, members: Collection[str] = ()) -> ServiceMap:
        """Return the service map for a remote address in some dynamic sets and no others."""
        cases = self.cases_at(remote)
        return cases[0][1] if len(cases) == 1 else next(found for one, found in cases if one.holds(members))

    def cases_at(self, remote: int) -> Cases:
        """Return the cases of a remote address; raises LookupError where the table has none."""
        if self.cut is not None:
            found = self.of_class.get(self.cut.class_at(remote))
            if found is not None:
                return found
        else:
            index = bisect_right(self.lows, remote) - 1
            if index >= 0 and remote <= self.highs[index]:
                return self.cases[index]
        raise LookupError(f"no cell covers the remote address {address_text(remote)}: the table is incomplete")


def _of_classes(cells: Sequence[Cell], cut: Classes) -> Remotes:
    conditional: dict[int, list[tuple[Membership, ServiceMap]]] = {}
    of_class: dict[int, Cases] = {}
    every: list[Cases] = []
    for cell in cells:
        deferred = cell.remote_classes
        assert deferred is not None
        if cell.membership == ALWAYS:
            every.append(((ALWAYS, cell.services),))
            of_class.update(dict.fromkeys(deferred.numbers, every[-1]))
        else:
            for number in deferred.numbers:
                conditional.setdefault(number, []).append((cell.membership, cell.services))
    for number, found in conditional.items():
        of_class[number] = _in_order(found)
        every.append(of_class[number])
    return Remotes(every, cut=cut, of_class=of_class)


def _in_order(found: Iterable[tuple[Membership, ServiceMap]]) -> Cases:
    return tuple(sorted(found, key=lambda one: (len(one[0].inside), one[0])))


@dataclass(frozen=True, slots=True)
class Locals:
    """Disjoint local intervals in order, each with the remotes of the cells that hold it."""

    lows: list[int]
    highs: list[int]
    remotes: list[Remotes]

    @staticmethod
    def of(cells: Sequence[Cell]) -> Locals:
        """Return the local addresses of the cells of one process."""
        by_local: dict[IntervalSet, list[Cell]] = {}
        for cell in cells:
            by_local.setdefault(cell.local, []).append(cell)
        sets = list(by_local)
        shared: dict[tuple[int, ...], Remotes] = {}
        lows: list[int] = []
        highs: list[int] = []
        remotes: list[Remotes] = []
        for (low, high), members in cut(sets):
            if members not in shared:
                shared[members] = Remotes.of([cell for index in members for cell in by_local[sets[index]]])
            lows.append(low)
            highs.append(high)
            remotes.append(shared[members])
        return Locals(lows, highs, remotes)

    def at(self, local: int) -> Remotes:
        """Return the remotes of a local address; raises LookupError where the table has none."""
        index = bisect_right(self.lows, local) - 1
        if index < 0 or local > self.highs[index]:
            raise LookupError(f"no cell covers the local address {address_text(local)}: the table is incomplete")
        return self.remotes[index]


@dataclass(frozen=True)
class DirectionLookup:
    """One direction of a table, ready to be asked; process classes are indexed when first asked for."""

    table: DirectionTable
    _classes: dict[ProcessClass, Locals] = field(default_factory=dict)

    def remotes_at(self, local: int, process: ProcessClass) -> Remotes:
        """Return what this table says of every remote address to one local address and process."""
        return self.locals_of(process).at(local)

    def locals_of(self, process: ProcessClass) -> Locals:
        """Return what this table says of every local address to one process."""
        known = self.table.class_of(process)
        indexed = self._classes.get(known)
        if indexed is None:
            indexed = Locals.of([cell for cell in self.table.cells if cell.process == known])
            self._classes[known] = indexed
        return indexed

    def services_at(self, local: int, process: ProcessClass, remote: int, members: Collection[str] = ()) -> ServiceMap:
        """Return what `DirectionTable.services_at` returns; raises LookupError where no cell covers the question."""
        return self.remotes_at(local, process).at(remote, members)


class TableLookup:
    """A verdict table, ready to be asked for single connections."""

    def __init__(self, table: VerdictTable) -> None:
        self.table = table
        self.directions = {
            direction: DirectionLookup(table.direction(direction)) for direction in (Direction.IN, Direction.OUT)
        }

    def outcome(
        self,
        direction: Direction,
        local: int,
        remote: int,
        process: ProcessClass,
        service_point: int,
        members: Collection[str] = (),
    ) -> Outcome:
        """Return the table's outcome for two addresses (points), a local process and a point of the service line.

        `members` are the dynamic sets that the remote address is in.
        Built-ins are above the table and not in it: `ringfence.analysis.builtins` answers for those.
        """
        return self.directions[direction].services_at(local, process, remote, members).outcome(service_point)


def cut(sets: Sequence[IntervalSet]) -> list[tuple[Interval, tuple[int, ...]]]:
    """Return the disjoint pieces, in order, into which sets cut the line, each with the indexes of the sets there.

    Points of no set are left out; neighbouring pieces differ in their indexes or do not touch.
    """
    turns: dict[int, list[int]] = {}
    for index, one in enumerate(sets):
        for low, high in one:
            turns.setdefault(low, []).append(index)
            turns.setdefault(high + 1, []).append(index)
    pieces: list[tuple[Interval, tuple[int, ...]]] = []
    active: set[int] = set()
    start = 0
    for point in sorted(turns):
        if active and start < point:
            pieces.append(((start, point - 1), tuple(sorted(active))))
        for index in turns[point]:
            active.symmetric_difference_update((index,))
        start = point
    return pieces
