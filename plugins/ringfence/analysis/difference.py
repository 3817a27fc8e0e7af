"""The complete difference between two sets of tables, once for all workloads that share a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ringfence.model.addresses import range_texts
from ringfence.model.intervals import EMPTY, IntervalSet
from ringfence.model.memberships import ALWAYS, Membership
from ringfence.model.processes import PLATFORMS, ProcessClass, process_classes
from ringfence.model.rules import Direction
from ringfence.model.services import EVERY_SERVICE, service_texts
from ringfence.model.tables import (
    DirectionTable,
    Effect,
    Outcome,
    ServiceMap,
    VerdictTable,
)


@dataclass(frozen=True, slots=True)
class OutcomeChange:
    """Services (points) whose outcome changes for some remote addresses, one direction and one process class.

    `membership` limits the change to addresses in, and not in, some dynamic sets.
    """

    direction: Direction
    process: ProcessClass
    local: IntervalSet
    remote: IntervalSet
    services: IntervalSet
    before: Outcome
    after: Outcome
    membership: Membership = ALWAYS

    def data(self) -> dict[str, object]:
        """Return plain data: addresses and services in words."""
        return {
            "direction": str(self.direction),
            **self.process.data(),
            "remote": list(range_texts(self.remote)),
            "services": list(service_texts(self.services)),
            "before": {"effect": str(self.before.effect), "rule": self.before.rule},
            "after": {"effect": str(self.after.effect), "rule": self.after.rule},
            **({"members": str(self.membership)} if self.membership != ALWAYS else {}),
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """The changes that a group of workloads shares; `added` and `removed` say that a table came or went altogether."""

    workloads: tuple[str, ...]
    changes: tuple[OutcomeChange, ...]
    added: bool = False
    removed: bool = False

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "workloads": list(self.workloads),
            "added": self.added,
            "removed": self.removed,
            "changes": [change.data() for change in self.changes],
        }


def difference(before: Mapping[str, VerdictTable], after: Mapping[str, VerdictTable]) -> list[Difference]:
    """Return what changes between two sets of tables, by workload; workloads without a change are left out.

    A workload without a table before is compared with one that lets everything pass.
    """
    groups: dict[tuple[int, int], list[str]] = {}
    for name in sorted({*before, *after}):
        groups.setdefault((id(before.get(name)), id(after.get(name))), []).append(name)
    found = []
    for names in groups.values():
        old, new = before.get(names[0]), after.get(names[0])
        changes = tuple(_changes(old, new))
        if changes or old is None or new is None:
            found.append(Difference(tuple(names), changes, added=old is None, removed=new is None))
    return sorted(found, key=lambda one: one.workloads)


_OPEN = ServiceMap(((EVERY_SERVICE.intervals[0][0], EVERY_SERVICE.intervals[0][1], Outcome(Effect.ALLOW)),))
_Region = tuple[IntervalSet, IntervalSet, ServiceMap, Membership]


def _changes(before: VerdictTable | None, after: VerdictTable | None) -> Iterator[OutcomeChange]:
    if before is after or (before and after and before.digest == after.digest):
        return
    for direction in Direction:
        old = before.direction(direction) if before else None
        new = after.direction(direction) if after else None
        tables = [table for table in (old, new) if table]
        for process in classes_of(tables):
            yield from _fused(direction, process, _regions(old, process), _regions(new, process))


def classes_of(tables: Sequence[DirectionTable]) -> dict[ProcessClass, None]:
    """Return every class that some tables tell apart, `other` first; those of two platforms are not combined."""
    found: dict[ProcessClass, None] = {}
    for kinds in PLATFORMS.values():
        named = [(kind, sorted({name for table in tables for name in table.names(kind)})) for kind in kinds]
        found.update(dict.fromkeys(process_classes(named)))
    return found


def _regions(table: DirectionTable | None, process: ProcessClass) -> list[_Region] | None:
    if table is None:
        return None
    known = table.class_of(process)
    return [(cell.local, cell.remote, cell.services, cell.membership) for cell in table.cells if cell.process == known]


def _fused(
    direction: Direction, process: ProcessClass, old: list[_Region] | None, new: list[_Region] | None
) -> Iterator[OutcomeChange]:
    cases: dict[tuple[IntervalSet, IntervalSet, Outcome, Outcome], dict[Membership, IntervalSet]] = {}
    for local, remote, before, after, membership in _overlaps(old, new):
        for outcomes, services in differing(before, after).items():
            case = cases.setdefault((local, remote, *outcomes), {})
            case[membership] = case.get(membership, EMPTY) | services
    found: dict[tuple[IntervalSet, Outcome, Outcome, IntervalSet, Membership], IntervalSet] = {}
    for (local, remote, *pair), case in cases.items():
        for membership, services in _without_conditions(case):
            key = (local, pair[0], pair[1], services, membership)
            found[key] = found.get(key, EMPTY) | remote
    for (local, before_outcome, after_outcome, services, membership), remote in found.items():
        yield OutcomeChange(direction, process, local, remote, services, before_outcome, after_outcome, membership)


def _without_conditions(case: Mapping[Membership, IntervalSet]) -> list[tuple[Membership, IntervalSet]]:
    """Return services by the condition that they change under, less what is asked for where both answers are alike.

    What holds in a dynamic set and outside it holds for all, and is told once.
    """
    if len(case) == 1:
        return list(case.items())
    left = dict(case)
    # The longest conditions first: what two of them share has a shorter one, whose turn comes later.
    for size in range(max(one.size for one in left), 0, -1):
        for one in sorted(membership for membership in left if membership.size == size):
            for other, both in one.opposites():
                if shared := left[one] & left.get(other, EMPTY):
                    left[one], left[other] = left[one] - shared, left[other] - shared
                    left[both] = left.get(both, EMPTY) | shared
    return [(membership, services) for membership, services in left.items() if services]


def _overlaps(
    old: list[_Region] | None, new: list[_Region] | None
) -> Iterator[tuple[IntervalSet, IntervalSet, ServiceMap, ServiceMap, Membership]]:
    if old is None or new is None:
        for local, remote, services, one in old or new or []:
            yield (local, remote, services, _OPEN, one) if new is None else (local, remote, _OPEN, services, one)
        return
    for old_local, old_remote, before, old_membership in old:
        for new_local, new_remote, after, new_membership in new:
            membership = old_membership.merged(new_membership)
            if before is after or before == after or membership is None:
                continue
            local = old_local & new_local
            remote = old_remote & new_remote if local else IntervalSet()
            if remote:
                yield local, remote, before, after, membership


def differing(before: ServiceMap, after: ServiceMap) -> dict[tuple[Outcome, Outcome], IntervalSet]:
    """Return the services (points) on which two maps differ, by the outcomes before and after."""
    found: dict[tuple[Outcome, Outcome], list[tuple[int, int]]] = {}
    edges = sorted({piece[0] for services in (before, after) for piece in services.pieces})
    ends = [*(edge - 1 for edge in edges[1:]), EVERY_SERVICE.intervals[0][1]]
    for low, high in zip(edges, ends, strict=True):
        one, other = before.outcome(low), after.outcome(low)
        if one != other:
            found.setdefault((one, other), []).append((low, high))
    return {outcomes: IntervalSet.of(intervals) for outcomes, intervals in found.items()}
