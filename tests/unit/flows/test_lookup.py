"""The fast lookup of verdict tables says what the tables say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.analysis.lookup import TableLookup, cut
from ringfence.model.addresses import EVERY_ADDRESS, V6_BASE
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Direction, Mode
from ringfence.model.tables import Cell, DirectionTable, ProcessClass, VerdictTable

from tests.examples import examples
from tests.unit.flows import flow_factory as factory

NEAR = st.sampled_from(
    [point + step for point in factory.POINTS for step in (-1, 0, 1)] + [0, 2**32 - 1, V6_BASE, V6_BASE + 2**128 - 1]
)
SERVICE_POINTS = st.sampled_from([0, 6 * 65536, 6 * 65536 + 79, 6 * 65536 + 80, 6 * 65536 + 443, factory.LAST_POINT])


@settings(deadline=None, max_examples=examples(60))
@given(factory.verdict_tables(), st.lists(st.tuples(NEAR, NEAR, factory.processes, SERVICE_POINTS), max_size=25))
def test_it_answers_as_the_table_itself_does(
    table: VerdictTable, questions: list[tuple[int, int, ProcessClass, int]]
) -> None:
    lookup = TableLookup(table)
    for local, remote, process, point in questions:
        for direction in Direction:
            expected = table.direction(direction).services_at(local, process, remote).outcome(point)
            assert lookup.outcome(direction, local, remote, process, point) == expected


def test_local_sets_that_overlap_are_told_apart_by_their_remotes() -> None:
    one, two = factory.service_map((1, 1, "one")), factory.service_map((2, 2, "two"))
    both, left, right = (IntervalSet((interval,)) for interval in ((1, 9), (1, 4), (5, 9)))
    low, high = IntervalSet(((0, 99),)), EVERY_ADDRESS - IntervalSet(((0, 99),))
    cells = tuple(
        Cell(local, ProcessClass(), remote, services)
        for local, remote, services in ((both, low, one), (left, high, two), (right, high, one))
    )
    lookup = TableLookup(factory.table(DirectionTable(Mode.FULL, cells)))
    assert lookup.outcome(Direction.IN, 4, 100, ProcessClass(), 2).rule == "two"
    assert lookup.outcome(Direction.IN, 5, 100, ProcessClass(), 2).rule == "default"
    assert lookup.outcome(Direction.IN, 5, 7, ProcessClass(), 1).rule == "one"


def test_a_hole_in_a_table_is_an_error_and_no_verdict() -> None:
    cell = Cell(EVERY_ADDRESS, ProcessClass(), IntervalSet(((5, 9),)), factory.ALLOW_ALL)
    lookup = TableLookup(factory.table(DirectionTable(Mode.FULL, (cell,))))
    for remote in (4, 10):
        with pytest.raises(LookupError, match="incomplete"):
            lookup.outcome(Direction.IN, 1, remote, ProcessClass(), 0)


def test_sets_cut_the_line_into_pieces_that_know_who_holds_them() -> None:
    pieces = cut([IntervalSet(((1, 9),)), IntervalSet(((5, 12), (20, 20)))])
    assert pieces == [((1, 4), (0,)), ((5, 9), (0, 1)), ((10, 12), (1,)), ((20, 20), (1,))]
