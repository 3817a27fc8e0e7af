"""Hosts that forward, in a quarantine: what stops passing them, and who is cut off by them alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ringfence.analysis.forwarding_hosts import alone, forwarding_hosts
from ringfence.operations.other_firewalls import told_forwarding

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.emergency_ends import Known

Forwarders = Mapping[str, tuple[str, ...]]


def stopped_by(estate: Estate, now: Known, isolated: Collection[str]) -> Forwarders:
    """Return those of some isolated hosts that forward, each with for whom or between what, as far as that is known."""
    found: dict[str, tuple[str, ...]] = {}
    for host in forwarding_hosts(now.snapshot.assets, now.settings):
        if host.asset.name in isolated:
            found[host.asset.name] = tuple(one.name for one in now.snapshot.assets if host.judged(one))
    for name in sorted(isolated):
        told = [line for line in told_forwarding(estate, name) if not line.startswith("/proc/")]
        if told and not found.get(name):
            found[name] = tuple(line.partition(": between ")[2] or line for line in told)
    return found


def cut_on_the_way(now: Known, isolated: Collection[str]) -> Forwarders:
    """Return the isolated on which nothing is installed, each with the hosts that forward for it."""
    hosts = forwarding_hosts(now.snapshot.assets, now.settings)
    chosen = [asset for asset in now.snapshot.assets if asset.name in isolated and alone(asset)]
    found = {asset.name: tuple(one.asset.name for one in hosts if one.judged(asset)) for asset in chosen}
    return {name: by for name, by in found.items() if by}
