"""The nftables enforcer: one `table inet ringfence` for Linux hosts."""

from ringfence.enforcers.nftables.dynamic_sets import answer_elements
from ringfence.enforcers.nftables.features import Features, unsupported
from ringfence.enforcers.nftables.processes import process_elements
from ringfence.enforcers.nftables.ruleset import render
from ringfence.model.tables import VerdictTable

__all__ = [
    "ENFORCER",
    "Features",
    "NftablesEnforcer",
    "answer_elements",
    "process_elements",
    "render",
    "unsupported",
]


class NftablesEnforcer:
    """`ringfence.enforcers.Enforcer` for nftables."""

    def render(self, table: VerdictTable) -> str:
        """Return the ruleset text that `nft -f` loads in one transaction."""
        return render(table)

    def process_elements(self, table: VerdictTable) -> list[dict[str, object]]:
        """Return what the target fills in: elements for every name, unit and user of the table."""
        return [*answer_elements(table), *process_elements(table)]


ENFORCER = NftablesEnforcer()
