"""Regions: address space cut by every address set that a policy names.

Inside one region no rule can tell two addresses apart by address alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from ringfence.model.addresses import ALL_V4, ALL_V6, family_of
from ringfence.model.intervals import IntervalSet


class Regions:
    """The cut of address space by some address sets, which are known by the number of their place in the input.

    `starts[i]` is the first point of the i-th elementary interval, `of_interval[i]` the region it belongs to;
    `members[r]` is the set (as bits) of the numbers of the address sets that contain region r, `families[r]` 4 or 6.
    """

    def __init__(self, address_sets: Iterable[IntervalSet]) -> None:
        self.numbers: dict[IntervalSet, int] = {}
        for addresses in address_sets:
            self.numbers.setdefault(addresses, len(self.numbers))
        edges: dict[int, int] = {}
        for addresses, number in self.numbers.items():
            for low, high in addresses:
                edges[low] = edges.get(low, 0) ^ (1 << number)
                edges[high + 1] = edges.get(high + 1, 0) ^ (1 << number)
        for whole in (ALL_V4, ALL_V6):
            edges.setdefault(whole.intervals[0][0], 0)
        self.starts: list[int] = []
        self.of_interval: list[int] = []
        self.members: list[int] = []
        self.families: list[int] = []
        self._cut(edges)
        self.containing: list[list[int]] = [
            [region for region, members in enumerate(self.members) if members >> number & 1]
            for number in self.numbers.values()
        ]

    def _cut(self, edges: dict[int, int]) -> None:
        known: dict[tuple[int, int], int] = {}
        inside = 0
        for start in sorted(edges):
            inside ^= edges[start]
            if start == ALL_V4.intervals[0][1] + 1 or start > ALL_V6.intervals[0][1]:
                continue
            family = family_of(start)
            region = known.setdefault((inside, family), len(known))
            if region == len(self.members):
                self.members.append(inside)
                self.families.append(family)
            if self.of_interval and self.of_interval[-1] == region:
                continue
            self.starts.append(start)
            self.of_interval.append(region)

    def at(self, point: int) -> int:
        """Return the region of a point."""
        return self.of_interval[bisect_right(self.starts, point) - 1]

    def within(self, addresses: IntervalSet) -> list[int]:
        """Return the regions inside one of the address sets that were given."""
        return self.containing[self.numbers[addresses]]
