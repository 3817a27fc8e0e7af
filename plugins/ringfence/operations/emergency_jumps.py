"""Which of the isolated are jump hosts: their way must not be cut before the hosts behind them are told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ringfence.model.assets import Asset
from ringfence.model.errors import RingfenceError
from ringfence.plan.jump_hosts import Named, jump_hosts

if TYPE_CHECKING:
    from ringfence.estate import Estate


def reached_over(
    assets: Sequence[Asset], isolated: Collection[str], kept: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Return, by the isolated jump hosts, the hosts that Ansible reaches over them and that are not kept."""
    behind: dict[str, list[str]] = {}
    named = Named(assets) if isolated else None
    for asset in assets if named else ():
        for hop in jump_hosts(asset.attributes):
            name = named.called(hop.host) if named else None
            if name in isolated and asset.name != name and asset.name not in kept:
                behind.setdefault(str(name), []).append(asset.name)
    return {name: tuple(sorted(set(hosts))) for name, hosts in sorted(behind.items())}


def jumps_of(estate: Estate, isolated: Collection[str]) -> frozenset[str]:
    """Return the isolated that are jump hosts of others; none where the inventory cannot be read."""
    try:
        return frozenset(reached_over(estate.snapshot.assets, isolated, ()))
    except RingfenceError:
        return frozenset()
