"""Simulate: what a draft would do to the flows that were seen, by rule, by labels, down to the single flow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ringfence.analysis.simulate_counts import Count, Evidence, LabelCount, RuleCount, Tally, by_labels
from ringfence.analysis.simulate_ends import Places, Standing
from ringfence.analysis.simulate_groups import judge_groups
from ringfence.analysis.simulate_judge import Category, Verdict
from ringfence.analysis.simulate_judged import Judged
from ringfence.flows.columns import COLUMNS, flow_at
from ringfence.flows.records import record_of
from ringfence.flows.window import FlowWindow, label_numbers
from ringfence.model.assets import Snapshot
from ringfence.model.counts import counted
from ringfence.model.flows import Flow
from ringfence.model.tables import Effect, Outcome, VerdictTable
from ringfence.wire.first_few import first_few

DEFAULT_KEYS = ("app", "role", "env", "loc")
FETCH = 50_000


@dataclass(frozen=True, slots=True)
class JudgedFlow:
    """One flow with its verdict; the assets are those that the flow was seen of, None for none."""

    flow: Flow
    client_asset: str | None
    server_asset: str | None
    verdict: Verdict

    def data(self) -> dict[str, object]:
        """Return the flow's fields, `client_asset`, `server_asset`, and what each side says, for `--json`."""
        verdict = self.verdict
        return {
            **record_of(self.flow),
            "client_asset": self.client_asset,
            "server_asset": self.server_asset,
            "verdict": "allow" if verdict.allowed else "deny",
            "category": str(verdict.category),
            "would_be_denied": verdict.watched,
            "depends_on_process": verdict.depends,
            "sides": _sides(verdict.draft),
            "sides_now": _sides(verdict.current) if verdict.current else None,
        }


@dataclass(frozen=True)
class Simulation:
    """What became of all flows of a window under a draft; single flows are read from the window while it is open.

    `watched` pass only because a mode does not bite; `depends` would be judged otherwise for another process at an end
    that did not say its own, for another ICMP type where nobody said it, if its server was an answer to a name of the
    policy, or for a DHCP client; `gone` are flows of assets that are no more, `refused` attempts that were answered
    with a refusal: neither is judged or in any other count.
    """

    categories: Mapping[Category, Count]
    watched: Count
    depends: Count
    gone: Count
    refused: Count
    by_rule: tuple[RuleCount, ...]
    by_labels: tuple[LabelCount, ...]
    workloads: tuple[str, ...]
    judged: Judged = field(repr=False, compare=False)

    def summary(self) -> str:
        """Return one line for people: what the plan's command prints of it."""
        counts = {category: count.flows for category, count in self.categories.items()}
        allowed = counts[Category.STILL_ALLOWED] + counts[Category.NEWLY_ALLOWED]
        parts = [
            f"{allowed:,} allowed",
            f"{counts[Category.NEWLY_DENIED]:,} denied that were allowed",
            f"{counts[Category.NEWLY_ALLOWED]:,} newly allowed",
        ]
        if counts[Category.STILL_DENIED]:
            parts.append(f"{counts[Category.STILL_DENIED]:,} denied as before")
        if self.watched.flows:
            parts.append(f"{self.watched.flows:,} would be denied in full mode")
        if self.depends.flows:
            unseen = "a process, an ICMP type, the answers to a name or a DHCP client's port, which were not seen"
            parts.append(f"{self.depends.flows:,} depend on {unseen}")
        if self.gone.flows:
            parts.append(f"{self.gone.flows:,} of assets that are gone, not judged")
        if self.refused.flows:
            parts.append(f"{self.refused.flows:,} refused, not judged")
        return ", ".join(parts)

    def flows(
        self,
        categories: Iterable[Category] | None = None,
        *,
        rule: str | None = None,
        labels: LabelCount | None = None,
        watched: bool | None = None,
        depends: bool | None = None,
        limit: int | None = None,
    ) -> Iterator[JudgedFlow]:
        """Yield single flows, the busiest first; without arguments all judged flows.

        The arguments choose: a category, the rule (its id) that decided, the two ends of an entry of `by_labels`,
        watched or not, dependent on a process or not.
        """
        wanted = None if categories is None else set(categories)
        verdicts = self.judged.verdicts
        chosen = [
            number
            for number, verdict in enumerate(verdicts)
            if (wanted is None or verdict.category in wanted)
            and (rule is None or any(outcome.rule == rule for _, outcome in verdict.deciding()))
            and (watched is None or verdict.watched == watched)
            and (depends is None or verdict.depends == depends)
        ]
        for row in self.judged.rows(chosen, labels.numbers if labels else None, limit):
            yield judged_flow(row, verdicts)

    def refusals(self, limit: int | None = None) -> list[dict[str, object]]:
        """Return attempts that were refused as plain data, the most connections first."""
        return [
            {**record_of(flow_at(row)), "client_asset": row[-2], "server_asset": row[-1]}
            for row in self.judged.refusals(limit)
        ]

    def evidence(self) -> list[Evidence]:
        """Return how much was seen of each workload, the least first: where that is little, little is known."""
        found = {one.asset: one for one in self.judged.evidence()}
        every = [found.get(name, Evidence(name)) for name in self.workloads]
        return sorted(every, key=lambda one: (one.count.flows, one.asset))

    @property
    def unseen(self) -> tuple[str, ...]:
        """Return the workloads that no judged flow is of: there is no evidence of what they need."""
        return tuple(sorted(set(self.workloads).difference(self.judged.seen)))

    def unseen_words(self) -> str:
        """Return the names of the workloads that were not seen, for people; nothing where all were."""
        if not self.unseen:
            return ""
        workloads = counted(len(self.unseen), "workload")
        return (
            f"no flow of {workloads} was seen: {first_few(self.unseen)}; nothing says what the draft would break there"
        )

    def data(self, pairs: int | None = None) -> dict[str, object]:
        """Return all counts as plain data, the same for the same flows and tables.

        With `pairs`, `by_labels` holds that many of its rows, what changes most first, and `by_labels_more` the number
        of the others.
        """
        shown = self.by_labels[:pairs]
        return {
            "categories": {str(category): count.data() for category, count in self.categories.items()},
            "would_be_denied": self.watched.data(),
            "depends_on_process": self.depends.data(),
            "gone": self.gone.data(),
            "refused": self.refused.data(),
            "unseen": list(self.unseen),
            "by_rule": [rule.data() for rule in self.by_rule],
            "by_labels": [labels.data() for labels in shown],
            **({} if pairs is None else {"by_labels_more": len(self.by_labels) - len(shown)}),
        }


def simulate(
    tables: Mapping[str, VerdictTable],
    snapshot: Snapshot,
    flows: FlowWindow | Iterable[Flow],
    current: Mapping[str, VerdictTable] | None = None,
    keys: Sequence[str] = DEFAULT_KEYS,
    told: Callable[[int], None] | None = None,
) -> Simulation:
    """Judge flows under a draft: `tables` by asset name, compared with `current` (None: nothing is enforced now).

    Assets without a table are no workloads and allow. `keys` are the labels that `by_labels` tells ends apart by, and
    `told` hears how many groups of flows are judged. A window keeps the tables of its last simulation; ask the earlier
    ones for single flows before.
    """
    window = flows if isinstance(flows, FlowWindow) else FlowWindow.of_flows(flows, [snapshot])
    labels, names = label_numbers(snapshot, keys)
    judged = judge_groups(
        window, Places(Standing(snapshot, labels), tables, current), compared=current is not None, told=told
    )
    tally = Tally()
    for number, count in judged.by_verdict():
        tally.add(judged.verdicts[number], count)
    rule_names = {rule: name for table in tables.values() for rule, name in table.rule_names.items()}
    return Simulation(
        tally.categories,
        tally.watched,
        tally.depends,
        judged.gone,
        judged.refused,
        tally.by_rule(rule_names),
        by_labels(judged.by_labels(), names),
        tuple(sorted(tables)),
        judged,
    )


def judged_flow(row: tuple[object, ...], verdicts: Sequence[Verdict]) -> JudgedFlow:
    """Return a flow with its verdict, of a row of `Judged.rows`."""
    client, server, number = row[len(COLUMNS) - 2 :]
    return JudgedFlow(flow_at(row), _name(client), _name(server), verdicts[int(str(number))])


def _name(asset: object) -> str | None:
    return None if asset is None else str(asset)


def _sides(outcomes: tuple[Outcome | None, Outcome | None]) -> list[dict[str, object]]:
    return [
        {
            "side": side,
            "verdict": "allow" if outcome is None or outcome.passes else "deny",
            "rule": outcome.rule if outcome else None,
            "would_deny": outcome is not None and outcome.effect is Effect.WATCH,
        }
        for side, outcome in zip(("from", "to"), outcomes, strict=True)
    ]
