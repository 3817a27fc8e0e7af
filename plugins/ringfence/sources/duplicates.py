"""One address where two machines should be: networks that overlap in one realm, two hosts managed by one address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ringfence.model.addresses import address_text, point_of
from ringfence.model.assets import Asset
from ringfence.model.errors import InputError
from ringfence.model.problems import Problem, Severity
from ringfence.sources.identity_keys import source_facts

NAMED = 5
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
        managed = [asset.name for asset in held if asset.workload and _reached_by(asset) == point]
        if len(managed) > 1:
            names = ", ".join(f"'{name}'" for name in managed[:NAMED])
            told.append(f"{address_text(point)} by {names}{' …' if len(managed) > NAMED else ''}")
    if not told:
        return []
    more = f"; and {len(told) - NAMED} more" if len(told) > NAMED else ""
    message = f"several hosts are managed by one address: {'; '.join(told[:NAMED])}{more}"
    remedy = "correct ansible_host; where they are one machine, say so: identity: {same: [[…, …]]} in ringfence.yml"
    return [Problem(Severity.WARNING, message, None, remedy)]


def _network(asset: Asset) -> str | None:
    for facts in source_facts(asset).values():
        for name in _NETWORKS:
            network = facts.get(name)
            if isinstance(network, str) and network:
                return network
    return None


def _reached_by(asset: Asset) -> int | None:
    """Return the address that Ansible connects to; hosts behind one address on several ports are several machines."""
    host, port = asset.attributes.get("ansible_host", asset.name), asset.attributes.get("ansible_port")
    if not isinstance(host, str) or port not in (None, 22, "22"):
        return None
    try:
        return point_of(host)
    except InputError:
        return None
