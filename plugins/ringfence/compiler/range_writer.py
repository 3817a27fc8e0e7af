"""Sets of atoms as the texts of their fused ranges; a set that is nearly another one shares its pieces."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pyroaring import BitMap

from ringfence.model.addresses import V6_BASE, address_text
from ringfence.model.range_texts import RangeTexts, TextPiece

# Ranges in a piece.
PIECE = 64
# A set is told by its difference from a known one where that is at most this share of its classes and touches at most
# this share of the known one's pieces.
MOST_CLASSES = 1 / 16
MOST_TOUCHED = 0.5
# How many sets of at least so many pieces are known to tell others by, and how many texts are kept made.
KEPT_BASES = 12
PIECES_OF_BASE = 4
KEPT_SETS = 64


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of a set of atoms; `starts` are the atoms that their first ranges begin with."""

    atoms: BitMap
    starts: tuple[int, ...]
    pieces: tuple[TextPiece, ...]


class RangeWriter:
    """Writes sets of atoms; `starts` and `ends` are the addresses that every atom begins and ends with.

    Atoms before `first_v6` are IPv4; its predecessor belongs to no set.
    """

    def __init__(self, starts: Sequence[int], ends: Sequence[int]) -> None:
        self._starts = starts
        self._ends = ends
        self._first_v6 = bisect_left(starts, V6_BASE)
        self._texts: tuple[list[str], list[str], list[str]] | None = None
        self._bases: OrderedDict[bytes, tuple[BitMap, Pieces]] = OrderedDict()
        self._recent: OrderedDict[bytes, RangeTexts] = OrderedDict()

    def moved(self, atom: int, left: int, entered: int) -> RangeWriter:
        """Return a writer of the same atoms of which one went from a class to another; this one stays as it is.

        It knows the sets that this one knows: those with one of the two classes have an atom more or less.
        """
        other = RangeWriter(self._starts, self._ends)
        other._texts = self._atom_texts()
        for key, (classes, written) in self._bases.items():
            same = (left in classes) == (entered in classes)
            if patched := written if same else self._patched(written, BitMap([atom])):
                other._bases[key] = classes, patched
        return other

    def texts(self, key: bytes, classes: BitMap, atoms_of: Callable[[BitMap], BitMap]) -> RangeTexts:
        """Return the texts of a set of classes (`key`: its serialized form); `atoms_of` gives the atoms of classes."""
        known = self._recent.get(key)
        if known is not None:
            self._recent.move_to_end(key)
            return known
        made = self._recent[key] = self._families(self._written(key, classes, atoms_of))
        if len(self._recent) > KEPT_SETS:
            self._recent.popitem(last=False)
        return made

    def _written(self, key: bytes, classes: BitMap, atoms_of: Callable[[BitMap], BitMap]) -> Pieces:
        if len(self._bases) and len(classes) > PIECE:
            near, (base, written) = min(
                self._bases.items(), key=lambda item: item[1][0].symmetric_difference_cardinality(classes)
            )
            if base.symmetric_difference_cardinality(classes) <= MOST_CLASSES * len(classes):
                if not classes.issubset(base):
                    # Most sets are a broad one without some classes: the union of two of them is nearer to all others.
                    del self._bases[near]
                    base = base | classes
                    near = base.serialize()
                    written = self._cut(atoms_of(base))
                    self._bases[near] = (base, written)
                patched = self._patched(written, atoms_of(base - classes))
                if patched is not None:
                    self._bases.move_to_end(near)
                    return patched
        written = self._cut(atoms_of(classes))
        if len(written.pieces) >= PIECES_OF_BASE:
            self._bases[key] = (classes, written)
            if len(self._bases) > KEPT_BASES:
                self._bases.popitem(last=False)
        return written

    def _patched(self, base: Pieces, difference: BitMap) -> Pieces | None:
        """Return the pieces of a set that differs from another in some atoms: only pieces that these touch are new.

        A piece begins with a range of its own, so an atom touches the pieces where it and its neighbours stand. None
        where too many are touched for this to pay.
        """
        touched: set[int] = set()
        limit = MOST_TOUCHED * len(base.pieces)
        for low, high in zip(*_runs(difference), strict=True):
            begin, end = (max(bisect_right(base.starts, near) - 1, 0) for near in (low - 1, high + 1))
            touched.update(range(begin, end + 1))
            if len(touched) > limit:
                return None
        atoms = base.atoms ^ difference
        starts: list[int] = []
        pieces: list[TextPiece] = []
        done = 0
        ordered = sorted(touched)
        position = 0
        while position < len(ordered):
            first = last = ordered[position]
            while position + 1 < len(ordered) and ordered[position + 1] == last + 1:
                position += 1
                last += 1
            position += 1
            starts += base.starts[done:first]
            pieces += base.pieces[done:first]
            low = base.starts[first] if first else 0
            high = base.starts[last + 1] if last + 1 < len(base.starts) else len(self._starts)
            new = self._cut(atoms & BitMap(range(low, high)))
            starts += new.starts
            pieces += new.pieces
            done = last + 1
        starts += base.starts[done:]
        pieces += base.pieces[done:]
        return Pieces(atoms, tuple(starts), tuple(pieces))

    def _cut(self, atoms: BitMap) -> Pieces:
        """Return a set in pieces of neighbouring ranges, never of both families."""
        first, last = _runs(atoms)
        split = bisect_right(first, self._first_v6 - 1)
        bounds = [*range(0, split, PIECE), *range(split, len(first), PIECE), len(first)]
        single, begin, end = self._atom_texts()
        texts = [
            single[low] if low == high else f"{begin[low]}-{end[high]}" for low, high in zip(first, last, strict=True)
        ]
        pieces = tuple(TextPiece(tuple(texts[a:b])) for a, b in pairwise(bounds) if a < b)
        return Pieces(atoms, tuple(first[a] for a in bounds[:-1]), pieces)

    def _atom_texts(self) -> tuple[list[str], list[str], list[str]]:
        """Return the text of every atom as a range, of its first and of its last address."""
        if self._texts is None:
            begin = list(map(address_text, self._starts))
            end = [
                text if high == low else address_text(high)
                for text, low, high in zip(begin, self._starts, self._ends, strict=True)
            ]
            single = [low if low is high else f"{low}-{high}" for low, high in zip(begin, end, strict=True)]
            self._texts = single, begin, end
        return self._texts

    def _families(self, written: Pieces) -> RangeTexts:
        split = bisect_right(written.starts, self._first_v6 - 1)
        return RangeTexts(written.pieces[:split], written.pieces[split:])


def _runs(atoms: BitMap) -> tuple[array[int], array[int]]:
    """Return the first and the last atom of every run of neighbours."""
    return (atoms - atoms.shift(1)).to_array(), (atoms - atoms.shift(-1)).to_array()
