"""Hosts that judge what they forward, and for which assets: opt-in of the host, by its enforcer's variable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.enforcers import HeldByHost, HoldsContainers, enforcer, names
from ringfence.model.intervals import EMPTY, IntervalSet

if TYPE_CHECKING:
    from ringfence.model.assets import Asset
    from ringfence.model.rules import Settings


@dataclass(frozen=True, slots=True)
class ForwardingHost:
    """A host that is asked to judge what it forwards, the addresses for which, and the realms whose it can meet."""

    asset: Asset
    networks: IntervalSet
    realms: frozenset[str]

    def judged(self, asset: Asset) -> IntervalSet:
        """Return the addresses of another asset whose packets it judges; none of a container, which its host judges."""
        own = asset.name == self.asset.name or not asset.workload or asset.realm not in self.realms
        if own or (asset.enforcer in names() and isinstance(enforcer(asset.enforcer), HeldByHost)):
            return EMPTY
        return IntervalSet.of((point, point) for point in asset.addresses) & self.networks


def forwarding_hosts(assets: Iterable[Asset], settings: Settings) -> tuple[ForwardingHost, ...]:
    """Return the hosts among some assets that are asked to judge what they forward and whose enforcer can."""
    found: list[ForwardingHost] = []
    for asset in assets:
        its = enforcer(asset.enforcer) if asset.workload and asset.enforcer in names() else None
        networks = its.forwards(asset) if isinstance(its, HoldsContainers) else None
        if networks is not None:
            found.append(ForwardingHost(asset, networks, frozenset(settings.sees(asset.realm))))
    return tuple(found)
