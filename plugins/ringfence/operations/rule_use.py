"""How many of the judged flows each rule decides, and when one of them was last seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ringfence.operations.simulate import Simulated


@dataclass(frozen=True, slots=True)
class RuleUse:
    """How many flows a rule decides a side of, and when the last of them was seen."""

    flows: int
    last: datetime | None


def rule_use(found: Simulated) -> dict[str, RuleUse]:
    """Return the use of each rule that decides any flow, by its id; the simulation's window has to be open."""
    judged = found.simulation.judged
    counts, seen = dict(judged.by_verdict()), judged.last_seen()
    flows: dict[str, int] = {}
    last: dict[str, datetime] = {}
    for number, verdict in enumerate(judged.verdicts):
        for rule in {outcome.rule for _, outcome in verdict.deciding()} if number in counts else ():
            flows[rule] = flows.get(rule, 0) + counts[number].flows
            if number in seen:
                last[rule] = max(last.get(rule, seen[number]), seen[number])
    return {rule: RuleUse(count, last.get(rule)) for rule, count in flows.items()}
