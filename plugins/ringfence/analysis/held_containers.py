"""Which hosts hold which containers: an emergency of a container is carried out by its host."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.analysis.forwarding_hosts import forwarding_hosts
from ringfence.enforcers import HoldsContainers, enforcer, held_at, held_by_host, names
from ringfence.model.addresses import address_text
from ringfence.wire.set_names import set_digest

if TYPE_CHECKING:
    from ringfence.model.assets import Asset, Snapshot
    from ringfence.model.rules import Settings


@dataclass(frozen=True, slots=True)
class Inside:
    """A container: the asset, and what its engine calls it on the host that holds it.

    With `~` before its name an asset that the host judges as it forwards for it, by some of its addresses.
    """

    asset: Asset
    called: str
    some: tuple[int, ...] | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the addresses that are known of it."""
        return tuple(address_text(point) for point in sorted(self.asset.addresses if self.some is None else self.some))


def held_containers(snapshot: Snapshot, hosts: Iterable[Asset]) -> Mapping[str, tuple[Inside, ...]]:
    """Return the containers that some hosts can enforce on, by the name of the host's asset."""
    able = {host.name for host in hosts}
    return {name: several for name, several in held_by(snapshot.assets).items() if name in able}


def forwarded_by(snapshot: Snapshot, settings: Settings, wanted: Collection[str]) -> Mapping[str, tuple[Inside, ...]]:
    """Return those of some assets for whom hosts judge what they forward, by the name of the host's asset."""
    chosen = [asset for asset in snapshot.assets if asset.name in wanted]
    found = {}
    for host in forwarding_hosts(snapshot.assets, settings) if chosen else ():
        judged = [(asset, host.judged(asset)) for asset in chosen]
        if several := tuple(
            Inside(asset, f"~{_line_name(asset.name)}", tuple(one for one in asset.addresses if one in points))
            for asset, points in judged
            if points
        ):
            found[host.asset.name] = several
    return found


def _line_name(name: str) -> str:
    """Return a name as the lines of emergencies can say it."""
    return name if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,200}", name, re.ASCII) else set_digest(name)


def held_by(assets: Iterable[Asset]) -> Mapping[str, tuple[Inside, ...]]:
    """Return the containers among some assets that others of these hold and can enforce on, by the holder's name."""
    known = tuple(assets)
    inside = [(one, at) for one in known if held_by_host(one.enforcer) and (at := held_at(one))]
    if not inside:
        return {}
    called: defaultdict[str, set[str]] = defaultdict(set)
    installed = names()
    for asset in known:
        if asset.workload and asset.enforcer in installed and isinstance(enforcer(asset.enforcer), HoldsContainers):
            for name in (asset.name, *asset.also):
                called[name].add(asset.name)
    found: defaultdict[str, list[Inside]] = defaultdict(list)
    for asset, (host, name) in inside:
        if len(holders := called.get(host, ())) == 1:
            found[next(iter(holders))].append(Inside(asset, name))
    return {name: tuple(several) for name, several in found.items()}
