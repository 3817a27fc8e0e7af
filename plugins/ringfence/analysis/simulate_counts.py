"""The counts of a simulation: in all, by the rule that decided, by the labels of both ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from ringfence.analysis.simulate_judge import Category, Verdict
from ringfence.flows.records import time_text
from ringfence.model.rules import Direction
from ringfence.model.tables import Effect


@dataclass(frozen=True, slots=True)
class Count:
    """Distinct flows, and the connections that they were seen with."""

    flows: int = 0
    connections: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.flows + other.flows, self.connections + other.connections)

    def data(self) -> dict[str, int]:
        """Return plain data."""
        return {"flows": self.flows, "connections": self.connections}


@dataclass(frozen=True, slots=True)
class RuleCount:
    """What one rule (or `default`, or a built-in) decided on one side: by category, and watched among them."""

    rule: str
    name: str
    direction: Direction
    categories: Mapping[Category, Count]
    watched: Count

    def data(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "rule": self.rule,
            "name": self.name,
            "direction": str(self.direction),
            **{str(category): count.data() for category, count in self.categories.items()},
            "would_be_denied": self.watched.data(),
        }


@dataclass(frozen=True, slots=True)
class LabelCount:
    """What became of the flows between two combinations of labels; None stands for an end of no asset.

    `numbers` are the combinations' numbers in the simulation that it belongs to.
    """

    source: Mapping[str, str] | None
    destination: Mapping[str, str] | None
    categories: Mapping[Category, Count]
    watched: Count
    numbers: tuple[int | None, int | None]

    def data(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "from": dict(self.source) if self.source is not None else None,
            "to": dict(self.destination) if self.destination is not None else None,
            **{str(category): count.data() for category, count in self.categories.items()},
            "would_be_denied": self.watched.data(),
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much was seen of one workload, and from when to when; nothing where no flow is of it."""

    asset: str
    count: Count = Count()
    first_seen: datetime | None = None
    last_seen: datetime | None = None

    def data(self) -> dict[str, object]:
        """Return plain data."""
        times = {"first_seen": self.first_seen, "last_seen": self.last_seen}
        return {
            "asset": self.asset,
            **self.count.data(),
            **{name: time_text(time) if time else None for name, time in times.items()},
        }


_NOTHING = dict.fromkeys(Category, Count())


@dataclass
class Row:
    """A row while it is counted."""

    categories: dict[Category, Count] = field(default_factory=_NOTHING.copy)
    watched: Count = Count()

    def add(self, category: Category, count: Count, *, watched: bool) -> Self:
        """Count flows of a category."""
        self.categories[category] += count
        if watched:
            self.watched += count
        return self

    @property
    def busy(self) -> tuple[int, ...]:
        """Return what rows are ordered by: newly denied first, then newly allowed, then all."""
        of = self.categories
        total = sum([count.flows for count in of.values()])
        return (-of[Category.NEWLY_DENIED].flows, -of[Category.NEWLY_ALLOWED].flows, -total)


Tallied = tuple[int | None, int | None, Category, bool, Count]


@dataclass
class Tally:
    """Counts verdicts."""

    total: Row = field(default_factory=Row)
    depends: Count = Count()
    _rules: dict[tuple[str, Direction], Row] = field(default_factory=dict)

    def add(self, verdict: Verdict, count: Count) -> None:
        """Count flows that have one verdict."""
        self.total.add(verdict.category, count, watched=verdict.watched)
        if verdict.depends:
            self.depends += count
        for direction, outcome in verdict.deciding():
            row = self._rules.setdefault((outcome.rule, direction), Row())
            row.add(verdict.category, count, watched=verdict.allowed and outcome.effect is Effect.WATCH)

    @property
    def categories(self) -> Mapping[Category, Count]:
        """Return the counts of all flows."""
        return self.total.categories

    @property
    def watched(self) -> Count:
        """Return the count of all flows that pass only because a mode does not bite."""
        return self.total.watched

    def by_rule(self, names: Mapping[str, str]) -> tuple[RuleCount, ...]:
        """Return one row a rule and side, what changes most first; `names` are the rules' names."""
        rows = sorted(self._rules.items(), key=lambda item: (item[1].busy, item[0]))
        return tuple(
            RuleCount(rule, names.get(rule, rule), direction, row.categories, row.watched)
            for (rule, direction), row in rows
        )


def by_labels(tallied: Iterable[Tallied], names: Mapping[object, Mapping[str, str]]) -> tuple[LabelCount, ...]:
    """Return one row a pair of label combinations, what changes most first.

    `tallied` are the numbers of both combinations, a category, whether watched, and how many flows that were; `names`
    are the labels by their number.
    """
    rows: dict[tuple[int | None, int | None], Row] = {}
    for client, server, category, watched, count in tallied:
        rows.setdefault((client, server), Row()).add(category, count, watched=watched)
    counts = [
        LabelCount(names.get(pair[0]), names.get(pair[1]), row.categories, row.watched, pair)
        for pair, row in rows.items()
    ]
    order = {number: _order(labels) for number, labels in [*names.items(), (None, None)]}
    ends = {number: order.get(number, order[None]) for pair in rows for number in pair}
    return tuple(sorted(counts, key=lambda one: (rows[one.numbers].busy, ends[one.numbers[0]], ends[one.numbers[1]])))


def _order(labels: Mapping[str, str] | None) -> tuple[bool, list[tuple[str, str]]]:
    return (labels is None, list(labels.items()) if labels else [])
