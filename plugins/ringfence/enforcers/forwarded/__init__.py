"""Workloads on which nothing enforces but the hosts that forward for them: each of these has their tables.

Such a host is asked to by `forwards` of its own variable (`ringfence.enforcers.HoldsContainers`); nothing is installed
on the workload itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.enforcers import Facts, Profile, Reason, Rendered, Renderer, Targets
from ringfence.model.abilities import LINUX, Where
from ringfence.model.assets import Asset
from ringfence.model.errors import RingfenceError
from ringfence.model.tables import VerdictTable

if TYPE_CHECKING:
    from pydantic import JsonValue


class ForwardedEnforcer:
    """`ringfence.enforcers.Enforcer` for what others forward: it renders nothing, the enforcers of these do."""

    name = "forwarded"
    suffix = "none"
    # No process of a machine is seen on the way to it. The way of whoever manages it stays open like a host's.
    abilities = replace(LINUX, inbound=frozenset(), outbound=frozenset(), where=Where.API)

    def on_the_way(self) -> bool:
        """Return true: hosts on the way have the tables."""
        return True

    def facts(self, told: Mapping[str, JsonValue]) -> Facts:
        """Return nothing: nobody asks such a workload."""
        return {}

    def lacks(self, facts: Facts) -> str:
        """Return nothing: no host gets this enforcer by its facts."""
        return ""

    def profile(self, facts: Facts) -> Profile:
        """Return nothing: there is no text."""
        return {}

    def refusals(self, table: VerdictTable, facts: Facts, asset: Asset) -> list[Reason]:
        """Return nothing: whether anybody forwards for it, the plan knows."""
        return []

    def renderer(self, targets: Targets) -> Renderer:
        """Return this itself."""
        return self

    def render(self, table: VerdictTable, profile: Profile) -> Rendered:
        """Raise RingfenceError: only the enforcers of hosts that forward render such a table."""
        raise RingfenceError("the table of a forwarded workload is rendered by the enforcer of who forwards")


ENFORCER = ForwardedEnforcer()
