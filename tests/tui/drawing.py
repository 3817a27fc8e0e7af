"""An emulated screen as SVG: its cells and colours and nothing else, so that equal screens are equal bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

import pyte

WIDTH, HEIGHT, ABOVE = 8.4, 18, 13  # of a cell of 14 pixels; where in it the letters stand
FONT = "font:14px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
PAPER, INK = "#121212", "#dadada"  # as a terminal of 256 colours has them of the dark theme
SIXTEEN = {
    "black": "#000000",
    "red": "#cd3131",
    "green": "#0dbc79",
    "brown": "#e5e510",
    "blue": "#2472c8",
    "magenta": "#bc3fbc",
    "cyan": "#11a8cd",
    "white": "#e5e5e5",
    "brightblack": "#666666",
    "brightred": "#f14c4c",
    "brightgreen": "#23d18b",
    "brightbrown": "#f5f543",
    "brightblue": "#3b8eea",
    "bfightmagenta": "#d670d6",  # so pyte 0.8 writes it
    "brightcyan": "#29b8db",
    "brightwhite": "#ffffff",
}
Mask = tuple[re.Pattern[str], str]


@dataclass(frozen=True, slots=True)
class Style:
    """How a cell is painted; colours are `#rrggbb`."""

    ink: str
    paper: str
    bold: bool = False
    italic: bool = False
    underlined: bool = False


Cells = tuple[tuple[str, Style], ...]  # a row: what each cell has; the second cell of a wide character has nothing


def rows(screen: pyte.Screen, masks: Sequence[Mask] = ()) -> tuple[Cells, ...]:
    """Return the rows of a screen; what a mask matches is another text in the style of its first cell."""
    every = (
        tuple((one.data, _style(one)) for one in (screen.buffer[y][x] for x in range(screen.columns)))
        for y in range(screen.lines)
    )
    return tuple(_masked(row, masks, screen.columns) for row in every)


def drawn(shown: Sequence[Cells]) -> str:
    """Return rows as an SVG, a line a row."""
    body = "\n".join(f'<g transform="translate(0,{y * HEIGHT})">{row_svg(row)}</g>' for y, row in enumerate(shown))
    return f"{head(len(shown[0]), len(shown))}\n{body}\n</svg>\n"


def head(columns: int, lines: int, style: str = "") -> str:
    """Return what an SVG of so many cells begins with."""
    width, height = f"{columns * WIDTH:g}", lines * HEIGHT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f"<style>text{{{FONT};fill:{INK};white-space:pre}}.b{{font-weight:bold}}.i{{font-style:italic}}"
        f".u{{text-decoration:underline}}{style}</style>\n"
        f'<rect width="100%" height="100%" fill="{PAPER}"/>'
    )


def row_svg(row: Cells) -> str:
    """Return a row: the papers that are not the usual one, then its words, each where its first cell is."""
    papers, words = [], []
    for start, cells, paper in _runs(row, lambda cell: cell[1].paper):
        if paper != PAPER:
            papers.append(f'<rect x="{_x(start)}" width="{_x(len(cells))}" height="{HEIGHT}" fill="{paper}"/>')
    for start, cells, style in _runs(row, lambda cell: cell[1]):
        for found in re.finditer(r"\S+(?: \S+)*", "".join(data or "\0" for data, _ in cells)):
            at = start + found.start()
            words.append(_text(at, found.group().replace("\0", ""), style, len(found.group())))
    return "".join(papers + words)


def _text(at: int, words: str, style: Style, cells: int) -> str:
    classes = "".join(
        letter for letter, has in (("b", style.bold), ("i", style.italic), ("u", style.underlined)) if has
    )
    told = f' class="{" ".join(classes)}"' if classes else ""
    told += f' style="fill:{style.ink}"' if style.ink != INK else ""
    return f'<text x="{_x(at)}" y="{ABOVE}" textLength="{_x(cells)}"{told}>{escape(words, quote=False)}</text>'


def _x(cells: int) -> str:
    return f"{cells * WIDTH:.1f}".removesuffix(".0")


def _runs(row: Cells, by: Callable[..., object]) -> Iterator[tuple[int, list[tuple[str, Style]], object]]:
    start = 0
    for key, cells in groupby(row, by):
        run = list(cells)
        yield start, run, key
        start += len(run)


def _masked(row: Cells, masks: Iterable[Mask], columns: int) -> Cells:
    for pattern, written in masks:
        text = "".join(data or "\0" for data, _ in row)
        for found in reversed(list(pattern.finditer(text))):
            if found.group().strip():
                style = row[found.start()][1]
                row = (*row[: found.start()], *((one, style) for one in written), *row[found.end() :])
    row = row[:columns]
    return (*row, *((" ", row[-1][1]) for _ in range(columns - len(row))))


def _style(cell: pyte.screens.Char) -> Style:
    ink, paper = _colour(cell.fg, INK), _colour(cell.bg, PAPER)
    if cell.reverse:
        ink, paper = paper, ink
    if cell.data.isspace() and not cell.underscore:
        return Style(INK, paper)  # how a space would be written is not seen
    return Style(ink, paper, cell.bold, cell.italics, cell.underscore)


def _colour(name: str, usual: str) -> str:
    if name == "default":
        return usual
    return SIXTEEN.get(name) or f"#{name}"
