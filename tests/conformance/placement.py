"""Which host plays which asset of a case, and which address is whose while it is played."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ringfence.model.addresses import address_text, addresses_of, point_of
from ringfence.model.rules import Direction
from ringfence.model.tables import VerdictTable

from .case import Case
from .hosts import Host
from .points import addresses, can_be_local

# What an interface can hold and the lab does not use itself.
USABLE = addresses_of(["1.0.0.0-126.255.255.255", "128.0.0.0-223.255.255.255", "2000::/3", "fc00::/7"]) - addresses_of(
    ["10.203.0.0/16", "fd52:6600:0:1::/64"]
)
STRANGERS = 12  # addresses of no asset that one case has at most


@dataclass(frozen=True)
class End:
    """An address on a host, and the asset that the host plays there, if any."""

    host: Host
    asset: str | None
    address: int


@dataclass(frozen=True)
class Placement:
    """All ends of a case, and the tables of the hosts that enforce one."""

    ends: tuple[End, ...]
    tables: Mapping[Host, VerdictTable]

    def addresses_of(self, host: Host) -> list[str]:
        """Return the addresses that a host holds while this case is played."""
        return [address_text(end.address) for end in self.ends if end.host is host]


def place(case: Case, tables: Mapping[str, VerdictTable], hosts: Sequence[Host]) -> Placement:
    """Return a placement, the first host standing for all that is not a workload.

    There are as many hosts as any case needs, also of those that match units. Hosts that cannot match units are used
    first, for workloads that need none. A shared address is put on one holder.
    """
    chance = random.Random(0)
    world, *rest = hosts
    free = sorted(rest, key=lambda host: host.matches_units)
    played: dict[str, Host] = {}
    for name in sorted(tables, key=lambda name: _needs_units(tables[name])):
        played[name] = next(host for host in free if host.matches_units or not _needs_units(tables[name]))
        free.remove(played[name])
    owners: dict[int, str | None] = {}
    for asset in chance.sample(case.snapshot.assets, len(case.snapshot.assets)):
        for address in asset.addresses:
            owners.setdefault(address, asset.name)
    ends = [End(played.get(name or "", world), name, address) for address, name in owners.items()]
    strangers = [one for one in addresses(case) if one in USABLE and one not in owners]
    ends += [End(world, None, one) for one in sorted(chance.sample(strangers, min(STRANGERS, len(strangers))))]
    for number, (name, host) in enumerate(sorted(played.items())):
        undiscovered = point_of(f"192.168.77.{number + 1}")
        if all(can_be_local(case, direction, undiscovered) for direction in Direction):
            ends.append(End(host, name, undiscovered))
    return Placement(tuple(ends), {host: tables[name] for name, host in played.items()})


def _needs_units(table: VerdictTable) -> bool:
    return bool(table.inbound.units or table.outbound.units)
