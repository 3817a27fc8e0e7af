"""Which rules of a direction go to which of Kubernetes' three tiers, so that the same rule decides.

Kubernetes asks the Admin tier (first match by priority), then NetworkPolicy (a pod that one selects lets through what
any of them allows, and no more), then, for pods that none selects, the Baseline tier. `Pass` ends a tier, as here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ringfence.compiler.precedence import Ranked
from ringfence.model.rules import Action, Rule

Group = tuple[Rule, ...]  # rules of one tier, priority and action: their order makes no difference
MOST_PRIORITIES = 1000  # `priority` is 0 to 1000; the last one is for what nothing has decided


@dataclass(frozen=True, slots=True)
class Layout:
    """The groups of the Admin tier, the allows that are NetworkPolicy, the groups of the Baseline tier.

    Either the middle or the last is empty. `refused` is a rule that has no place.
    """

    admin: tuple[Group, ...]
    network: tuple[Rule, ...]
    baseline: tuple[Group, ...] = ()
    refused: Rule | None = None

    @property
    def by_baseline(self) -> bool:
        """Return whether the Baseline tier decides last, and no NetworkPolicy may select a pod."""
        return bool(self.baseline)


def layout(ranked: Sequence[Ranked]) -> Layout:
    """Return where the rules of one direction go, given in deciding order.

    Allows behind the last deny and the last pass are NetworkPolicy, since their order makes no difference. What
    stands before is the Admin tier. A pass leads out of that tier, so its own tier is the last there; denies and passes
    of later tiers are the Baseline tier.
    """
    passing = [one.tier for one in ranked if one.rule.action is Action.PASS]
    last = max((n for n, one in enumerate(ranked) if one.rule.action is not Action.ALLOW), default=-1)
    cut = last + 1
    if passing:
        cut = next((n for n, one in enumerate(ranked) if one.tier > passing[0]), len(ranked))
    if last < cut:
        return Layout(_groups(ranked[:cut]), tuple(one.rule for one in ranked[cut:]))
    later = ranked[cut:]
    skipping = (one.rule for one in later if one.rule.action is Action.PASS and one.tier < later[-1].tier)
    return Layout(_groups(ranked[:cut]), (), _groups(later), next(skipping, None))


def _groups(ranked: Sequence[Ranked]) -> tuple[Group, ...]:
    grouped = groupby(ranked, key=lambda one: (one.tier, one.rule.priority, one.rule.action))
    return tuple(tuple(one.rule for one in members) for _, members in grouped)
