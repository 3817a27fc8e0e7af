"""Where cells stand, and what a key scrolls to."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.model.picture import Sign
from ringfence_tui.widgets.matrix_content import Axis, MatrixCell, MatrixContent, MatrixLayout

axes = st.builds(
    lambda count, breaks, size: Axis(count, tuple(sorted(one for one in breaks if one < count)), size),
    st.integers(1, 300),
    st.sets(st.integers(1, 300), max_size=20),
    st.sampled_from((1, 3)),
)


def test_a_line_between_blocks_takes_a_line_and_a_column():
    layout = MatrixLayout.of(MatrixContent(tuple((str(number),) for number in range(5)), frozenset({2, 4})))
    assert [layout.rows.place_of(row) for row in range(5)] == [0, 1, 3, 4, 6]
    assert [layout.rows.at(line) for line in range(-1, 8)] == [None, 0, 1, None, 2, 3, None, 4, None]
    assert [layout.columns.at(offset) for offset in (0, 2, 3, 5, 6, 7, 9)] == [0, 0, 1, 1, None, 2, 2]
    assert (layout.rows.length, layout.columns.length, layout.header) == (7, 17, 1)


def test_from_a_hundred_groups_on_the_numbers_have_two_lines():
    assert MatrixLayout.of(MatrixContent((("a",),) * 100)).header == 2


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(axes)
def test_every_position_is_at_its_place(axis):
    for position in range(axis.count):
        assert axis.at(axis.place_of(position)) == position
        assert axis.at(axis.place_of(position) + axis.size - 1) == position
    assert axis.at(axis.length) is None


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(axes, st.data())
def test_what_is_wanted_is_seen_and_no_place_stays_empty(axis, data):
    space = data.draw(st.integers(axis.size, 200))
    first = data.draw(st.integers(0, axis.last_first(space)))
    wanted = data.draw(st.integers(0, axis.count - 1))
    shown = axis.first_showing(wanted, first, space)
    assert shown <= wanted < shown + axis.fitting(shown, space)
    assert 0 <= shown <= axis.last_first(space)
    if first <= wanted < first + axis.fitting(first, space):
        assert shown == first, "what is seen does not scroll"


def test_sizes_of_terminals_have_room_for_so_many_groups():
    every = Axis(400, (), 3)
    assert [every.fitting(0, width) for width in (60, 93, 120)] == [20, 31, 40]


def test_a_cell_has_three_columns():
    assert MatrixCell(Sign.DENIED, 2, changed=True).text == "x2*"
    assert MatrixCell(Sign.NOTHING).text == "·  "
