"""Where groups stand in a picture: environments are rows, applications columns, roles stand inside; always the same.

Lengths are pixels at a scale of one. A group's place is its middle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.model.picture import GroupKind, PictureGroup
from ringfence.presenting.map.levels import LABELLED
from ringfence.presenting.map.words import group_name, part

WIDTH, HEIGHT = 132, 38  # of a group
STEP_X, STEP_Y = 188, 84  # from one group to the next
PAD, HEAD = 18, 26  # of a frame
GAP = 34  # between frames
ASPECT = 1.6  # of the picture, width to height
SHARED = 0.5  # rows share their columns where this part of all cells has groups
MOST = 20  # characters of a short name


@dataclass(frozen=True, slots=True)
class Frame:
    """A box around groups with its title: of a row (`row`), or of a cell inside."""

    x: int
    y: int
    width: int
    height: int
    title: str
    row: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of groups in their order, their short names, and the frames around them, rows first."""

    places: tuple[tuple[int, int], ...]
    names: tuple[str, ...]
    frames: tuple[Frame, ...]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Cell:
    title: str
    members: tuple[int, ...]
    framed: bool

    @property
    def across(self) -> int:
        return max(1, math.ceil(math.sqrt(len(self.members) * ASPECT * STEP_Y / STEP_X)))

    @property
    def size(self) -> tuple[int, int]:
        across = self.across
        down = math.ceil(len(self.members) / across)
        border = 2 * PAD if self.framed else 0
        return (
            (across - 1) * STEP_X + WIDTH + border,
            (down - 1) * STEP_Y + HEIGHT + border + (HEAD if self.framed else 0),
        )


@dataclass(frozen=True, slots=True)
class _Row:
    title: str
    cells: tuple[_Cell | None, ...]  # None where this row has nothing in a shared column


def layout(groups: Sequence[PictureGroup], depth: int) -> Layout:
    """Return where the groups of a level stand; the same groups always stand at the same places."""
    rows = _rows(groups, depth)
    tried = (_put(rows, wide) for wide in _widths(rows))
    frames, places = min(tried, key=lambda found: _badness(found[0]))
    return Layout(
        tuple(places[index] for index in range(len(groups))),
        tuple(short(_own_name(group, depth)) for group in groups),
        tuple(sorted(frames, key=lambda one: not one.row)),
        max((one.x + one.width for one in frames), default=0),
        max((one.y + one.height for one in frames), default=0),
    )


def short(name: str) -> str:
    """Return a name that fits into its group's box."""
    return name if len(name) <= MOST else f"{name[: MOST - 1]}…"


def _own_name(group: PictureGroup, depth: int) -> str:
    """Return what the frames around a group do not say yet."""
    if group.kind is not GroupKind.LABELS:
        return group_name(group)
    return "/".join(part(value) for value in group.labels[min(2, depth - 1) : depth]) or group_name(group)


def _rows(groups: Sequence[PictureGroup], depth: int) -> list[_Row]:
    """Return rows by the first label with cells by the second, and what has no labels in a last row."""
    if depth == 1:
        inside = tuple(index for index, one in enumerate(groups) if one.kind in LABELLED)
        rows = [_Row("", (_Cell("", inside, framed=False),))] if inside else []
        return rows + _outside(groups)
    cells: dict[str | None, dict[str | None, list[int]]] = {}
    for index, group in enumerate(groups):
        if group.kind in LABELLED:
            first, second = (*group.labels, None, None)[:2]
            cells.setdefault(first, {}).setdefault(second, []).append(index)
    columns = list(dict.fromkeys(second for row in cells.values() for second in row))
    shared = sum(map(len, cells.values())) >= SHARED * len(cells) * len(columns)
    framed = depth > 2
    rows = [
        _Row(
            part(first),
            tuple(
                _Cell(part(second), tuple(row[second]), framed) if second in row else None
                for second in (columns if shared else row)
            ),
        )
        for first, row in cells.items()
    ]
    return rows + _outside(groups)


def _outside(groups: Sequence[PictureGroup]) -> list[_Row]:
    rest = tuple(index for index, one in enumerate(groups) if one.kind not in LABELLED)
    return [_Row("outside", tuple(_Cell("", (index,), framed=False) for index in rest))] if rest else []


def _widths(rows: Sequence[_Row]) -> Sequence[int]:
    """Return how many cells a row may have side by side, to be tried."""
    most = max((len(row.cells) for row in rows), default=1)
    return range(1, most + 1) if most <= 60 else [math.ceil(most / lines) for lines in range(1, 61)]


def _put(rows: Sequence[_Row], wide: int) -> tuple[list[Frame], dict[int, tuple[int, int]]]:
    """Place rows below each other, each in lines of at most so many cells; columns are as wide as their widest cell."""
    widths = [0] * wide
    for row in rows:
        for index, cell in enumerate(row.cells):
            if cell is not None:
                widths[index % wide] = max(widths[index % wide], cell.size[0])
    frames: list[Frame] = []
    places: dict[int, tuple[int, int]] = {}
    whole = sum(widths) + GAP * (wide - 1) + 2 * PAD
    y = 0
    for row in rows:
        top = y
        y += PAD + (HEAD if row.title else 0)
        for line in range(0, len(row.cells), wide):
            y += _put_line(row.cells[line : line + wide], widths, y, frames, places) + GAP
        y += PAD - GAP
        frames.append(Frame(0, top, whole, y - top, short(row.title), row=True))
        y += GAP
    return frames, places


def _put_line(
    cells: Sequence[_Cell | None],
    widths: Sequence[int],
    y: int,
    frames: list[Frame],
    places: dict[int, tuple[int, int]],
) -> int:
    """Place cells side by side and return how high they are."""
    x = PAD
    for cell, width in zip(cells, widths, strict=False):
        if cell is not None:
            inset = PAD if cell.framed else 0
            head = HEAD if cell.framed else 0
            for number, member in enumerate(cell.members):
                down, across = divmod(number, cell.across)
                places[member] = (
                    x + inset + WIDTH // 2 + across * STEP_X,
                    y + inset + head + HEIGHT // 2 + down * STEP_Y,
                )
            if cell.framed:
                frames.append(Frame(x, y, *cell.size, short(cell.title), row=False))
        x += width + GAP
    return max((cell.size[1] for cell in cells if cell is not None), default=0)


def _badness(frames: Sequence[Frame]) -> float:
    width = max((one.x + one.width for one in frames), default=1)
    height = max((one.y + one.height for one in frames), default=1)
    return abs(math.log(width / height / ASPECT))
