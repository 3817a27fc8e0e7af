"""Which enforcer a host gets of which nobody says it: the usual one, or another that its facts show to be usable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ringfence.enforcers import Enforcer, enforcer, names
from ringfence.model.abilities import Where
from ringfence.model.assets import USUAL_ENFORCER, Snapshot
from ringfence.plan.host_records import Held

VARIABLE = "ringfence_enforcer"


def chosen(
    snapshot: Snapshot,
    held: Mapping[str, Held],
    installed: Callable[[], tuple[str, ...]] = names,
    named: Callable[[str], Enforcer] = enforcer,
) -> tuple[Snapshot, dict[str, str]]:
    """Return the snapshot with every host's enforcer chosen, and why it is another one than the usual, by host.

    A host that nobody names an enforcer for gets the first one of the usual one's platform that its facts show to be
    usable, where they show that the usual one is not. Of a host that told nothing nothing is shown.
    """
    if USUAL_ENFORCER not in installed():
        return snapshot, {}
    usual = named(USUAL_ENFORCER)
    others: list[Enforcer] | None = None
    assets, reasons = [], {}
    for asset in snapshot.assets:
        chosen = asset
        told = held[asset.name].features if asset.name in held else {}
        if told and asset.enforcer == USUAL_ENFORCER and asset.attributes.get(VARIABLE) is None:
            why = usual.lacks(usual.facts(told))
            if why and others is None:
                others = [other for other in map(named, installed()) if _instead(other, usual)]
            found = next((other for other in others or () if not other.lacks(other.facts(told))), None) if why else None
            if found is not None:
                reasons[asset.name] = f"{why}, and {found.name} is usable there"
                chosen = replace(asset, enforcer=found.name)
        assets.append(chosen)
    return (replace(snapshot, assets=tuple(assets)) if reasons else snapshot), reasons


def _instead(one: Enforcer, usual: Enforcer) -> bool:
    """Return whether an enforcer can stand in for the usual one: on the same platform, on the host itself."""
    return one is not usual and one.abilities.platform == usual.abilities.platform and one.abilities.where is Where.HOST
