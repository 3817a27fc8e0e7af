"""Own addresses that no asset has: whether a rule's `to` applies to them, no table can know."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.analysis.peer_resolution import Ends, held_by
from ringfence.compiler.terms import GROUPS
from ringfence.model.addresses import V6_BASE, addresses_of, range_texts
from ringfence.model.intervals import Interval, IntervalSet
from ringfence.model.rules import Rule
from ringfence.model.selectors import AddressIn, AnyOf

# A larger network is a site of others, of which nobody lists every address.
MOST_ADDRESSES = 256
# RFC 3927 and RFC 4291 (link-local, cloud metadata among them), loopback, and what no single host holds.
NOBODYS = addresses_of(["169.254.0.0/16", "fe80::/10", "127.0.0.0/8", "::1"]) | GROUPS


class Unheld:
    """Answers which addresses are of the estate's own networks and held by no asset."""

    def __init__(self, ends: Ends) -> None:
        assets = ends.snapshot.assets
        self.held = held_by(assets)
        self.near = (ends.settings.private_addresses() | _neighbours(self.held)) - NOBODYS

    def __contains__(self, point: int) -> bool:
        return point in self.near and point not in self.held

    def destinations(self, rule: Rule) -> list[str]:
        """Return the addresses in a rule's `to` that are in own networks and that no asset has, as texts in order."""
        found = (part for part in _named(rule) if part.size() <= MOST_ADDRESSES and self._is_nobodys(part))
        return list(dict.fromkeys(text for part in found for text in range_texts(part)))

    def _is_nobodys(self, part: IntervalSet) -> bool:
        return self.near.issuperset(part) and not part & self.held


def _named(rule: Rule) -> Iterator[IntervalSet]:
    """Yield the networks, ranges and addresses that a rule names in `to` with nothing and-ed to them."""
    waiting = [peer.selector for peer in rule.destinations]
    while waiting:
        match waiting.pop(0):
            case AnyOf(parts):
                waiting += parts
            case AddressIn(addresses) as leaf:
                yield from leaf.members or (IntervalSet((interval,)) for interval in addresses)


def _neighbours(held: IntervalSet) -> IntervalSet:
    """Return the networks that holders of addresses most likely share with others: /24 of IPv4, /64 of IPv6."""
    networks: set[Interval] = set()
    for low, high in held:
        bits = 64 if low >= V6_BASE else 8
        networks.update((number << bits, (number + 1 << bits) - 1) for number in range(low >> bits, (high >> bits) + 1))
    return IntervalSet.of(networks)
