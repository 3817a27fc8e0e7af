"""What a matrix shows and where it stands: one list as rows and columns, cells of three columns, lines between."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from ringfence.model.picture import Sign

CELL_WIDTH = 3
NUMBERS_UNTIL = 100  # from here on a second row of the header holds the hundreds


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """A sign, the number of digits of its connections (0 for none), whether it differs, whether it has other signs."""

    sign: Sign
    digit: int = 0
    changed: bool = False
    mixed: bool = False

    @property
    def text(self) -> str:
        """Return its three columns."""
        return f"{self.sign.value}{self.digit or ' '}{'*' if self.changed else ' '}"


EMPTY_CELL = MatrixCell(Sign.NOTHING)


@dataclass(frozen=True, slots=True)
class MatrixContent:
    """A matrix whose rows and columns are the same list.

    `names` are the texts of each entry, one a level, foreign and not yet made harmless. `breaks` are the positions that
    a line stands before. `cells` are those that are not empty, by row and column.
    """

    names: tuple[tuple[str, ...], ...] = ()
    breaks: frozenset[int] = frozenset()
    cells: Mapping[tuple[int, int], MatrixCell] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def cell(self, row: int, column: int) -> MatrixCell:
        """Return a cell; one of which nothing is known is empty."""
        return self.cells.get((row, column), EMPTY_CELL)


@dataclass(frozen=True, slots=True)
class Axis:
    """Where the rows or the columns of a matrix stand: `size` places each, and one for each line between blocks.

    Places are lines down or terminal columns across, counted from the first cell.
    """

    count: int
    breaks: tuple[int, ...] = ()
    size: int = 1

    @property
    def length(self) -> int:
        """Return how many places there are in all."""
        return self.count * self.size + len(self.breaks)

    def place_of(self, position: int) -> int:
        """Return the first place of a position."""
        return position * self.size + bisect_right(self.breaks, position)

    def at(self, place: int) -> int | None:
        """Return the position at a place; None for a line between blocks and for what is outside."""
        if not 0 <= place < self.length:
            return None
        position = bisect_right(range(self.count), place, key=self.place_of) - 1
        return position if place < self.place_of(position) + self.size else None

    def fitting(self, first: int, space: int) -> int:
        """Return how many positions from a first one on fit into some places; at least one where there is any."""
        start = self.place_of(first)
        fits = bisect_right(range(first, self.count), start + space, key=lambda one: self.place_of(one) + self.size)
        return min(max(fits, 1), self.count - first) if first < self.count else 0

    def last_first(self, space: int) -> int:
        """Return the greatest position to begin at so that the last one is seen and no place is left empty."""
        first = max(0, self.count - 1)
        while first > 0 and first - 1 + self.fitting(first - 1, space) >= self.count:
            first -= 1
        return first

    def first_showing(self, wanted: int, first: int, space: int) -> int:
        """Return the position to begin at so that `wanted` is seen: `first` if it is, else half of what fits further.

        What scrolled by one with each key would be drawn anew with each key.
        """
        fits = self.fitting(first, space)
        if first <= wanted < first + fits:
            return min(first, self.last_first(space))
        half = max(1, fits // 2)
        moved = wanted - fits + half if wanted > first else wanted - half + 1
        while moved < wanted >= moved + self.fitting(max(0, moved), space):
            moved += 1
        return max(0, min(moved, self.last_first(space)))


@dataclass(frozen=True, slots=True)
class MatrixLayout:
    """Where the rows and the columns of a matrix stand."""

    rows: Axis
    columns: Axis

    @staticmethod
    def of(content: MatrixContent) -> MatrixLayout:
        """Return the layout of a matrix."""
        breaks = tuple(sorted(content.breaks))
        return MatrixLayout(Axis(len(content), breaks), Axis(len(content), breaks, CELL_WIDTH))

    @property
    def header(self) -> int:
        """Return how many lines the numbers above the columns take."""
        return 2 if self.rows.count >= NUMBERS_UNTIL else 1
