"""Containers of one bridge: they reach each other past every table where the kernel keeps bridged packets to itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ringfence.enforcers import HeldByHost, HoldsContainers, enforcer, names, told_of

if TYPE_CHECKING:
    from ringfence.model.assets import Asset

UNSEEN = "packets no table sees while net.bridge.bridge-nf-call-* is off there (bridged, docs/containers.md)"


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge network of a host, by the names that the source tells, and the assets on it."""

    host: str
    network: str
    assets: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as a sentence names it."""
        return f"bridge {self.network} of {self.host}"


def unjudged_bridges(assets: Iterable[Asset]) -> tuple[Bridge, ...]:
    """Return the bridges with several containers whose host is not asked to judge what these send each other.

    Of a host that is asked to (`bridged: true`) the plan switches it on; what the kernel of another does nobody knows
    here.
    """
    known = tuple(assets)
    inside: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for asset in known:
        for at in _bridges(asset):
            inside[at].append(asset.name)
    several = {at: tuple(sorted(found)) for at, found in inside.items() if len(found) > 1}
    judging = _judging(known, {host for host, _ in several}) if several else frozenset()
    return tuple(Bridge(*at, found) for at, found in sorted(several.items()) if at[0] not in judging)


def between(assets: Iterable[Asset], first: Asset, second: Asset) -> Bridge | None:
    """Return the bridge over which one asset reaches another past every table, where there is one."""
    if first == second or not _bridges(first) & _bridges(second):
        return None
    return next((one for one in unjudged_bridges(assets) if {first.name, second.name} <= {*one.assets}), None)


def not_cut(assets: Iterable[Asset], isolated: Collection[str], kept: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Return, for isolated containers, those of their bridges that they still reach although nobody keeps them."""
    found: dict[str, set[str]] = {}
    for bridge in unjudged_bridges(assets):
        for name in bridge.assets:
            if name in isolated and (others := {*bridge.assets} - {name, *kept}):
                found.setdefault(name, set()).update(others)
    return {name: tuple(sorted(others)) for name, others in sorted(found.items())}


def _bridges(asset: Asset) -> frozenset[tuple[str, str]]:
    return frozenset(at for its in _holding() for at in its.bridges(asset))


@cache
def _holding() -> tuple[HeldByHost, ...]:
    return tuple(its for its in map(enforcer, names()) if isinstance(its, HeldByHost))


def _judging(assets: Iterable[Asset], hosts: Collection[str]) -> frozenset[str]:
    """Return those of some hosts whose enforcer is asked to have bridged packets judged, by each of their names."""
    return frozenset(name for asset in assets if asset.workload for name in _called(asset, hosts) if _asked(asset))


def _called(asset: Asset, hosts: Collection[str]) -> Iterator[str]:
    return (name for name in (asset.name, *asset.also) if name in hosts)


def _asked(asset: Asset) -> bool:
    able = asset.enforcer in names() and isinstance(enforcer(asset.enforcer), HoldsContainers)
    return able and told_of(asset, asset.enforcer, {}).get("bridged") is True
