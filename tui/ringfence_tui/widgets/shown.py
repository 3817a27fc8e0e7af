"""What the terminal shows already, so that it is not written again.

Textual (8.2.8) paints a screen that is opened whole for each of: its layout, what takes the keys, its data, the switch
to it. Four times 80×24 are 14 kB, fifteen seconds at 9,600 baud, for what differs in a few lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from rich.console import Console, RenderableType
from rich.control import Control
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

Piece = tuple[int, int, Strip]  # the column it begins in, the one behind its end, what is there


class Shown:
    """Knows the pieces of each line that were written last, and lets through those that differ."""

    def __init__(self, stand_ins: Callable[[str], str] | None = None) -> None:
        self.stand_ins = stand_ins
        self._lines: dict[int, dict[tuple[int, int], str]] = {}

    def forget(self) -> None:
        """Have everything written again: the terminal may show something else."""
        self._lines.clear()

    def differing(self, update: RenderableType | None) -> RenderableType | None:
        """Return an update that writes only what is not there; what is none of a screen's updates stays as it is."""
        if isinstance(update, LayoutUpdate | ChopsUpdate):
            return cast("RenderableType", _Differing(update, self))  # Textual writes it without asking Rich
        return update

    def written(self, y: int, start: int, end: int, text: str) -> bool:
        """Return whether a piece has to be written, and take note that it is there then."""
        line = self._lines.setdefault(y, {})
        if line.get((start, end)) == text:
            return False
        for one in [one for one in line if one[0] < end and start < one[1]]:
            del line[one]
        line[start, end] = text
        return True


class _Differing(CompositorUpdate):
    """An update without what is on the terminal."""

    def __init__(self, update: LayoutUpdate | ChopsUpdate, shown: Shown) -> None:
        self._update = update
        self._shown = shown

    def render_segments(self, console: Console) -> str:
        """Return the sequences: each piece at its place."""
        found: list[str] = []
        update = self._update
        for y, (start, end, strip) in _whole(update) if isinstance(update, LayoutUpdate) else _spans(update):
            text = strip.render(console)
            if self._shown.stand_ins is not None:
                text = self._shown.stand_ins(text)
            if self._shown.written(y, start, end, text):
                found += [Control.move_to(start, y).segment.text, text]
        return "".join(found)


def _whole(update: LayoutUpdate) -> Iterator[tuple[int, Piece]]:
    for y, line in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in line:
            yield y, (x, x + strip.cell_length, strip)
            x += strip.cell_length


def _spans(update: ChopsUpdate) -> Iterator[tuple[int, Piece]]:
    """Yield the pieces of a line that spans touch, as `ChopsUpdate.render_segments` has them."""
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x > last or end <= first:
                continue
            whole = last > x >= first and end <= last
            stop = end if whole else min(end, last)
            yield y, (x, stop, strip if whole else strip.crop(0, stop - x))
