"""Texts written piece by piece say what the ranges themselves say, whatever sets were written before."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap
from ringfence.compiler import range_writer
from ringfence.compiler.range_writer import RangeWriter
from ringfence.model.addresses import ALL_V4, ALL_V6, V6_BASE, range_texts
from ringfence.model.intervals import IntervalSet
from ringfence.model.range_texts import RangeTexts, TextPiece
from ringfence.model.tables import range_texts_of

# 3,000 IPv4 atoms of one or four addresses, the gap between the families, 200 IPv6 atoms. Two atoms make a class.
V4_STARTS = [point for block in range(1500) for point in (5 * block, 5 * block + 1)]
STARTS = [*V4_STARTS, V6_BASE, *(V6_BASE + number for number in range(200))]
ENDS = [*(start - 1 for start in V4_STARTS[1:]), 7499, V6_BASE, *(V6_BASE + number for number in range(200))]
GAP = len(V4_STARTS)
CLASSES = BitMap(range(1600))


def atoms_of(classes: BitMap) -> BitMap:
    shift = [2 * number if number < GAP // 2 else 2 * number + 1 for number in classes]
    return BitMap([atom for first in shift for atom in (first, first + 1)])


def ranges_of(classes: BitMap) -> IntervalSet:
    points = [(STARTS[atom], ENDS[atom]) for atom in atoms_of(classes)]
    return IntervalSet.of(points)


some = st.lists(st.integers(0, 1599), max_size=60).map(BitMap)
every_other = BitMap(range(0, 1600, 2))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from([CLASSES, every_other, BitMap()]), some), min_size=1, max_size=8))
def test_sets_told_by_their_difference_read_like_sets_written_alone(drawn: list[tuple[BitMap, BitMap]]) -> None:
    writer = RangeWriter(STARTS, ENDS)
    for broad, changed in drawn:
        classes = broad ^ changed
        written = writer.texts(classes.serialize(), classes, atoms_of)
        ranges = ranges_of(classes)
        assert tuple(written.texts()) == range_texts(ranges)
        assert (written.count(4), written.count(6)) == (len(ranges & ALL_V4), len(ranges & ALL_V6))
        assert written == range_texts_of(ranges)
        assert hash(written) == hash(range_texts_of(ranges))


def test_a_set_that_is_nearly_a_known_one_shares_its_pieces() -> None:
    writer = RangeWriter(STARTS, ENDS)
    whole = writer.texts(every_other.serialize(), every_other, atoms_of)
    classes = every_other - BitMap([0])
    less = writer.texts(classes.serialize(), classes, atoms_of)
    shared = {id(piece) for piece in whole._pieces[4]} & {id(piece) for piece in less._pieces[4]}
    assert len(shared) == len(whole._pieces[4]) - 1 == every_other.rank(GAP // 2) // range_writer.PIECE


def test_equal_texts_are_equal_however_they_are_cut() -> None:
    one = RangeTexts((TextPiece(("a", "b")), TextPiece(("c",))), ())
    other = RangeTexts((TextPiece(("a",)), TextPiece(("b", "c"))), ())
    assert one == other
    assert hash(one) == hash(other)
    assert one != RangeTexts((TextPiece(("a", "x", "c")),), ())
    assert one != RangeTexts((), (TextPiece(("a", "b", "c")),))
    assert one.joined(", ") == "a, b, c"
