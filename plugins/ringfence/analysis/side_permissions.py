"""What one side lets through, by process class.

These are the passing services of a table at two addresses, split so that what holds for every process is said once.
"""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.analysis.lookup import TableLookup
from ringfence.model.addresses import FAMILIES
from ringfence.model.intervals import EMPTY, IntervalSet
from ringfence.model.rules import Direction
from ringfence.model.services import EVERY_SERVICE, ICMP, ICMPV6, block_of
from ringfence.model.tables import ProcessClass, ServiceMap, VerdictTable


@dataclass(frozen=True, slots=True)
class Permitted:
    """Services (points) that pass on one side: `always` for every process, `extra` for single classes beyond that."""

    always: IntervalSet
    extra: tuple[tuple[ProcessClass, IntervalSet], ...] = ()


EVERYTHING = Permitted(EVERY_SERVICE)


class Sides:
    """Answers what tables let through; equal questions, and equal service maps, are computed once."""

    def __init__(self) -> None:
        self._lookups: dict[int, TableLookup] = {}
        self._passing: dict[int, IntervalSet] = {}
        self._known: dict[tuple[int, ...], Permitted] = {}

    def lookup(self, table: VerdictTable) -> TableLookup:
        """Return the table, ready to be asked."""
        if id(table) not in self._lookups:
            self._lookups[id(table)] = TableLookup(table)
        return self._lookups[id(table)]

    def passing(self, services: ServiceMap) -> IntervalSet:
        """Return the services that a map lets through."""
        if id(services) not in self._passing:
            self._passing[id(services)] = services.passing()
        return self._passing[id(services)]

    def permitted(self, table: VerdictTable | None, direction: Direction, local: int, remote: int) -> Permitted:
        """Return what passes between two addresses on one side; everything where that side is not a workload."""
        if table is None:
            return EVERYTHING
        directed = self.lookup(table).directions[direction]
        classes = directed.table.process_classes
        maps = [directed.services_at(local, process, remote) for process in classes]
        key = (id(directed), *map(id, maps))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _split(classes, [self.passing(services) for services in maps])
        return known

    def to_members(self, table: VerdictTable, name: str, own: IntervalSet) -> Permitted:
        """Return the services that pass from some local addresses to members of a dynamic set that are in no other set.

        A service is returned if it passes to at least one of the addresses for which the set matters, of a family in
        which there is a local address. Of two families each tells its own ICMP messages alone.
        """
        families = {family: own & whole for family, whole in FAMILIES.items()}
        foreign = {4: block_of(ICMPV6), 6: block_of(ICMP)} if all(families.values()) else {4: EMPTY, 6: EMPTY}
        passing = dict.fromkeys(table.outbound.process_classes, EMPTY)
        for cell in table.outbound.cells:
            if name not in cell.membership.inside or not cell.membership.holds((name,)):
                continue
            for family, local in families.items():
                if cell.local.meets(local) and cell.remote.meets(FAMILIES[family]):
                    passing[cell.process] |= self.passing(cell.services) - foreign[family]
        return _split(tuple(passing), list(passing.values()))


def _split(classes: tuple[ProcessClass, ...], passing: list[IntervalSet]) -> Permitted:
    """Return what passes for some process classes, with what passes for all of them said once."""
    always = passing[0]
    for services in passing[1:]:
        always = always & services
    extra = tuple(
        (process, services - always) for process, services in zip(classes, passing, strict=True) if services - always
    )
    return Permitted(always, extra)
