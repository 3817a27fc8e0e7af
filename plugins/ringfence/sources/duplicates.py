"""One address where two machines should be: networks that overlap in one realm, two hosts managed by one address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ringfence.model.addresses import address_text
from ringfence.model.assets import Asset
from ringfence.model.problems import Problem, Severity
from ringfence.sources.identity_keys import source_facts
from ringfence.sources.reaching import reached_point, way_to
from ringfence.wire.first_few import NAMED, first_few

# What sources call the network that an asset's addresses belong to.
_NETWORKS = ("vpc", "vpc_id", "network_id", "vnet")


def duplicate_problems(assets: Sequence[Asset]) -> list[Problem]:
    """Return a warning for networks of one realm that repeat addresses, and one for hosts managed by one address.

    Several assets may hold an address, a VIP; that is told only where it cannot be one.
    """
    holders: dict[tuple[str, int], list[Asset]] = defaultdict(list)
    for asset in assets:
        for point in asset.addresses:
            holders[asset.realm, point].append(asset)
    shared = {place: held for place, held in sorted(holders.items(), key=_order) if len(held) > 1}
    return [*_overlapping(shared), *_managed_twice(shared)]


def _order(item: tuple[tuple[str, int], list[Asset]]) -> tuple[str, int]:
    return item[0]


def _overlapping(shared: Mapping[tuple[str, int], Sequence[Asset]]) -> list[Problem]:
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for (_, point), held in shared.items():
        holder = {network: asset.name for asset in reversed(held) if (network := _network(asset))}
        if len(holder) > 1:
            who = " and ".join(f"'{name}' in {network}" for network, name in sorted(holder.items()))
            found[tuple(sorted(holder))].append(f"{address_text(point)} of {who}")
    problems = []
    for networks, told in found.items():
        more = f" and {len(told) - 1} more addresses" if len(told) > 1 else ""
        message = f"the networks {', '.join(networks)} overlap in one realm: {told[0]}{more}"
        remedy = "give each a realm of its own: ringfence_realm, for AWS 'realm: vpc'; and name them in ringfence.yml"
        problems.append(Problem(Severity.WARNING, message, None, remedy))
    return problems


def _managed_twice(shared: Mapping[tuple[str, int], Sequence[Asset]]) -> list[Problem]:
    told = []
    for (_, point), held in shared.items():
        # Hosts behind one address on several ports, or behind several bastions, are several machines.
        by_jump: dict[str, list[str]] = defaultdict(list)
        for asset in held:
            way = way_to(asset)
            if asset.workload and not way.port and reached_point(asset) == point:
                by_jump[way.jump].append(asset.name)
        for managed in by_jump.values():
            names = ", ".join(f"'{name}'" for name in managed[:NAMED])
            if len(managed) > 1:
                told.append(f"{address_text(point)} by {names}{' …' if len(managed) > NAMED else ''}")
    if not told:
        return []
    message = f"several hosts are managed by one address: {first_few(told, joint='; ')}"
    remedy = "correct ansible_host; where they are one machine, say so: identity: {same: [[…, …]]} in ringfence.yml"
    return [Problem(Severity.WARNING, message, None, remedy)]


def _network(asset: Asset) -> str | None:
    for facts in source_facts(asset).values():
        for name in _NETWORKS:
            network = facts.get(name)
            if isinstance(network, str) and network:
                return network
    return None
