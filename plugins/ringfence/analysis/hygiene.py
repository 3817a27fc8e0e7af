"""Hygiene: rules that no flow used, that change nothing, or that are far wider than their traffic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ringfence.analysis.deletion import Deletion, Deletions
from ringfence.analysis.narrowing import Narrower, Width, narrowed, narrower, widths
from ringfence.analysis.rule_use import RuleUses, Seen, Use
from ringfence.model.counts import counted
from ringfence.model.rules import Action, Rule
from ringfence.model.tables import DEFAULT_RULE

# Of the time asked for, the evidence has to cover this much: who talks daily was seen by then.
COVERED = 0.9


class Finding(StrEnum):
    """What is found of a rule, the worst first."""

    NEEDLESS = "needless"
    UNUSED = "unused"
    WIDE = "wide"
    NO_EVIDENCE = "no_evidence"
    GUARD = "guard"
    USED = "used"


@dataclass(frozen=True, slots=True)
class RuleHygiene:
    """What is found of one rule, with the reason; `deletion` is what would change without it."""

    rule: Rule
    finding: Finding
    why: str
    use: Use
    seen: Seen
    deletion: Deletion
    widths: tuple[Width, ...] = ()
    narrower: Narrower | None = None

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        rule, use = self.rule, self.use
        return {
            "rule": rule.id,
            "name": rule.name,
            "place": str(rule.place),
            "ruleset": rule.ruleset,
            "action": str(rule.action),
            "finding": str(self.finding),
            "why": self.why,
            **use.count.data(),
            "clients": len(use.clients) + use.unknown_clients,
            "servers": len(use.servers) + use.unknown_servers,
            "evidence": self.seen.data(),
            "without_it": self.deletion.data(),
            "wider": [one.data() for one in self.widths],
            "narrower": self.narrower.written() if self.narrower else None,
        }


def hygiene(
    rules: Iterable[Rule], uses: RuleUses, deletions: Deletions, since: datetime, until: datetime
) -> list[RuleHygiene]:
    """Return what is found of some rules of a policy, the worst findings first, then by their places.

    `needless`: nothing changes without it, proven by the tables, whatever the flows are. `unused`: it decided no flow
    between `since` and `until`, although its workloads were seen all that time. `wide`: it allows far more than was
    used. `no_evidence`: nothing was seen of its workloads, or not for so long, or what nobody saw decides which flows
    are its own. `guard`: a `deny` that nobody met, or a `pass`, neither of which has to be used.
    """
    found = [_of(rule, uses, deletions, since, until) for rule in rules]
    order = list(Finding)
    return sorted(found, key=lambda one: (order.index(one.finding), one.rule.place))


def _of(rule: Rule, uses: RuleUses, deletions: Deletions, since: datetime, until: datetime) -> RuleHygiene:
    use, seen, deletion = uses.of(rule), uses.seen(rule), deletions.of(rule)
    if _guards(rule, use, deletion):
        why = "" if not deletion.nothing else "today nothing is allowed that it denies"
        return RuleHygiene(rule, Finding.GUARD, why, use, seen, deletion)
    if deletion.nothing:
        return RuleHygiene(rule, Finding.NEEDLESS, _needless(use, deletion, uses), use, seen, deletion)
    if not use.count.flows:
        if lacking := _lacking(seen, since, until):
            return RuleHygiene(rule, Finding.NO_EVIDENCE, lacking, use, seen, deletion)
        why = f"no flow used it; {seen.seen} of {counted(seen.workloads, 'workload')} it speaks for were seen"
        return RuleHygiene(rule, Finding.UNUSED, why, use, seen, deletion)
    if wide := widths(rule, uses):
        proposed = proven(rule, narrower(rule, uses, wide), deletions)
        why = "; ".join(map(str, wide))
        return RuleHygiene(rule, Finding.WIDE, why, use, seen, deletion, tuple(wide), proposed)
    return RuleHygiene(rule, Finding.USED, "", use, seen, deletion)


def proven(rule: Rule, proposed: Narrower | None, deletions: Deletions) -> Narrower | None:
    """Return as much of a narrower rule as opens nothing by the tables: all, its services alone, or None.

    Labels choose a workload with every address that it may have, a network only those in it.
    """
    for one in (proposed, replace(proposed, sources={}, destinations={}) if proposed else None):
        if one is not None and one.written() and not deletions.opens(rule, narrowed(rule, one)):
            return one
    return None


def _guards(rule: Rule, use: Use, deletion: Deletion) -> bool:
    """Return whether a rule is there for what shall not come: no use of it proves that it is needless."""
    if deletion.nothing:
        return rule.action is Action.DENY and deletion.instead == {DEFAULT_RULE}
    return rule.action is Action.PASS or (rule.action is Action.DENY and not use.count.flows)


def _needless(use: Use, deletion: Deletion, uses: RuleUses) -> str:
    names = {rule.id: rule.name for rule in uses.compilation.policy.rules}
    others = sorted(f"'{names[one]}'" for one in deletion.instead if one in names)
    if others:
        return f"{', '.join(others)} decide{'s' if len(others) == 1 else ''} the same without it"
    if deletion.instead:
        return "where it decides, it says what holds without any rule"
    return "it decides nothing on any workload"


def _lacking(seen: Seen, since: datetime, until: datetime) -> str:
    """Return why it cannot be said that a rule is unused; nothing where it can."""
    if not seen.workloads:
        return "no workload enforces it"
    if seen.first_seen is None:
        return f"nothing was seen of the {counted(seen.workloads, 'workload')} it speaks for"
    if seen.perhaps:
        return f"{seen.perhaps:,} flows may be its own: a process, a name or an ICMP type that nobody saw decides that"
    if seen.first_seen > since + (1 - COVERED) * (until - since):
        return f"its workloads were first seen {_ago(until - seen.first_seen)} ago, less than was asked for"
    return ""


def _ago(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return counted(minutes, "minute")
    hours = minutes // 60
    return counted(hours // 24, "day") if hours >= 48 else counted(hours, "hour")
