"""The iptables enforcer: chains of our own and sets of ipset, for Linux hosts without a usable nft."""

from ringfence.enforcers.iptables.dynamic_sets import answer_elements
from ringfence.enforcers.iptables.features import DEFAULT_MASK, Features, features_of, lacks, marks_of, unsupported
from ringfence.enforcers.iptables.mark_classes import Marks
from ringfence.enforcers.iptables.processes import process_elements
from ringfence.enforcers.iptables.ruleset import render
from ringfence.model.tables import VerdictTable

__all__ = [
    "DEFAULT_MASK",
    "ENFORCER",
    "Features",
    "IptablesEnforcer",
    "Marks",
    "features_of",
    "lacks",
    "marks_of",
    "render",
    "unsupported",
]


class IptablesEnforcer:
    """`ringfence.enforcers.Enforcer` for iptables and ipset."""

    def render(self, table: VerdictTable) -> str:
        """Return what `ipset restore`, `iptables-restore` and `ip6tables-restore` load."""
        return render(table, Marks(DEFAULT_MASK))

    def process_elements(self, table: VerdictTable) -> list[dict[str, object]]:
        """Return what the target fills in: elements for every name, unit and user of the table."""
        return [*answer_elements(table), *process_elements(table)]


ENFORCER = IptablesEnforcer()
