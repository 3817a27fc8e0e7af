"""Addresses near at hand that no asset holds: what a rule says of them in `to`, no host's table can know."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.analysis.peer_resolution import Ends, points_of
from ringfence.compiler.terms import GROUPS
from ringfence.model.addresses import V6_BASE, addresses_of, range_texts
from ringfence.model.assets import Asset
from ringfence.model.intervals import IntervalSet, union
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
        self.held = union(points_of(asset) for asset in assets)
        private = ends.settings.private_addresses()
        self.near = (private | union(_neighbours(asset) for asset in assets)) - NOBODYS

    def __contains__(self, point: int) -> bool:
        return point in self.near and point not in self.held

    def destinations(self, rule: Rule) -> list[str]:
        """Return what a rule names in `to` by address, near at hand, of which no asset holds any: texts, in order."""
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


def _neighbours(asset: Asset) -> IntervalSet:
    """Return the networks that an asset most likely shares with others: /24 of IPv4, /64 of IPv6."""
    sizes = ((point, 64 if point >= V6_BASE else 8) for point in asset.addresses)
    return IntervalSet.of((point >> bits << bits, (point >> bits << bits) + (1 << bits) - 1) for point, bits in sizes)
