"""Marks of a sheet that openpyxl does not report when it reads row by row: merged cells, formulas without a result."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

# A sheet is looked through in pieces that overlap by more than one cell with the longest formula takes.
_PIECE, _OVERLAP = 1 << 20, 1 << 16
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})([0-9]+):([A-Z]{1,3})([0-9]+)"')
_FORMULA = re.compile(
    rb"<(?:\w+:)?c\s(?P<said>[^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)"
    rb"\s*(?:<(?:\w+:)?v\s*(?:/>|>\s*</(?:\w+:)?v>)\s*)?</(?:\w+:)?c>"
)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})([0-9]+)"')


@dataclass(frozen=True, slots=True)
class Area:
    """A merged area: its rows and columns from 1, both ends among them."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Marks:
    """The merged areas of a sheet from its top on, and the (row, column) of formulas that have no stored result."""

    merged: tuple[Area, ...]
    uncomputed: frozenset[tuple[int, int]]


def read_marks(source: IO[bytes]) -> Marks:
    """Return the marks of the XML of a sheet."""
    merged: set[Area] = set()
    uncomputed: set[tuple[int, int]] = set()
    for piece in _pieces(source):
        for found in _MERGED.finditer(piece):
            left, top, right, bottom = found.groups()
            merged.add(Area(int(top), _column(left), int(bottom), _column(right)))
        for cell in _FORMULA.finditer(piece):
            place = _PLACE.search(cell["said"])
            # An empty text is a result as well: t="str".
            if place is not None and b't="str"' not in cell["said"]:
                uncomputed.add((int(place[2]), _column(place[1])))
    return Marks(tuple(sorted(merged, key=lambda area: (area.top, area.left))), frozenset(uncomputed))


class Merged:
    """Gives the cells of rows, asked from the top down, the text of the merged area that they lie in."""

    def __init__(self, areas: Sequence[Area]) -> None:
        self._waiting = list(reversed(areas))
        self._open: dict[Area, str] = {}
        self._width = 0

    def filled(self, number: int, texts: list[str]) -> Mapping[int, Area]:
        """Put the texts of areas into a row; return the areas that its cells lie in, by the cell's index."""
        while self._waiting and self._waiting[-1].top <= number:
            area = self._waiting.pop()
            first = texts[area.left - 1] if area.top == number and area.left <= len(texts) else ""
            self._open[area] = first
        self._open = {area: text for area, text in self._open.items() if area.bottom >= number}
        self._width = max(self._width, len(texts))
        if self._open:
            # A row that ends early may go on in an area; none is wider than the widest so far.
            texts += [""] * (min(self._width, max(area.right for area in self._open)) - len(texts))
        inside: dict[int, Area] = {}
        for area, text in self._open.items():
            for index in range(area.left - 1, min(area.right, len(texts))):
                texts[index] = text
                inside[index] = area
        return inside


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    before = b""
    while piece := source.read(_PIECE):
        whole = before + piece
        yield whole
        before = whole[-_OVERLAP:]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
