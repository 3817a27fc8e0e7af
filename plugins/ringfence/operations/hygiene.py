"""Rules that no flow used, that change nothing, or that are far wider than their traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from ringfence.analysis.deletion import Deletions
from ringfence.analysis.hygiene import Finding, RuleHygiene
from ringfence.analysis.hygiene import hygiene as hygiene_of
from ringfence.analysis.rule_use import RuleUses
from ringfence.analysis.simulate import simulate
from ringfence.analysis.simulate_judge import Category
from ringfence.flows.records import time_text
from ringfence.operations.execution import Execution
from ringfence.operations.flow_selection import time_of
from ringfence.operations.simulate import rule_ids

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.flows.window import FlowWindow
    from ringfence.model.tables import VerdictTable
    from ringfence.operations.flow_selection import FlowSelection

FLOWS_SHOWN = 50
BAD = (Finding.NEEDLESS, Finding.UNUSED, Finding.WIDE)


@dataclass(frozen=True, slots=True)
class ChangedFlows:
    """What deleting a rule would change of the flows that were seen; `flows` are the busiest of these, as data."""

    newly_denied: int
    newly_allowed: int
    flows: tuple[dict[str, object], ...]

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "newly_denied": self.newly_denied,
            "newly_allowed": self.newly_allowed,
            "flows": list(self.flows),
        }


@dataclass(frozen=True, slots=True)
class Hygiene:
    """What was found of every rule, the worst first; `flows` were judged, `wrong` were left out.

    `changed` has by their ids the rules that were asked for by name, where tables change without them.
    """

    rules: tuple[RuleHygiene, ...]
    since: datetime
    flows: int
    window: dict[str, object]
    wrong: int
    changed: Mapping[str, ChangedFlows] = field(default_factory=dict)

    @property
    def bad(self) -> int:
        """Return of how many rules something is found; where there is no evidence nothing is."""
        return sum(one.finding in BAD for one in self.rules)

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "since": time_text(self.since),
            "window": self.window,
            "wrong": self.wrong,
            "findings": {str(one): sum(rule.finding is one for rule in self.rules) for one in Finding},
            "rules": [
                {
                    **one.data(),
                    **({"flows_without_it": self.changed[one.rule.id].data()} if one.rule.id in self.changed else {}),
                }
                for one in self.rules
            ],
        }


def hygiene(
    estate: Estate,
    flows: FlowSelection,
    unused_for: str,
    rules: tuple[str, ...] = (),
    rulesets: tuple[str, ...] = (),
    execution: Execution | None = None,
) -> Hygiene:
    """Judge rules, all or some (by name or id, by ruleset), by the tables of the policy and by flows.

    Raise InputErrors for a time that is not valid as one, and for rules that there are not.
    """
    from ringfence.compiler import Recompiler
    from ringfence.enforcers import abilities_of

    listener = (execution or Execution()).listener
    policy, settings = estate.workspace.policy, estate.workspace.settings
    since = time_of(unused_for, estate.now)
    wanted = rule_ids(policy, rules, rulesets)
    compiled = estate.compiled()
    chosen = [rule for rule in policy.rules if wanted is None or rule.id in wanted]
    with flows.window(estate, listener) as window, listener.working("judging the rules"):
        simulation = simulate(compiled.tables, estate.snapshot, window)
        uses = RuleUses(compiled, simulation)
        compiler = Recompiler(compiled.snapshot, policy, settings, abilities=abilities_of)
        deletions = Deletions(compiler, compiled.tables.keys())
        found = hygiene_of(chosen, uses, deletions, since, estate.now)
        judged = sum(count.flows for count in simulation.categories.values())
        # the window keeps what was judged last, so these come behind everything that was read of the first judging
        changed = {
            one.rule.id: _changed(estate, window, compiled.tables, deletions.tables(one.rule))
            for one in found
            if rules and not one.deletion.nothing
        }
        return Hygiene(tuple(found), since, judged, window.totals(), window.wrong, changed)


def _changed(
    estate: Estate, window: FlowWindow, before: Mapping[str, VerdictTable], after: Mapping[str, VerdictTable]
) -> ChangedFlows:
    result = simulate(after, estate.snapshot, window, before)
    changes = (Category.NEWLY_DENIED, Category.NEWLY_ALLOWED)
    denied, allowed = (result.categories[one].flows for one in changes)
    return ChangedFlows(denied, allowed, tuple(one.data() for one in result.flows(changes, limit=FLOWS_SHOWN)))
