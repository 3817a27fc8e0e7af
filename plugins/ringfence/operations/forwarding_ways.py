"""Hosts on the way: those that are asked to judge what they forward, and those that told that they forward."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ringfence.analysis.forwarding_hosts import forwarding_hosts
from ringfence.analysis.ways import Way
from ringfence.model.addresses import family_of, network_of
from ringfence.model.errors import InputError
from ringfence.operations.other_firewalls import hosts_that_told, other_firewalls, told_forwarding

if TYPE_CHECKING:
    from ringfence.beside import Others
    from ringfence.estate import Estate
    from ringfence.model.assets import Asset
    from ringfence.model.intervals import IntervalSet

# Hosts whose reports are read for one answer; those that are asked to judge come first.
MOST = 50
# How a host says it: `between 10.0.1.0/24 (eth0), fd00:2::/64 (eth1)`.
_NETWORK = re.compile(r"(?:between |, | and )([0-9a-f.:]+/[0-9]+) \(")


def ways_of(estate: Estate) -> tuple[list[Way], dict[str, Others]]:
    """Return the hosts that may forward, as far as they told of other firewalls, and these."""
    assets = estate.snapshot.assets
    asked = {one.asset.name: one for one in forwarding_hosts(assets, estate.workspace.settings)}
    several = [asset.name for asset in assets if asset.workload and asset.name not in asked and _several(asset)]
    told = hosts_that_told(estate, (*asked, *several))
    names = [name for name in (*asked, *several) if name in told][:MOST]
    ways = [Way(name, asked.get(name), _networks(told_forwarding(estate, name))) for name in names]
    found = [way for way in ways if way.asked or len(way.networks) > 1]
    return found, other_firewalls(estate, [way.host for way in found])


def _several(asset: Asset) -> bool:
    """Return whether a host has several addresses of one family, as what forwards between networks has."""
    families = [family_of(point) for point in asset.addresses]
    return len(families) > len(set(families))


def _networks(lines: Iterable[str]) -> tuple[IntervalSet, ...]:
    found = []
    for line in lines:
        for text in _NETWORK.findall(line) if line.startswith("forwarded, ") else ():
            try:
                found.append(network_of(text))
            except InputError:
                continue
    return tuple(found)
