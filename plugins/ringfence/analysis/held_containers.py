"""Which hosts hold which containers: an emergency of a container is carried out by its host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.enforcers import HoldsContainers, enforcer, held_at, held_by_host, names
from ringfence.model.addresses import address_text

if TYPE_CHECKING:
    from ringfence.model.assets import Asset, Snapshot


@dataclass(frozen=True, slots=True)
class Inside:
    """A container: the asset, and what its engine calls it on the host that holds it."""

    asset: Asset
    called: str

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the addresses that are known of it."""
        return tuple(address_text(point) for point in sorted(self.asset.addresses))


def held_containers(snapshot: Snapshot, hosts: Iterable[Asset]) -> Mapping[str, tuple[Inside, ...]]:
    """Return the containers that some hosts can enforce on, by the name of the host's asset."""
    able = {host.name for host in hosts}
    return {name: several for name, several in held_by(snapshot.assets).items() if name in able}


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
