"""Enforcers beside the real ones, for tests of what the engine does with any: one of Windows, one that stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
import ringfence.enforcers
from pydantic import JsonValue
from ringfence.enforcers import Enforcer, Facts, Profile, Reason, Rendered, Renderer, Targets
from ringfence.model.abilities import LINUX, Abilities
from ringfence.model.assets import Asset
from ringfence.model.intervals import IntervalSet
from ringfence.model.services import EVERY_SERVICE
from ringfence.model.tables import VerdictTable
from ringfence.plugins import Registry

WINDOWS = Abilities(
    "windows",
    ("program", "service"),
    inbound=frozenset({"program", "service"}),
    outbound=frozenset({"program", "service"}),
    listeners=IntervalSet(EVERY_SERVICE.intervals),
    cut=False,
    control=False,
)


@dataclass(frozen=True)
class Plain:
    """An enforcer whose text is its name, its number of targets, a fact and the table's digest."""

    name: str
    abilities: Abilities
    needs: str = ""
    suffix: str = "txt"

    def facts(self, told: Mapping[str, JsonValue]) -> Facts:
        return {"edition": told.get("edition", "current"), "has": told.get(self.needs, "")}

    def lacks(self, facts: Facts) -> str:
        return "" if facts["has"] else f"there is no {self.needs}"

    def profile(self, facts: Facts) -> Profile:
        return {"edition": facts["edition"]}

    def refusals(self, table: VerdictTable, facts: Facts, asset: Asset) -> list[Reason]:
        found = [("its edition is old", "take a newer one")] if facts["edition"] == "old" else []
        unseen = set(table.inbound.kinds) - self.abilities.inbound
        named = sorted(name for kind in unseen for name in table.inbound.names(kind))
        return found + [(f"it cannot see {name}", "leave it out") for name in named]

    def renderer(self, targets: Targets) -> Renderer:
        return _Plain(self.name, targets)


@dataclass(frozen=True)
class _Plain:
    name: str
    targets: Targets

    def render(self, table: VerdictTable, profile: Profile) -> Rendered:
        text = f"{self.name} {len(self.targets.tables)} {profile['edition']} {table.digest}\n"
        return Rendered(text, [{"groups": sorted(self.targets.assets)}])


WINDOWS_LIKE = Plain("windows", WINDOWS)
STAND_IN = Plain("iptables", LINUX, needs="iptables")
BLIND = Plain("iptables", replace(LINUX, inbound=frozenset()), needs="iptables")


def install(monkeypatch: pytest.MonkeyPatch, *more: Plain) -> None:
    """Let the engine find the real enforcer of Linux and some more."""
    built_in: dict[str, Enforcer] = {one.name: one for one in more}
    registry: Registry[Enforcer] = Registry(ringfence.enforcers.GROUP, Enforcer, "enforcer", "its methods", built_in)
    registry.__dict__["_points"] = {name: points for name, points in registry._points.items() if name == "nftables"}
    monkeypatch.setattr(ringfence.enforcers, "_REGISTRY", registry)
