"""A part of a simulation's flows (some rules, categories, ends), counted by rule, ruleset, labels and asset."""

# ruff: noqa: S608 - the SQL is put together from column names of ours
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.simulate import JudgedFlow, Simulation, judged_flow
from ringfence.analysis.simulate_counts import Count, Evidence, LabelCount, Row, RuleCount, Tally, by_labels
from ringfence.analysis.simulate_judge import Category, Verdict
from ringfence.analysis.simulate_sql import is_label
from ringfence.model.addresses import point_of
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.rules import Policy
from ringfence.model.selectors import AnyAddress, Selector

NO_RULESET = "none"


@dataclass(frozen=True, slots=True)
class ChosenEnds:
    """Ends of flows: assets by their names, and addresses that no asset holds."""

    assets: frozenset[str]
    outside: IntervalSet

    @staticmethod
    def of(selectors: tuple[Selector, ...], ends: Ends) -> ChosenEnds | None:
        """Return what some selectors choose, None for every end there is."""
        if any(isinstance(one, AnyAddress) for one in selectors):
            return None
        realms = {asset.realm for asset in ends.snapshot.assets}
        outside = union(ends.outside(selectors, realm) for realm in sorted(realms))
        return ChosenEnds(frozenset(asset.name for asset, _ in ends.assets(selectors)), outside)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What flows have to be to be counted: None for whatever they are.

    `rules` are the ids of rules of which one decides a side, or decided it in what is compared with; `client` and
    `server` are the ends, `either` is that of any side. `labels` are the numbers of both ends' combinations of labels
    (`LabelCount.numbers`).
    """

    categories: frozenset[Category] | None = None
    rules: frozenset[str] | None = None
    client: ChosenEnds | None = None
    server: ChosenEnds | None = None
    either: ChosenEnds | None = None
    labels: tuple[int | None, int | None] | None = None

    @property
    def of_ends(self) -> bool:
        """Return whether ends are chosen, which are looked for flow by flow."""
        return not (self.client is None and self.server is None and self.either is None and self.labels is None)

    def meets(self, verdict: Verdict) -> bool:
        """Return whether a verdict is one of these."""
        return (self.categories is None or verdict.category in self.categories) and (
            self.rules is None or not self.rules.isdisjoint(_rules_of(verdict))
        )


@dataclass(frozen=True, slots=True)
class RulesetCount:
    """What the rules of one ruleset decide, or decided before, each flow once; `none` is what no rule has decided."""

    ruleset: str
    categories: Mapping[Category, Count]
    watched: Count

    def data(self) -> dict[str, object]:
        """Return plain data."""
        counts = {str(category): count.data() for category, count in self.categories.items()}
        return {"ruleset": self.ruleset, **counts, "would_be_denied": self.watched.data()}


@dataclass(frozen=True, slots=True)
class AssetCount:
    """What became of the flows of one asset, and how much was seen of it altogether; it may be no workload."""

    asset: str
    categories: Mapping[Category, Count]
    watched: Count
    evidence: Evidence

    def data(self) -> dict[str, object]:
        """Return plain data: `flows` and `connections` are all that was seen of the asset."""
        counts = {str(category): count.data() for category, count in self.categories.items()}
        return {**self.evidence.data(), **counts, "would_be_denied": self.watched.data()}


@dataclass(frozen=True)
class Selection:
    """The flows of a simulation that are wanted. The window of the simulation has to be open."""

    simulation: Simulation
    wanted: Wanted = field(default_factory=Wanted)

    @cached_property
    def whole(self) -> bool:
        """Return whether every judged flow is wanted."""
        return self.wanted == Wanted()

    @cached_property
    def _numbers(self) -> list[int]:
        verdicts = self.simulation.judged.verdicts
        return [number for number, verdict in enumerate(verdicts) if self.wanted.meets(verdict)]

    @cached_property
    def _tally(self) -> Tally:
        tally = Tally()
        for verdict, count in self._by_verdict:
            tally.add(verdict, count)
        return tally

    @cached_property
    def _by_verdict(self) -> tuple[tuple[Verdict, Count], ...]:
        """Return each wanted verdict and how many of these flows have it; only ends are looked for flow by flow."""
        judged = self.simulation.judged
        if not self.wanted.of_ends:
            numbers = frozenset(self._numbers)
            return tuple((judged.verdicts[one], count) for one, count in judged.by_verdict() if one in numbers)
        return tuple(
            (judged.verdicts[number], Count(flows, connections))
            for number, flows, connections in self._asked("verdict")
        )

    @property
    def categories(self) -> Mapping[Category, Count]:
        """Return the counts of all."""
        return self.simulation.categories if self.whole else self._tally.categories

    @property
    def watched(self) -> Count:
        """Return the count of those that pass only because a mode does not bite."""
        return self.simulation.watched if self.whole else self._tally.watched

    def by_rule(self) -> tuple[RuleCount, ...]:
        """Return one row a rule and side that decides some of these flows, the worst first."""
        names = {one.rule: one.name for one in self.simulation.by_rule}
        return self.simulation.by_rule if self.whole else self._tally.by_rule(names)

    def by_ruleset(self, policy: Policy) -> tuple[RulesetCount, ...]:
        """Return one row a ruleset of a policy, the worst first; rulesets that decided nothing have none."""
        rulesets = {rule.id: rule.ruleset for rule in policy.rules}
        rows: dict[str, Row] = {}
        for verdict, count in self._by_verdict:
            named = {rulesets[rule] for rule in _rules_of(verdict) if rule in rulesets}
            for name in named or {NO_RULESET}:
                row = rows.setdefault(name, Row())
                row.add(verdict.category, count, watched=verdict.watched)
        ordered = sorted(rows.items(), key=lambda item: (item[1].busy, item[0]))
        return tuple(RulesetCount(name, row.categories, row.watched) for name, row in ordered)

    def by_labels(self) -> tuple[LabelCount, ...]:
        """Return one row a pair of label combinations, the worst first."""
        if self.whole:
            return self.simulation.by_labels
        named: dict[object, Mapping[str, str]] = {}
        for one in self.simulation.by_labels:
            for number, labels in zip(one.numbers, (one.source, one.destination), strict=True):
                if labels is not None:
                    named[number] = labels
        verdicts = self.simulation.judged.verdicts
        rows = self._asked("client_label, server_label, verdict")
        return by_labels(
            (
                (client, server, verdicts[number].category, verdicts[number].watched, Count(*counts))
                for client, server, number, *counts in rows
            ),
            named,
        )

    def by_asset(self) -> list[AssetCount]:
        """Return one row an asset, the worst first, then those of which the least was seen; workloads always."""
        seen = self.simulation.judged.seen
        rows: dict[str, Row] = {}
        # traffic of one host with itself is one flow, not two
        for side, where in (("client", "true"), ("server", "NOT coalesce(c.holder = s.holder, false)")):
            for holder, number, flows, connections in self._asked(f"{side}_holder, verdict", where):
                if holder is not None:
                    verdict = self.simulation.judged.verdicts[number]
                    row = rows.setdefault(seen[holder], Row())
                    row.add(verdict.category, Count(flows, connections), watched=verdict.watched)
        evidence = {one.asset: one for one in self.simulation.judged.evidence()}
        wanted = self.wanted
        names = {*self.simulation.workloads, *rows} if self.whole else set(rows)
        if wanted.either is not None:
            names &= wanted.either.assets
            if wanted.categories is None and wanted.rules is None:
                names |= wanted.either.assets & {*self.simulation.workloads}
        counts = [
            AssetCount(name, row.categories, row.watched, evidence.get(name, Evidence(name)))
            for name in names
            for row in [rows.get(name, Row())]
        ]
        return sorted(
            counts,
            key=lambda one: (
                -one.categories[Category.NEWLY_DENIED].flows,
                -one.categories[Category.NEWLY_ALLOWED].flows,
                one.evidence.count.flows,
                one.asset,
            ),
        )

    def flows(self, limit: int | None = None) -> Iterator[JudgedFlow]:
        """Yield single flows, the busiest first."""
        judged = self.simulation.judged
        for row in judged.rows(self._numbers, limit=limit, where=self._where):
            yield judged_flow(row, judged.verdicts)

    def _asked(self, columns: str, where: str = "true") -> Iterable[tuple[int, ...]]:
        return self.simulation.judged.asked(columns, self._numbers, f"{self._where} AND {where}")

    @cached_property
    def _where(self) -> str:
        """Return the condition on the ends; the tables that it names are made."""
        engine = self.simulation.judged.window.engine
        conditions = ["true", *map(is_label, "cs", self.wanted.labels or ())]
        for name, chosen, sides in (
            ("client", self.wanted.client, "c"),
            ("server", self.wanted.server, "s"),
            ("either", self.wanted.either, "cs"),
        ):
            if chosen is None:
                continue
            engine.put(f"wanted_{name}_holders", {"holder": "INTEGER"}, [self._holders(chosen)])
            engine.put(f"wanted_{name}_addresses", {"address": "VARCHAR"}, [self._outside(chosen)])
            alike = (
                f"({side}.holder IN (SELECT holder FROM wanted_{name}_holders) OR ({side}.holder IS NULL"
                f" AND {side}.address IN (SELECT address FROM wanted_{name}_addresses)))"
                for side in sides
            )
            conditions.append(f"({' OR '.join(alike)})")
        return " AND ".join(conditions)

    def _holders(self, chosen: ChosenEnds) -> list[int]:
        return [number for number, name in enumerate(self.simulation.judged.seen) if name in chosen.assets]

    def _outside(self, chosen: ChosenEnds) -> list[str]:
        if not chosen.outside:
            return []
        return [end for end in self.simulation.judged.ends_of_nobody() if point_of(end) in chosen.outside]


def _rules_of(verdict: Verdict) -> set[str]:
    """Return the rules that decide a flow, and those that decided it in what is compared with."""
    before = verdict.current or ()
    return {outcome.rule for _, outcome in verdict.deciding()} | {outcome.rule for outcome in before if outcome}
