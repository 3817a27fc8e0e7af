"""Assembly: the rules that a workload meets in one direction, put together as one direction of a verdict table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from ringfence.compiler.partition import Partition, Signature
from ringfence.compiler.precedence import Ranked, fused, most_open, resolve
from ringfence.compiler.processes import far_classes, runs_as
from ringfence.compiler.selection import address_sets, holds_locally
from ringfence.compiler.terms import Terms
from ringfence.compiler.view import View
from ringfence.model.addresses import EVERY_ADDRESS
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.rules import Direction, Mode, Peer
from ringfence.model.services import EVERY_SERVICE, SCTP, TCP, UDP, block_of
from ringfence.model.tables import OTHER, Cell, DirectionTable, ProcessClass, ServiceMap, process_classes

_LISTENERS = union(block_of(protocol) for protocol in (TCP, UDP, SCTP))


@dataclass(frozen=True, slots=True)
class Near:
    """What the rules can know of a workload: its labels, its name where a selector uses names, and its entries."""

    labels: Mapping[str, str]
    name: str | None
    entries: BitMap


@dataclass(frozen=True, slots=True)
class Outline:
    """A direction of a table before classes become addresses: `cells` hold classes of the view, in no order."""

    mode: Mode
    units: tuple[str, ...]
    users: tuple[str, ...]
    cells: tuple[tuple[IntervalSet, ProcessClass, BitMap, ServiceMap], ...]

    def key(self) -> tuple[object, ...]:
        """Return what is equal for outlines that give equal tables."""
        cells = (
            (local, process, classes.serialize(), id(services)) for local, process, classes, services in self.cells
        )
        return self.mode, frozenset(cells)

    def separates(self, one: int, other: int) -> bool:
        """Return whether two classes stand in different cells, so that an address moving between them shows."""
        return any((one in classes) != (other in classes) for _, _, classes, _ in self.cells)

    def table(self, view: View) -> DirectionTable:
        """Return the table, its classes turned into address ranges when somebody looks."""
        ordered = sorted(self.cells, key=lambda c: (c[0].intervals, c[1].unit or "", c[1].user or "", view.first(c[2])))
        cells = tuple(
            Cell(local, process, view.deferred(classes), services) for local, process, classes, services in ordered
        )
        return DirectionTable(self.mode, cells, self.units, self.users)


class Assembly:
    """Assembles one direction for the workloads of one view; what is equal between them is computed once."""

    def __init__(self, ranked: Sequence[Ranked], direction: Direction, terms: Terms, partition: Partition) -> None:
        self.ranked = ranked
        self.direction = direction
        self.terms = terms
        self.partition = partition
        self._maps: dict[tuple[object, ...], ServiceMap] = {}
        self._interned: dict[ServiceMap, ServiceMap] = {}

    def outline(self, near: Near, mode: Mode) -> Outline:
        """Return the outline of this direction for a workload in a mode."""
        numbers = self._rules_at(near)
        units, users = self._near_processes(numbers)
        parts = self.partition.parts([term for number in numbers for term in self.terms.of_rule[number]])
        classes = process_classes(units, users)
        cells: list[tuple[IntervalSet, ProcessClass, BitMap, ServiceMap]] = []
        for local in self._local_sets(numbers):
            unnamed: set[int] = set()
            for process in classes:
                active = {n for n in numbers if self._meets(n, near, local, process)}
                if process == OTHER:
                    unnamed = active
                by_map: dict[int, tuple[ServiceMap, list[BitMap]]] = {}
                for remote, family, signature in parts:
                    services = self._services(tuple(t for t in signature if t.rule in active), family, mode)
                    if self.direction is Direction.IN and process != OTHER:
                        other = self._services(tuple(t for t in signature if t.rule in unnamed), family, mode)
                        services = self._seen_by_listeners(services, other)
                    by_map.setdefault(id(services), (services, []))[1].append(remote)
                cells.extend(
                    (local, process, remotes[0] if len(remotes) == 1 else BitMap.union(*remotes), services)
                    for services, remotes in by_map.values()
                )
        return Outline(mode, units, users, tuple(cells))

    def _rules_at(self, near: Near) -> list[int]:
        numbers = self.terms.rules_at(near.entries)
        grouped = [
            number
            for number, points in self.terms.of_groups.items()
            if any(
                holds_locally(peer.selector, near.labels, near.name, point)
                for peer in self.ranked[number].rule.local(self.direction)
                for point in points
            )
        ]
        return sorted({*numbers, *grouped}) if grouped else numbers

    def _peers(self, numbers: Iterable[int]) -> Iterable[Peer]:
        for number in numbers:
            yield from self.ranked[number].rule.local(self.direction)

    def _near_processes(self, numbers: Sequence[int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        processes = [peer.process for peer in self._peers(numbers) if peer.process is not None]
        units = {unit for process in processes for unit in process.units}
        users = {user for process in processes for user in process.users}
        return tuple(sorted(units)), tuple(sorted(users))

    def _local_sets(self, numbers: Sequence[int]) -> list[IntervalSet]:
        """Return the cut of all addresses by the address sets that the near ends of some rules name."""
        sets = dict.fromkeys(one for peer in self._peers(numbers) for one in address_sets(peer.selector))
        parts = [EVERY_ADDRESS]
        for addresses in sets:
            parts = [piece for part in parts for piece in (part & addresses, part - addresses) if piece]
        return parts

    def _meets(self, number: int, near: Near, local: IntervalSet, process: ProcessClass) -> bool:
        point = local.intervals[0][0]
        return any(
            runs_as(peer.process, process) and holds_locally(peer.selector, near.labels, near.name, point)
            for peer in self.ranked[number].rule.local(self.direction)
        )

    def _services(self, signature: Signature, family: int, mode: Mode) -> ServiceMap:
        key = (family, mode, *map(id, signature))
        known = self._maps.get(key)
        if known is None:
            resolved = self._resolve(signature, family, mode)
            known = self._maps[key] = self._interned.setdefault(resolved, resolved)
        return known

    def _seen_by_listeners(self, named: ServiceMap, other: ServiceMap) -> ServiceMap:
        """Return the map of a named process where a packet finds its listener, and that of `other` elsewhere.

        Only TCP, UDP and SCTP packets have one (semantics 6).
        """
        if named is other:
            return named
        key = (id(named), id(other))
        known = self._maps.get(key)
        if known is None:
            spliced = fused(
                [
                    (*interval, outcome)
                    for services, points in ((named, _LISTENERS), (other, EVERY_SERVICE - _LISTENERS))
                    for low, high, outcome in services.pieces
                    for interval in IntervalSet(((low, high),)) & points
                ]
            )
            known = self._maps[key] = self._interned.setdefault(spliced, spliced)
        return known

    def _resolve(self, signature: Signature, family: int, mode: Mode) -> ServiceMap:
        maps = []
        for far in far_classes(term.far for term in signature if term.far is not None):
            numbers = dict.fromkeys(term.rule for term in signature if runs_as(term.far, far))
            maps.append(resolve([self.ranked[number] for number in numbers], family, mode))
        return most_open(maps)
