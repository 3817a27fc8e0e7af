"""Reach: exactly what may talk to what, for all assets, addresses, ports and processes, read from the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.side_permissions import EVERYTHING, Permitted, Sides
from ringfence.compiler import Compilation
from ringfence.model.addresses import FAMILIES, address_text, family_of, range_text
from ringfence.model.assets import Asset
from ringfence.model.intervals import EMPTY, Interval, IntervalSet
from ringfence.model.memberships import sets_of
from ringfence.model.rules import Direction
from ringfence.model.selectors import ANY, AnyAddress, Selector
from ringfence.model.services import ICMP, ICMPV6, block_of, service_texts
from ringfence.model.tables import ProcessClass, VerdictTable


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the answer: `client` may reach `server` on `services`, for the processes named, else for all."""

    client: str
    server: str
    services: IntervalSet
    client_process: ProcessClass | None = None
    server_process: ProcessClass | None = None

    def data(self) -> dict[str, object]:
        """Return the row as `ringfence reach --json` prints it."""
        row: dict[str, object] = {"from": self.client, "to": self.server, "allow": list(service_texts(self.services))}
        if self.client_process is not None:
            row["from_process"] = process_data(self.client_process)
        if self.server_process is not None:
            row["to_process"] = process_data(self.server_process)
        return row


def process_data(process: ProcessClass) -> dict[str, str | None]:
    """Return a process class as plain data; null stands for none of the processes that the policy names."""
    first = process.kinds[0]
    return {kind: name for kind, name in process.data().items() if kind == first or name is not None}


def reach(
    compilation: Compilation,
    sources: Sequence[Selector] = (ANY,),
    destinations: Sequence[Selector] = (ANY,),
    *,
    by_address: bool = False,
) -> Iterator[Row]:
    """Yield a row for every pair with something allowed, without the built-ins, for the modes that were compiled.

    Pairs are of two assets, of an asset and a range of addresses that no asset holds, or of an asset and a dynamic set
    (`fqdn:…`): what some address may be reached on if it is in that set. All other rows are for addresses in no set.
    An asset's row says what some address of the one may reach on some address of the other; with `by_address` every
    pair of addresses has its row.
    """
    yield from _Reach(compilation, by_address=by_address).rows(sources, destinations)


class _Reach:
    def __init__(self, compilation: Compilation, *, by_address: bool) -> None:
        self.tables = compilation.tables
        self.ends = Ends(compilation.snapshot, compilation.settings)
        self.by_address = by_address
        self.sides = Sides()

    def rows(self, sources: Sequence[Selector], destinations: Sequence[Selector]) -> Iterator[Row]:
        clients, servers = self.ends.assets(sources), self.ends.assets(destinations)
        for client, client_points in clients:
            for server, server_points in servers:
                if client.name != server.name and self.ends.meets(client, server):
                    yield from self._between(client, client_points, server, server_points)
            outside = self.ends.outside(destinations, client.realm)
            yield from self._outside(client, client_points, outside, Direction.OUT)
            yield from self._to_sets(client, client_points, destinations)
        for server, server_points in servers:
            outside = self.ends.outside(sources, server.realm)
            yield from self._outside(server, server_points, outside, Direction.IN)

    def _between(
        self, client: Asset, client_points: IntervalSet, server: Asset, server_points: IntervalSet
    ) -> Iterator[Row]:
        found: dict[tuple[ProcessClass | None, ProcessClass | None], IntervalSet] = {}
        pairs = product(_points(client_points), _points(server_points))
        for a, b in pairs:
            if family_of(a) != family_of(b):
                continue
            sent = self.sides.permitted(self.tables.get(client.name), Direction.OUT, a, b)
            taken = self.sides.permitted(self.tables.get(server.name), Direction.IN, b, a)
            combined = _combined(sent, taken)
            if self.by_address:
                names = (address_text(a), address_text(b))
                yield from (Row(*names, services, *processes) for processes, services in combined)
                continue
            foreign = _foreign(family_of(a), client_points, server_points)
            for processes, services in combined:
                found[processes] = found.get(processes, EMPTY) | (services - foreign)
        for processes, services in _without_repeats(found):
            if services:
                yield Row(client.name, server.name, services, *processes)

    def _outside(self, asset: Asset, points: IntervalSet, outside: IntervalSet, direction: Direction) -> Iterator[Row]:
        table = self.tables.get(asset.name)
        groups = [[point] for point in _points(points)] if self.by_address else [list(_points(points))]
        for group in groups:
            name = address_text(group[0]) if self.by_address else asset.name
            for (low, high), found in self._ranges(table, group, outside, direction):
                other = range_text(low, high)
                for process, services in found:
                    if direction is Direction.OUT:
                        yield Row(name, other, services, process, None)
                    else:
                        yield Row(other, name, services, None, process)

    def _to_sets(self, client: Asset, points: IntervalSet, destinations: Sequence[Selector]) -> Iterator[Row]:
        """Yield what passes to the members of each dynamic set that decides something for a client and is asked for."""
        table = self.tables.get(client.name)
        asked = {name for selector in destinations for name in sets_of(selector)}
        everything = any(isinstance(selector, AnyAddress) for selector in destinations)
        own = [IntervalSet(((point, point),)) for point in _points(points)] if self.by_address else [points]
        for name in table.dynamic_sets if table else ():
            if table is None or not (everything or name in asked):
                continue
            for one in own:
                end = address_text(one.intervals[0][0]) if self.by_address else client.name
                found = dict(_combined(self.sides.to_members(table, name, one), EVERYTHING))
                yield from (Row(end, name, services, *key) for key, services in _without_repeats(found))

    def _ranges(
        self, table: VerdictTable | None, points: Sequence[int], outside: IntervalSet, direction: Direction
    ) -> Iterator[tuple[Interval, list[tuple[ProcessClass | None, IntervalSet]]]]:
        """Yield ranges of outside addresses, equal neighbours fused, with what passes between them and some point."""
        pending: tuple[Interval, list[tuple[ProcessClass | None, IntervalSet]]] | None = None
        for family in (4, 6):
            local = [point for point in points if family_of(point) == family]
            if not local:
                continue
            for low, high in _cut(outside & FAMILIES[family], table, direction):
                found: dict[tuple[ProcessClass | None, ProcessClass | None], IntervalSet] = {}
                for point in local:
                    permitted = self.sides.permitted(table, direction, point, low)
                    for processes, services in _combined(permitted, EVERYTHING):
                        found[processes] = found.get(processes, EMPTY) | services
                rows = [(process, services) for (process, _), services in _without_repeats(found)]
                if pending and pending[1] == rows and pending[0][1] + 1 == low:
                    pending = ((pending[0][0], high), rows)
                    continue
                if pending and pending[1]:
                    yield pending
                pending = ((low, high), rows)
        if pending and pending[1]:
            yield pending


def _foreign(family: int, *ends: IntervalSet) -> IntervalSet:
    """Return the messages that a pair of one family says nothing of in a row for both: those of the other's ICMP.

    Where two ends meet in one family alone there is no other that could be meant.
    """
    if not all(end & whole for end in ends for whole in FAMILIES.values()):
        return EMPTY
    return block_of(ICMPV6 if family == 4 else ICMP)


def _points(points: IntervalSet) -> Iterable[int]:
    return (point for low, high in points for point in range(low, high + 1))


def _cut(outside: IntervalSet, table: VerdictTable | None, direction: Direction) -> Iterator[Interval]:
    """Yield a set of addresses in intervals inside which a table cannot tell two addresses apart."""
    if table is None:
        yield from outside
        return
    cells = {id(cell.remote): cell.remote for cell in table.direction(direction).cells}.values()
    edges = sorted({edge for remote in cells for low, high in remote for edge in (low, high + 1)})
    index = 0
    for low, high in outside:
        start = low
        while index < len(edges) and edges[index] <= low:
            index += 1
        while index < len(edges) and edges[index] <= high:
            yield start, edges[index] - 1
            start = edges[index]
            index += 1
        yield start, high


def _combined(
    sent: Permitted, taken: Permitted
) -> list[tuple[tuple[ProcessClass | None, ProcessClass | None], IntervalSet]]:
    """Return what passes on both sides, as disjoint cases of processes; None stands for every process."""
    out: list[tuple[ProcessClass | None, IntervalSet]] = [(None, sent.always), *sent.extra]
    into: list[tuple[ProcessClass | None, IntervalSet]] = [(None, taken.always), *taken.extra]
    cases = (((p, q), passed & accepted) for p, passed in out for q, accepted in into)
    return [(processes, services) for processes, services in cases if services]


def _without_repeats(
    found: dict[tuple[ProcessClass | None, ProcessClass | None], IntervalSet],
) -> list[tuple[tuple[ProcessClass | None, ProcessClass | None], IntervalSet]]:
    """Return the cases in a fixed order, less what a case of more processes says already."""
    rows = []
    for (p, q), services in found.items():
        left = services
        for key in ((None, None), (None, q), (p, None)):
            if key != (p, q) and key in found:
                left -= found[key]
        if left:
            rows.append(((p, q), left))
    return sorted(
        rows,
        key=lambda row: tuple((c is not None, *c.order()) if c else (False, "", "") for c in row[0]),
    )
