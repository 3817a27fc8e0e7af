"""Which rules of a policy differ from those of another, where the rest of both decides alike."""

from __future__ import annotations

from operator import attrgetter

from ringfence.model.rules import Policy, Settings

# All of a rule that tables depend on; where it stands in a file is not among that.
_said = attrgetter(
    "name", "sources", "destinations", "action", "services", "tier", "priority", "sides", "log"
)  # of ringfence.model.rules.Rule


def changed_rules(before: Policy, after: Policy) -> frozenset[str] | None:
    """Return the ids of rules that came, went or say something else, None where more differs than these.

    More is: other modes, another order of the rules that stay, another name of a rule whose id stays.
    """
    if not _same_modes(before, after):
        return None
    old, new = ({rule.id: rule for rule in one.rules} for one in (before, after))
    if len(old) != len(before.rules) or len(new) != len(after.rules):
        return None
    both = old.keys() & new.keys()
    edited = {one for one in both if old[one] is not new[one] and _said(old[one]) != _said(new[one])}
    if any(old[one].name != new[one].name for one in edited):
        return None
    changed = frozenset((old.keys() ^ new.keys()) | edited)
    stay = [[one for one in rules if one not in changed] for rules in (old, new)]
    return changed if stay[0] == stay[1] else None


def same_settings(before: Settings, after: Settings) -> bool:
    """Return whether tables are the same under two settings."""
    depend = attrgetter("control", "realms", "private", "tiers")
    return bool(depend(before) == depend(after))


def _same_modes(before: Policy, after: Policy) -> bool:
    says = attrgetter("where", "inbound", "outbound", "cut")
    return [says(one) for one in before.enforcement] == [says(one) for one in after.enforcement]
