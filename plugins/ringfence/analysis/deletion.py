"""What a policy would do without one of its rules: nothing, proven by the tables, or these changes.

Tables of one compilation are compared by the classes of addresses that they share, not address by address.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace

from ringfence.analysis.difference import classes_of, differing
from ringfence.compiler import Recompiler
from ringfence.model.counts import counted
from ringfence.model.intervals import EMPTY, IntervalSet
from ringfence.model.rules import Direction, Rule
from ringfence.model.services import EVERY_SERVICE, service_texts
from ringfence.model.tables import Cell, Effect, Outcome, ServiceMap, VerdictTable

SERVICES_NAMED = 6
_Change = tuple[Outcome, Outcome, IntervalSet]


@dataclass(frozen=True, slots=True)
class Deletion:
    """What changes without a rule: services (points) that it `opens`, `closes`, … for some addresses.

    `workloads` counts those on which something changes; `instead` are the ids of the rules (or `default`) that decide
    to the same effect then.
    """

    rule: Rule
    changes: Mapping[str, IntervalSet]
    workloads: int
    instead: frozenset[str]

    @property
    def nothing(self) -> bool:
        """Return whether nothing changes but which rule decides."""
        return not self.changes

    def words(self) -> str:
        """Return what changes, for people: `closes tcp/443 on 3 workloads`."""
        if self.nothing:
            return "nothing changes"
        said = []
        for does, points in sorted(self.changes.items()):
            texts = service_texts(points) if points != EVERY_SERVICE else ("everything",)
            more = f" and {len(texts) - SERVICES_NAMED} more" if len(texts) > SERVICES_NAMED else ""
            said.append(f"{does} {', '.join(texts[:SERVICES_NAMED])}{more}")
        return f"{'; '.join(said)} on {counted(self.workloads, 'workload')}"

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "changes": {does: list(service_texts(points)) for does, points in sorted(self.changes.items())},
            "workloads": self.workloads,
            "decided_instead_by": sorted(self.instead),
        }


class Deletions:
    """Answers for one compilation; `names` are the workloads whose tables count, as some reach no host."""

    def __init__(self, compiler: Recompiler, names: Collection[str]) -> None:
        self.compiler = compiler
        self.names = names
        self._known: dict[tuple[int, int], list[_Change]] = {}
        self._kept: list[ServiceMap] = []  # whose ids are keys

    def of(self, rule: Rule) -> Deletion:
        """Return what changes without a rule."""
        changes: dict[str, IntervalSet] = {}
        workloads, instead = 0, set[str]()
        for before, after, count in self._pairs({rule.id: None}):
            found = [one for one in self._between(before, after) if not _alike(one)]
            workloads += count if found else 0
            for old, new, services in found:
                does = _does(old, new)
                changes[does] = changes.get(does, EMPTY) | services
            alike = (one for one in self._between(before, after) if _alike(one))
            instead |= {new.rule for old, new, _ in alike if old.rule == rule.id}
        return Deletion(rule, changes, workloads, frozenset(instead - {rule.id}))

    def opens(self, rule: Rule, instead: Rule) -> bool:
        """Return whether anything passes with another rule in the place of one that did not pass before."""
        return any(
            new.passes and not old.passes
            for before, after, _ in self._pairs({rule.id: instead})
            for old, new, _ in self._between(before, after)
        )

    def tables(self, rule: Rule) -> dict[str, VerdictTable]:
        """Return the tables without a rule."""
        tables = self._with({rule.id: None})
        return {name: table for name, table in tables.items() if name in self.names}

    def _pairs(self, instead: Mapping[str, Rule | None]) -> Iterator[tuple[VerdictTable, VerdictTable, int]]:
        """Yield each table that is another one with other rules, before and after, and how many workloads have it."""
        before = self.compiler.compilation.tables
        pairs: dict[tuple[int, int], list[str]] = {}
        after = self._with(instead)
        for name, table in after.items():
            if table is not before[name]:
                pairs.setdefault((id(before[name]), id(table)), []).append(name)
        for names in pairs.values():
            if count := sum(name in self.names for name in names):
                yield before[names[0]], after[names[0]], count

    def _with(self, instead: Mapping[str, Rule | None]) -> Mapping[str, VerdictTable]:
        """Return the tables with other rules, or none, by id; a table that they do not touch is the same object."""
        compilation = self.compiler.compilation
        places = (instead.get(rule.id, rule) for rule in compilation.policy.rules)
        left = tuple(rule for rule in places if rule is not None)
        branch = copy(self.compiler)  # an edited rule makes new groups, and changes none of those that are shared
        return branch.update(compilation.snapshot, replace(compilation.policy, rules=left), compilation.settings).tables

    def _between(self, before: VerdictTable, after: VerdictTable) -> Iterator[_Change]:
        """Yield the outcomes that differ somewhere between two tables, with the services."""
        seen: set[tuple[int, int]] = set()
        for direction in Direction:
            old, new = before.direction(direction), after.direction(direction)
            if old is new:
                continue
            for process in classes_of([old, new]):
                was, becomes = old.class_of(process), new.class_of(process)
                others = [cell for cell in new.cells if cell.process == becomes]
                for one in (cell for cell in old.cells if cell.process == was):
                    for other in others:
                        key = (id(one.services), id(other.services))
                        if key not in seen and self._differing(one, other) and _meet(one, other):
                            seen.add(key)
                            yield from self._known[key]

    def _differing(self, one: Cell, other: Cell) -> list[_Change]:
        if one.services is other.services:
            return []
        key = (id(one.services), id(other.services))
        known = self._known.get(key)
        if known is None:
            found = differing(one.services, other.services)
            known = self._known[key] = [(*outcomes, services) for outcomes, services in found.items()]
            self._kept += [one.services, other.services]
        return known


def _meet(one: Cell, other: Cell) -> bool:
    """Return whether there is anything for which two cells of one process both speak."""
    if one.membership.merged(other.membership) is None or not (
        one.local is other.local or one.local.meets(other.local)
    ):
        return False
    far, near = one.remote_classes, other.remote_classes
    if far is not None and near is not None and far.cut is near.cut:
        return not set(far.numbers).isdisjoint(near.numbers)
    return one.remote.meets(other.remote)


def _alike(change: _Change) -> bool:
    before, after, _ = change
    return before.effect is after.effect and before.log == after.log


def _does(before: Outcome, after: Outcome) -> str:
    if before.passes != after.passes:
        return "opens" if after.passes else "closes"
    if before.effect is not after.effect:
        return "records" if after.effect is Effect.WATCH else "records no more"
    return "logs" if after.log else "logs no more"
