"""The texts of an address set's ranges, in pieces that equal stretches of many sets share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain

# Separators that a piece keeps its joined text for: canonical data, and a ruleset or two.
KEPT_JOINS = 4


class TextPiece:
    """Some neighbouring ranges as texts; joined once for each separator that comes again."""

    __slots__ = ("_joined", "texts")

    def __init__(self, texts: tuple[str, ...]) -> None:
        self.texts = texts
        self._joined: dict[str, str] = {}

    def joined(self, separator: str) -> str:
        """Return the texts with the separator between them."""
        known = self._joined.get(separator)
        if known is None:
            if len(self._joined) >= KEPT_JOINS:
                self._joined.clear()
            known = self._joined[separator] = separator.join(self.texts)
        return known


class RangeTexts:
    """The texts of all ranges of a set, in order; equal sets of addresses are equal, however they are cut."""

    def __init__(self, v4: Sequence[TextPiece], v6: Sequence[TextPiece]) -> None:
        self._pieces = {4: v4, 6: v6}
        self._counts = {family: sum(len(one.texts) for one in pieces) for family, pieces in self._pieces.items()}

    def count(self, family: int) -> int:
        """Return the number of ranges of a family."""
        return self._counts[family]

    def joined(self, separator: str, families: Sequence[int] = (4, 6)) -> str:
        """Return the texts of all ranges of some families with a separator between them."""
        return separator.join([one.joined(separator) for family in families for one in self._pieces[family]])

    def texts(self) -> Iterable[str]:
        """Return the texts of all ranges, IPv4 first."""
        return chain.from_iterable(one.texts for pieces in self._pieces.values() for one in pieces)

    @cached_property
    def _hash(self) -> int:
        ends = [(pieces[0].texts[0], pieces[-1].texts[-1]) for pieces in self._pieces.values() if pieces]
        return hash((*self._counts.values(), *ends))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, RangeTexts) or self._counts != other._counts:
            return False
        return self._pieces == other._pieces or all(a == b for a, b in zip(self.texts(), other.texts(), strict=True))


def pieces_of(texts: Iterable[str]) -> tuple[TextPiece, ...]:
    """Return texts as one piece, or none where there are none."""
    found = tuple(texts)
    return (TextPiece(found),) if found else ()
