"""Rules that name single addresses of no asset: what they open, and whom they let pass.

The groups of such ends stand for all addresses that were seen of them; a rule that names few of them opens these alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from ringfence.suggest.cover import Choice, Reach, bits
from ringfence.suggest.rules import Offered


def masks(reach: Reach, one: Offered) -> tuple[int, int]:
    """Return the groups of both sides of a rule, as bits."""
    client, server = (_mask(reach, choices) for choices in (one.sources, one.destinations))
    return client, server


def opened(reach: Reach, one: Offered) -> int:
    """Return how many pairs of hosts and services a rule opens; a host with itself is none of them."""
    sides = [_parts(reach, *side) for side in zip((one.sources, one.destinations), one.addresses, strict=True)]
    return sum(
        reach.opened(clients, servers, service) * named * others // (of_clients * of_servers)
        for service in one.services
        for clients, named, of_clients in sides[0]
        for servers, others, of_servers in sides[1]
    )


def passes(reach: Reach, one: Offered, groups: tuple[int, int], addresses: tuple[str, str]) -> bool:
    """Return whether a rule is for two ends, by their groups and, where their groups have no assets, addresses."""
    return all(
        mask >> group & 1 and (not named or bool(reach.groups.every[group].members) or address in named)
        for mask, group, named, address in zip(masks(reach, one), groups, one.addresses, addresses, strict=True)
    )


def _mask(reach: Reach, choices: Sequence[Choice]) -> int:
    found = 0
    for choice in choices:
        found |= reach.mask(choice)
    return found


def _parts(reach: Reach, choices: Sequence[Choice], named: Sequence[str]) -> list[tuple[int, int, int]]:
    """Return one side of a rule in parts: groups as bits, how many of their ends the rule means, and of how many."""
    mask = _mask(reach, choices)
    if not named:
        return [(mask, 1, 1)]
    every = reach.groups.every
    few = {number: len(every[number].addresses.intersection(named)) for number in bits(mask) if every[number].addresses}
    parts = [(1 << number, count, every[number].size) for number, count in few.items() if count]
    rest = mask & ~sum(1 << number for number in few)
    return [(rest, 1, 1), *parts] if rest else parts
