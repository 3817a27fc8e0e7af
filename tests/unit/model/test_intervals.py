"""Interval sets behave as sets of integers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from ringfence.model.intervals import IntervalSet, union

SPACE = 40
interval = st.tuples(st.integers(0, SPACE), st.integers(0, SPACE)).map(lambda pair: (min(pair), max(pair)))
interval_sets = st.lists(interval, max_size=6).map(IntervalSet.of)


def members(one: IntervalSet) -> set[int]:
    return {number for number in range(-1, SPACE + 2) if number in one}


@given(interval_sets, interval_sets)
def test_operators_agree_with_sets(a: IntervalSet, b: IntervalSet) -> None:
    assert members(a | b) == members(a) | members(b)
    assert members(a & b) == members(a) & members(b)
    assert members(a - b) == members(a) - members(b)
    assert a.issuperset(b) == (members(a) >= members(b))
    assert a.meets(b) == bool(members(a) & members(b))
    assert a.size() == len(members(a))


@given(interval_sets, interval_sets)
def test_equal_members_make_equal_sets(a: IntervalSet, b: IntervalSet) -> None:
    assert (a == b) == (members(a) == members(b))
    for made in (a | b, a & b, a - b, union([a, b])):
        assert made == IntervalSet.of((number, number) for number in members(made))
