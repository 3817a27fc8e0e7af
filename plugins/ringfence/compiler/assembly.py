"""Assembly: the rules that a workload meets in one direction, put together as one direction of a verdict table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from ringfence.compiler.decisions import MOST_SETS, Decision, Questions, cases, mattering, too_many
from ringfence.compiler.partition import Partition, Signature
from ringfence.compiler.precedence import Ranked, fused, most_open, resolve
from ringfence.compiler.processes import far_classes, names_of, runs_as
from ringfence.compiler.selection import address_sets, holds_locally
from ringfence.compiler.terms import Terms
from ringfence.compiler.view import View
from ringfence.model.abilities import LINUX, Abilities
from ringfence.model.addresses import EVERY_ADDRESS
from ringfence.model.intervals import IntervalSet
from ringfence.model.memberships import ALWAYS, Membership
from ringfence.model.processes import OTHER, Named, ProcessClass, process_classes
from ringfence.model.rules import Direction, Mode, Peer
from ringfence.model.services import EVERY_SERVICE
from ringfence.model.tables import Cell, DirectionTable, ServiceMap

OutlineCell = tuple[IntervalSet, ProcessClass, BitMap, ServiceMap, Membership]


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
    named: Named
    cells: tuple[OutlineCell, ...]

    def key(self) -> tuple[object, ...]:
        """Return what is equal for outlines that give equal tables."""
        cells = (
            (local, process, classes.serialize(), id(services), membership)
            for local, process, classes, services, membership in self.cells
        )
        return self.mode, self.named, frozenset(cells)

    def separates(self, one: int, other: int) -> bool:
        """Return whether two classes stand in different cells, so that an address moving between them shows."""
        return any((one in classes) != (other in classes) for _, _, classes, _, _ in self.cells)

    def table(self, view: View) -> DirectionTable:
        """Return the table, its classes turned into address ranges when somebody looks."""
        kinds = tuple(kind for kind, _ in self.named)
        ordered = sorted(self.cells, key=lambda c: (c[0].intervals, *c[1].order(kinds), view.first(c[2]), c[4]))
        cells = tuple(
            Cell(local, process, view.deferred(classes), services, membership)
            for local, process, classes, services, membership in ordered
        )
        return DirectionTable(self.mode, cells, named=self.named)


class Assembly:
    """Assembles one direction for the workloads of one view; what is equal between them is computed once.

    `interned` has the service maps that were made before: equal ones are one object.
    """

    def __init__(
        self,
        ranked: Sequence[Ranked],
        direction: Direction,
        terms: Terms,
        partition: Partition,
        interned: dict[ServiceMap, ServiceMap],
    ) -> None:
        self.ranked = ranked
        self.direction = direction
        self.terms = terms
        self.partition = partition
        self._maps: dict[tuple[object, ...], ServiceMap] = {}
        self._interned = interned
        self._questions = Questions()
        self._decisions: dict[tuple[object, ...], Decision] = {}

    def outline(self, near: Near, mode: Mode, abilities: Abilities = LINUX) -> Outline:
        """Return the outline of this direction for a workload in a mode; it tells apart the processes of its platform.

        `abilities` are those of the workload's enforcer.
        """
        numbers = self._rules_at(near)
        named = self._near_processes(numbers, abilities)
        parts = self.partition.parts([term for number in numbers for term in self.terms.of_rule[number]])
        classes = process_classes(named)
        cells: list[OutlineCell] = []
        for local in self._local_sets(numbers):
            unnamed: set[int] = set()
            for process in classes:
                active = {n for n in numbers if self._meets(n, near, local, process)}
                if process == OTHER:
                    unnamed = active
                by_decision: dict[int, tuple[Decision, list[BitMap]]] = {}
                for remote, family, signature in parts:
                    decision = self._decided(tuple(t for t in signature if t.rule in active), family, mode)
                    if self.direction is Direction.IN and process != OTHER:
                        other = self._decided(tuple(t for t in signature if t.rule in unnamed), family, mode)
                        decision = self._seen_by_listeners(decision, other, abilities.listeners)
                    by_decision.setdefault(id(decision), (decision, []))[1].append(remote)
                for decision, remotes in by_decision.values():
                    met = remotes[0] if len(remotes) == 1 else BitMap.union(*remotes)
                    if isinstance(decision, ServiceMap):
                        cells.append((local, process, met, decision, ALWAYS))
                    else:
                        cells.extend((local, process, met, services, one) for one, services in cases(decision))
        return Outline(mode, named, tuple(cells))

    def meets(self, near: Near, ids: Collection[str]) -> bool:
        """Return whether a workload meets one of some rules, given by their ids, as the near end."""
        return any(self.ranked[number].rule.id in ids for number in self._rules_at(near))

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

    def _near_processes(self, numbers: Sequence[int], abilities: Abilities) -> Named:
        processes = [peer.process for peer in self._peers(numbers) if peer.process is not None]
        return names_of(processes, abilities.kinds)

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

    def _decided(self, signature: Signature, family: int, mode: Mode) -> Decision:
        """Return what terms decide: a service map unless some of them need a dynamic set."""
        names = frozenset(name for term in signature for name in term.members) if self.terms.dynamic else None
        if not names:
            return self._services(signature, family, mode)
        if len(names) > MOST_SETS:
            raise too_many(self.ranked[signature[-1].rule])
        return self._decide(signature, family, mode, frozenset(), frozenset())

    def _decide(
        self, terms: Signature, family: int, mode: Mode, inside: frozenset[str], outside: frozenset[str]
    ) -> Decision:
        """Return what terms decide for an address in some sets and not in others, asking as few more as it takes."""
        terms = mattering(self.ranked, terms, family, inside, outside)
        key = (family, mode, *((id(term), term.members - inside) for term in terms))
        known = self._decisions.get(key)
        if known is None:
            open_term = next((term for term in terms if term.members - inside), None)
            if open_term is None:
                known = self._services(terms, family, mode)
            else:
                name = min(open_term.members - inside)
                known = self._questions.ask(
                    name,
                    self._decide(terms, family, mode, inside | {name}, outside),
                    self._decide(terms, family, mode, inside, outside | {name}),
                    self.ranked[open_term.rule],
                )
            self._decisions[key] = known
        return known

    def _services(self, signature: Signature, family: int, mode: Mode) -> ServiceMap:
        key = (family, mode, *map(id, signature))
        known = self._maps.get(key)
        if known is None:
            resolved = self._resolve(signature, family, mode)
            known = self._maps[key] = self._interned.setdefault(resolved, resolved)
        return known

    def _seen_by_listeners(self, named: Decision, other: Decision, listeners: IntervalSet) -> Decision:
        """Return the map of a named process where a packet finds its listener, and that of `other` elsewhere.

        On Linux only TCP, UDP and SCTP packets have one (semantics 6). Names stand in `to` alone: no set is asked here.
        """
        if named is other or not isinstance(named, ServiceMap) or not isinstance(other, ServiceMap):
            return named
        key = (id(named), id(other), listeners)
        known = self._maps.get(key)
        if known is None:
            spliced = fused(
                [
                    (*interval, outcome)
                    for services, points in ((named, listeners), (other, EVERY_SERVICE - listeners))
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
