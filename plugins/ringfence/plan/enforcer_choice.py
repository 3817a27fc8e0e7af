"""The choice of an enforcer for hosts without one: the usual one, or another that a host's facts show to be usable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from ringfence.enforcers import Enforcer, enforcer, names
from ringfence.model.abilities import Where
from ringfence.model.assets import USUAL_ENFORCER, Snapshot

if TYPE_CHECKING:
    from ringfence.plan.host_records import Held

VARIABLE = "ringfence_enforcer"


def chosen(
    snapshot: Snapshot,
    held: Mapping[str, Held],
    installed: Callable[[], tuple[str, ...]] = names,
    named: Callable[[str], Enforcer] = enforcer,
) -> tuple[Snapshot, dict[str, str]]:
    """Return the snapshot with every host's enforcer, and the reasons, by host, where it is not the usual one.

    If nobody names an enforcer for a host, and its facts show that the usual one cannot be used, it gets the first one
    of the same platform that its facts show to be usable. A host without facts gets the usual one. A host that holds
    the table of such another enforcer keeps it: with two tables, both would judge each packet.
    """
    if not held or USUAL_ENFORCER not in installed():
        return snapshot, {}
    usual = named(USUAL_ENFORCER)

    @cache
    def others() -> list[Enforcer]:
        return [one for one in map(named, installed()) if _instead(one, usual)]

    assets, reasons = [], {}
    for asset in snapshot.assets:
        choice = None
        if asset.name in held and asset.enforcer == USUAL_ENFORCER and asset.attributes.get(VARIABLE) is None:
            choice = _choice(held[asset.name], usual, others)
        if choice is not None:
            reasons[asset.name] = choice[1]
            assets.append(replace(asset, enforcer=choice[0]))
        else:
            assets.append(asset)
    return (replace(snapshot, assets=tuple(assets)) if reasons else snapshot), reasons


def _choice(held: Held, usual: Enforcer, others: Callable[[], list[Enforcer]]) -> tuple[str, str] | None:
    """Return the name of the enforcer that a host gets instead of the usual one, and why; None for the usual one."""
    why = usual.lacks(usual.facts(held.features)) if held.features else ""
    holds_other = held.ruleset != "" and held.enforcer not in ("", usual.name)
    if not held.features or not (why or holds_other):
        return None
    usable = [one.name for one in others() if not one.lacks(one.facts(held.features))]
    if why:
        return (usable[0], f"{why}, and {usable[0]} is usable there") if usable else None
    return (held.enforcer, kept(held.enforcer)) if held.enforcer in usable else None


def kept(enforcer_name: str) -> str:
    """Return why a host keeps the enforcer of its table although the usual one is usable there by now."""
    return f"it holds a table of {enforcer_name}; {USUAL_ENFORCER} is usable there now"


def _instead(one: Enforcer, usual: Enforcer) -> bool:
    """Return whether an enforcer can stand in for the usual one: on the same platform, on the host itself."""
    return one is not usual and one.abilities.platform == usual.abilities.platform and one.abilities.where is Where.HOST
