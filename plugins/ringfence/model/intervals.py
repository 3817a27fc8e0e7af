"""Sets of integers as sorted, disjoint, closed intervals: the algebra under addresses, ports and protocols."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class IntervalSet:
    """A set of integers; `intervals` are closed, sorted, disjoint and never adjacent, so equal sets compare equal."""

    intervals: tuple[Interval, ...] = ()

    @staticmethod
    def of(intervals: Iterable[Interval]) -> IntervalSet:
        """Return the union of closed intervals given in any order."""
        fused: list[Interval] = []
        for low, high in sorted(intervals):
            if low > high:
                raise ValueError(f"empty interval {low}-{high}")
            if fused and low <= fused[-1][1] + 1:
                if high > fused[-1][1]:
                    fused[-1] = (fused[-1][0], high)
            else:
                fused.append((low, high))
        return IntervalSet(tuple(fused))

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __iter__(self) -> Iterator[Interval]:
        return iter(self.intervals)

    def __len__(self) -> int:
        """Return the number of intervals (not of members)."""
        return len(self.intervals)

    def __contains__(self, member: int) -> bool:
        index = bisect_right(self.intervals, member, key=lambda interval: interval[0]) - 1
        return index >= 0 and member <= self.intervals[index][1]

    def __or__(self, other: IntervalSet) -> IntervalSet:
        if not other.intervals:
            return self
        if not self.intervals:
            return other
        return IntervalSet.of((*self.intervals, *other.intervals))

    def __and__(self, other: IntervalSet) -> IntervalSet:
        common: list[Interval] = []
        left, right = self.intervals, other.intervals
        i = j = 0
        while i < len(left) and j < len(right):
            low = max(left[i][0], right[j][0])
            high = min(left[i][1], right[j][1])
            if low <= high:
                common.append((low, high))
            if left[i][1] < right[j][1]:
                i += 1
            else:
                j += 1
        return IntervalSet(tuple(common))

    def __sub__(self, other: IntervalSet) -> IntervalSet:
        if not other.intervals or not self.intervals:
            return self
        rest: list[Interval] = []
        removed = other.intervals
        j = 0
        for low, high in self.intervals:
            while j < len(removed) and removed[j][1] < low:
                j += 1
            k, start = j, low
            while k < len(removed) and removed[k][0] <= high:
                if removed[k][0] > start:
                    rest.append((start, removed[k][0] - 1))
                start = removed[k][1] + 1
                k += 1
            if start <= high:
                rest.append((start, high))
        return IntervalSet(tuple(rest))

    def issuperset(self, other: IntervalSet) -> bool:
        """Return whether every member of `other` is a member of this set."""
        return not other - self

    def meets(self, other: IntervalSet) -> bool:
        """Return whether the sets have a member in common; fast where this one has few intervals."""
        for low, high in self.intervals:
            index = bisect_right(other.intervals, high, key=lambda interval: interval[0]) - 1
            if index >= 0 and other.intervals[index][1] >= low:
                return True
        return False

    def size(self) -> int:
        """Return the number of members."""
        return sum(high - low + 1 for low, high in self.intervals)


EMPTY = IntervalSet()


def union(sets: Iterable[IntervalSet]) -> IntervalSet:
    """Return the union of many sets in one pass."""
    return IntervalSet.of(interval for one in sets for interval in one.intervals)
