"""Hosts that judge what they forward, and for which assets: opt-in of the host, by its enforcer's variable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.enforcers import EnforcedOnTheWay, HeldByHost, HoldsContainers, enforcer, names, told_of, variable_of
from ringfence.model.intervals import EMPTY, IntervalSet
from ringfence.model.problems import Problem, Severity
from ringfence.model.rules import Direction, Mode
from ringfence.model.safe_text import clean_line
from ringfence.model.tables import Effect
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.compiler import Compilation
    from ringfence.model.assets import Asset
    from ringfence.model.rules import Settings


NOBODY = "no host is asked to judge what it forwards for it (forwards, docs/containers.md)"
ONE_WAY = "not proven where ways differ: what goes by one of"


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
        asked = asset.workload and variable_of(asset.enforcer) in asset.attributes and asset.enforcer in names()
        its = enforcer(asset.enforcer) if asked else None
        networks = its.forwards(asset) if isinstance(its, HoldsContainers) else None
        if networks is not None:
            found.append(ForwardingHost(asset, networks, frozenset(settings.sees(asset.realm))))
    return tuple(found)


def alone(asset: Asset) -> bool:
    """Return whether nothing enforces on a workload but hosts that forward for it."""
    return asset.workload and asset.enforcer in names() and isinstance(enforcer(asset.enforcer), EnforcedOnTheWay)


def way_notes(compilation: Compilation, asset: Asset, direction: Direction, effect: Effect) -> Iterator[str]:
    """Yield what hosts on the way do with what one end decides, where that is to be known."""
    only, denied = alone(asset), effect is Effect.DENY
    judging = [one for one in forwarding_hosts(compilation.snapshot.assets, compilation.settings) if one.judged(asset)]
    hosts = [one.asset.name for one in judging if one.asset.name in compilation.tables]
    observing = [name for name in hosts if observes(compilation, name, direction)]
    enforcing = [name for name in hosts if name not in observing]
    if not denied and len(enforcing) > 1:
        yield f"{ONE_WAY} {first_few(enforcing)} and comes back by another is judged in both directions"
    if not only and not denied:
        return
    if enforcing:
        yield f"{'cut' if denied else 'judged'} by {first_few(enforcing)}, where it forwards it"
    elif only:
        yield NOBODY if not hosts else "nothing else enforces it"
    if observing and effect is not Effect.ALLOW:
        yield f"{first_few(observing)} only observes what it forwards, so it passes there"


def forwarding_problems(compilation: Compilation) -> list[Problem]:
    """Return warnings about hosts that cannot judge what they forward or only observe it, and about who has no such."""
    assets = compilation.snapshot.assets
    unable: dict[str, list[str]] = {}
    for asset in assets:
        if asset.workload and _asks(asset) and not _can(asset):
            unable.setdefault(asset.enforcer, []).append(asset.name)
    found = [
        _warning(
            f"{first_few(hosts)}: {name} cannot judge what a host forwards, so all of that passes",
            "'forwards' is a key of ringfence_nftables, for nftables alone; else enforce on the machines behind it",
        )
        for name, hosts in sorted(unable.items())
    ]
    hosts = [one for one in forwarding_hosts(assets, compilation.settings) if one.asset.name in compilation.tables]
    made = compilation.tables.keys() | compilation.unenforced.keys()
    some = [asset for asset in assets if asset.name in made and alone(asset)]
    if nobody := [asset.name for asset in some if not any(one.judged(asset) for one in hosts)]:
        remedy = "write 'forwards: true' into ringfence_nftables of who forwards for it, or ringfence_workload: false"
        found.append(_warning(f"nothing enforces on {first_few(nobody)}: {NOBODY}", remedy))
    for one in hosts:
        watched = [asset.name for asset in some if one.judged(asset) and _weakened(compilation, one.asset, asset)]
        if watched:
            text = f"{one.asset.name} only observes what it forwards: {first_few(watched)} is denied nothing there"
            found.append(_warning(text, f"set the mode of {one.asset.name} to selective or full"))
    return found


def _weakened(compilation: Compilation, host: Asset, asset: Asset) -> bool:
    chosen = compilation.enforcement.get(asset.name)
    ways = [one for one in Direction if chosen and chosen.mode(one) is not Mode.OBSERVE]
    return any(observes(compilation, host.name, one) for one in ways)


def observes(compilation: Compilation, name: str, direction: Direction) -> bool:
    """Return whether a host denies nothing in a direction."""
    return compilation.tables[name].direction(direction).mode is Mode.OBSERVE


def _asks(asset: Asset) -> bool:
    """Return whether a variable of any enforcer asks a host to judge what it forwards."""
    given = (value for name, value in asset.attributes.items() if name.startswith("ringfence_"))
    return any(isinstance(one, Mapping) and bool(one.get("forwards")) for one in given)


def _can(asset: Asset) -> bool:
    able = asset.enforcer in names() and isinstance(enforcer(asset.enforcer), HoldsContainers)
    return able and bool(told_of(asset, asset.enforcer, {}).get("forwards"))


def _warning(text: str, remedy: str) -> Problem:
    return Problem(Severity.WARNING, clean_line(text), remedy=remedy)
