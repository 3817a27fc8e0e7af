"""The nftables enforcer: one `table inet ringfence` for Linux hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ringfence.enforcers import (
    Contained,
    Facts,
    Forwarded,
    OptionFault,
    Profile,
    Reason,
    Rendered,
    Renderer,
    Targets,
    told_of,
)
from ringfence.enforcers.nftables.container_chains import Holding
from ringfence.enforcers.nftables.dynamic_sets import answer_elements
from ringfence.enforcers.nftables.features import OLDEST_NFT, Features, unsupported
from ringfence.enforcers.nftables.forward_chains import Forwarding
from ringfence.enforcers.nftables.options import BRIDGED, FORWARDS, networks_asked_for, option_faults
from ringfence.enforcers.nftables.processes import process_elements
from ringfence.enforcers.nftables.ruleset import render
from ringfence.model.abilities import LINUX
from ringfence.model.assets import Asset
from ringfence.model.intervals import IntervalSet
from ringfence.model.tables import VerdictTable

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = [
    "ENFORCER",
    "Features",
    "NftablesEnforcer",
    "answer_elements",
    "process_elements",
    "render",
    "runtime_of",
    "unsupported",
]

_NEWER = "take a newer release; what names a process can be left to a rule without one"


class NftablesEnforcer:
    """`ringfence.enforcers.Enforcer` for nftables; its texts depend on their tables alone."""

    name = "nftables"
    suffix = "nft"
    abilities = LINUX

    def facts(self, told: Mapping[str, JsonValue]) -> Facts:
        """Return the versions of nft and kernel, and what the two can match units by."""
        asked = {key: told[key] for key in (BRIDGED, FORWARDS) if key in told}
        return {**Features.told(told).data(), **asked}

    def lacks(self, facts: Facts) -> str:
        """Return why nft is not usable on a host; the kernel is not asked here, iptables needs no newer one."""
        features = Features.told(facts)
        if features.nft == ():
            return "there is no nft"
        if features.nft < OLDEST_NFT:
            return f"nft {features.nft_text} is older than {'.'.join(map(str, OLDEST_NFT))}"
        return ""

    def profile(self, facts: Facts) -> Profile:
        """Return whether packets within a bridge are to be judged, all else is the same text for every host."""
        return {"bridged": True} if facts.get("bridged") is True else {}

    def refusals(self, table: VerdictTable, facts: Facts, asset: Asset) -> list[Reason]:
        """Return what this host's nft and kernel cannot enforce of a table."""
        return [(why, _NEWER) for why in unsupported(table, Features.told(facts))]

    def option_faults(self, given: object) -> list[OptionFault]:
        """Return what is not valid in the variable `ringfence_nftables` of a host."""
        return option_faults(given)

    def forwards(self, asset: Asset) -> IntervalSet | None:
        """Return the addresses for which a host is asked to judge what it forwards, None where it is not asked to."""
        return networks_asked_for(told_of(asset, self.name, {}))

    def renderer(self, targets: Targets) -> Renderer:
        """Return this itself: no text depends on other tables."""
        return self

    def render(self, table: VerdictTable, profile: Profile) -> Rendered:
        """Return the ruleset text that `nft -f` loads in one transaction, and the elements that the target fills in."""
        return Rendered(render(table), runtime_of(table))

    def render_holding(
        self,
        table: VerdictTable,
        profile: Profile,
        contained: Sequence[Contained],
        forwarded: Sequence[Forwarded] = (),
    ) -> Rendered:
        """Return the same with the tables of the containers that a host holds, and of those that it forwards for."""
        bridged = profile.get("bridged") is True
        holding = Holding(contained, bridged=bridged) if contained else None
        text = render(table, holding, Forwarding(forwarded, bridged=bridged) if forwarded else None)
        runtime = runtime_of(table)
        for one in (*(holding.contained if holding else ()), *forwarded):
            runtime += [asked for asked in answer_elements(one.table) if asked not in runtime]
        return Rendered(text, [*runtime, *(holding.runtime() if holding else ())])


def runtime_of(table: VerdictTable) -> list[dict[str, JsonValue]]:
    """Return what the target fills in: elements for every name, unit and user of a table."""
    return [*answer_elements(table), *process_elements(table)]


ENFORCER = NftablesEnforcer()
