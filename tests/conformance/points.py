"""Where to look: the addresses, services and processes at which a case's verdicts can change, and packets of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from ringfence.model.addresses import ALL_V4, ALL_V6, addresses_of, family_of, point_of
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Direction
from ringfence.model.selectors import AddressIn, AllOf, AnyOf, Not, Selector
from ringfence.model.services import BLOCK

from .case import Case
from .reference import Side
from .strategies import UNITS, USERS

# What the built-ins ask for: their services, and the ports and hop limits that they are sent with.
BUILT_IN = (
    *((17, port) for port in (67, 68, 546, 547)),
    *((58, kind) for kind in (129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 143)),
    (2, 0),
)
CLIENT_PORTS = (None, 67, 68, 546, 547)
HOPS = (None, 1, 255)
EXTREMES = (
    *(ALL_V4.intervals[0][0], ALL_V4.intervals[0][1], ALL_V6.intervals[0][0], ALL_V6.intervals[0][1]),
    *(
        point_of(text)
        for text in ("127.0.0.1", "::1", "fe80::1", "ff02::1", "ff02::1:2", "224.0.0.1", "192.0.2.1", "8.8.8.8")
    ),
)

# Addresses that nobody holds, and in no range but such as hold half of all addresses.
NOWHERE = ("8.8.8.8", "2600::1")
GROUPS = addresses_of(["224.0.0.0/4", "ff00::/8", "255.255.255.255"])


def ranges_of(selector: Selector) -> Iterator[IntervalSet]:
    """Yield every address set that a selector names."""
    match selector:
        case AddressIn(addresses):
            yield addresses
        case Not(part):
            yield from ranges_of(part)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from ranges_of(part)
        case _:
            return


def around(numbers: set[int]) -> set[int]:
    """Return numbers with their neighbours."""
    return {number + step for number in numbers for step in (-1, 0, 1)}


def addresses(case: Case) -> list[int]:
    """Return the addresses of assets, the ends of all ranges, the extremes, and what is next to each."""
    found = {address for asset in case.snapshot.assets for address in asset.addresses} | set(EXTREMES)
    found = found.union(*case.answers.values())
    for rule in case.policy.rules:
        for peer in (*rule.sources, *rule.destinations):
            found |= {end for one in ranges_of(peer.selector) for interval in one for end in interval}
    return sorted(one for one in around(found) if one in ALL_V4 or one in ALL_V6)


def services(case: Case) -> list[tuple[int, int]]:
    """Return protocols and ports at the ends of all service ranges, what is next to each, and some untouched ones."""
    points = {0, 256 * BLOCK - 1, 6 * BLOCK + 4444, 17 * BLOCK + 4444, 1 * BLOCK + 8, 58 * BLOCK + 128, 50 * BLOCK}
    for rule in case.policy.rules:
        points |= {end for one in (rule.services.v4, rule.services.v6) for interval in one for end in interval}
    return [divmod(point, BLOCK) for point in sorted(around(points)) if 0 <= point < 256 * BLOCK]


def sides(case: Case, number: int, seed: int) -> Iterator[Side]:
    """Yield `number` packets as the workloads of a case see them, drawn from its points; equal seeds, equal packets."""
    chance = random.Random(seed)
    places, points = addresses(case), services(case)
    families = {family: [one for one in places if family_of(one) == family] for family in (4, 6)}
    held = [address for asset in case.snapshot.assets for address in asset.addresses]
    workloads = [asset for asset in case.snapshot.assets if asset.workload]
    for _ in range(number):
        workload, direction = chance.choice(workloads), chance.choice(tuple(Direction))
        elsewhere = [one for one in places if can_be_local(case, direction, one)]
        local = chance.choice(elsewhere if elsewhere and chance.random() < 0.2 else workload.addresses)
        near = [one for one in held if family_of(one) == family_of(local)]
        answers = [
            one for found in case.answers.values() for one in sorted(found) if family_of(one) == family_of(local)
        ]
        remote = chance.choice(near if near and chance.random() < 0.5 else families[family_of(local)])
        if answers and chance.random() < 0.3:
            remote = chance.choice(answers)
        protocol, port = chance.choice(points if chance.random() < 0.9 else BUILT_IN)
        unit, user = chance.choice((None, "z.service", *UNITS)), chance.choice((None, "backup", *USERS))
        sent = chance.choice(CLIENT_PORTS), chance.choice(HOPS)
        yield Side(workload, direction, local, remote, protocol, port, unit, user, case.names_of(remote), *sent)


def can_be_local(case: Case, direction: Direction, address: int) -> bool:
    """Return whether a table promises a verdict at a local address that the snapshot does not give to the workload.

    It does for what is sent to a group, and where no rule tells local addresses apart: a rule that chooses by address
    is put into the tables of those workloads alone that are known to hold such an address.
    """
    if direction is Direction.IN and address in GROUPS:
        return True
    locals_ = [peer for rule in case.policy.rules for peer in rule.local(direction)]
    return not any(list(ranges_of(peer.selector)) for peer in locals_)
