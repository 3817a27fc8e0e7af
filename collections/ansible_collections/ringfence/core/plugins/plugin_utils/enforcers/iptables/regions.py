"""Sorted, disjoint, closed intervals: what two lists have in common, and what one leaves of another."""

from __future__ import annotations

Interval = tuple[int, int]


def intersected(ours: list[Interval], theirs: list[Interval]) -> list[Interval]:
    """Return the points that are in both."""
    common: list[Interval] = []
    i = j = 0
    while i < len(ours) and j < len(theirs):
        low, high = max(ours[i][0], theirs[j][0]), min(ours[i][1], theirs[j][1])
        if low <= high:
            common.append((low, high))
        if ours[i][1] < theirs[j][1]:
            i += 1
        else:
            j += 1
    return common


def without(ours: list[Interval], theirs: list[Interval]) -> list[Interval]:
    """Return the points of the first that are not in the second."""
    if not theirs:
        return ours
    left: list[Interval] = []
    j = 0
    for low, high in ours:
        start = low
        while j < len(theirs) and theirs[j][1] < low:
            j += 1
        k = j
        while k < len(theirs) and theirs[k][0] <= high:
            if theirs[k][0] > start:
                left.append((start, theirs[k][0] - 1))
            start = theirs[k][1] + 1
            k += 1
        if start <= high:
            left.append((start, high))
    return left
