"""The iptables enforcer: chains of our own and sets of ipset, for Linux hosts without a usable nft."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ringfence.enforcers import Facts, OptionFault, Profile, Reason, Rendered, Renderer, Targets
from ringfence.enforcers.iptables.dynamic_sets import answer_elements
from ringfence.enforcers.iptables.features import DEFAULT_MASK, Features, mask_of, unsupported
from ringfence.enforcers.iptables.mark_classes import Marks
from ringfence.enforcers.iptables.processes import process_elements
from ringfence.enforcers.iptables.ruleset import render
from ringfence.language.reports import meant
from ringfence.model.abilities import Abilities
from ringfence.model.assets import Asset
from ringfence.model.tables import VerdictTable

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = [
    "DEFAULT_MASK",
    "ENFORCER",
    "Features",
    "IptablesEnforcer",
    "Marks",
    "answer_elements",
    "process_elements",
    "render",
    "runtime_of",
    "unsupported",
]

# The host's variable that says which bits of the mark Ringfence may use there, 0 for none.
VARIABLE = "ringfence_iptables"
# Beside the bits the facts that somebody settles; that it cannot judge what a host forwards is said by itself.
_KEYS = (*Features().data(), "forwards")
_OTHERWISE = "take nftables where the host has it, a newer release, or a rule that does not ask for this"


class IptablesEnforcer:
    """`ringfence.enforcers.Enforcer` for iptables and ipset; texts depend on tables and on the mark's bits."""

    name = "iptables"
    suffix = "iptables"
    # a packet on the way in has no socket yet where iptables looks: nobody who listens is told apart
    abilities = Abilities("linux", ("unit", "user"), frozenset(), frozenset({"unit", "user"}))

    def facts(self, told: Mapping[str, JsonValue]) -> Facts:
        """Return the versions of iptables, ipset and kernel, and which bits of the mark may be used."""
        return Features.told(told).data()

    def lacks(self, facts: Facts) -> str:
        """Return why iptables is not known to be usable on a host."""
        features = Features.told(facts)
        return "; ".join(features.lacks()) if features.known else "nothing is known of its iptables"

    def profile(self, facts: Facts) -> Profile:
        """Return the bits of the mark, 0 where each class of addresses needs a rule of its own."""
        features = Features.told(facts)
        return {"marks": features.marks if features.skbinfo else 0}

    def refusals(self, table: VerdictTable, facts: Facts, asset: Asset) -> list[Reason]:
        """Return what this host's iptables, ipset and kernel cannot enforce of a table."""
        return [(why, _OTHERWISE) for why in unsupported(table, Features.told(facts))]

    def option_faults(self, given: object) -> list[OptionFault]:
        """Return what is not valid in the variable `ringfence_iptables` of a host."""
        remedy = f"write {VARIABLE}: {{marks: '{DEFAULT_MASK:#x}'}}"
        if not isinstance(given, Mapping):
            return [OptionFault("", f"is {given!r:.60}, not a mapping", remedy)]
        found = [
            OptionFault(
                str(key), f"has {str(key)!r:.60}, which is not one of its keys", meant(str(key), _KEYS) or remedy
            )
            for key in given
            if key not in _KEYS
        ]
        if mask_of(given.get("marks", 0)) is None:
            why = f"has {given['marks']!r:.60} as 'marks', which is not a valid mask of 32 bits"
            found.append(OptionFault("marks", why, remedy))
        return found

    def renderer(self, targets: Targets) -> Renderer:
        """Return this itself: no text depends on other tables."""
        return self

    def render(self, table: VerdictTable, profile: Profile) -> Rendered:
        """Return what `ipset restore` and both families' restore commands load, and what the target fills in."""
        marks = profile.get("marks")
        bits = Marks(marks) if isinstance(marks, int) and marks else None
        return Rendered(render(table, bits), runtime_of(table))


def runtime_of(table: VerdictTable) -> list[dict[str, JsonValue]]:
    """Return what the target fills in: elements for every name, unit and user of a table."""
    return [*answer_elements(table), *process_elements(table)]


ENFORCER = IptablesEnforcer()
