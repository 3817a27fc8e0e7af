"""The names at the left of a matrix: a number, and a text a level, in columns as wide as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ringfence_tui.widgets.text import cells, fitted, safe

LEAST, MOST = 16, 27
GAP = 1


@dataclass(frozen=True, slots=True)
class Names:
    """The texts of all rows, and how many cells they take with the number."""

    texts: tuple[tuple[str, str], ...]
    width: int

    @staticmethod
    def of(names: Sequence[Sequence[str]], width: int, wanted: int) -> Names:
        """Return the names in a matrix of a width whose cells want so many terminal columns.

        They take a quarter of the width at most, more where the cells leave it.
        """
        digits = max(2, len(str(len(names))))
        room = max(LEAST, min(width // 4, MOST), width - wanted) - digits - 2 * GAP - 1
        harmless = [[safe(part) for part in parts] for parts in names]
        levels = max((len(parts) for parts in harmless), default=0)
        widths = [
            max((cells(parts[level]) for parts in harmless if len(parts) > level and len(parts) > 1), default=0)
            for level in range(levels)
        ]
        alone = max((cells(parts[0]) for parts in harmless if len(parts) == 1), default=0)
        _shrink(widths, room - GAP * max(0, levels - 1))
        taken = min(max(sum(widths) + GAP * max(0, levels - 1), alone), room)
        texts = tuple(
            (f" {number:>{digits}}", f"{' ' * GAP}{_joined(parts, widths, taken)}{' ' * GAP}")
            for number, parts in enumerate(harmless, 1)
        )
        return Names(texts, 1 + digits + GAP + taken + GAP)

    def of_row(self, row: int) -> tuple[str, str]:
        """Return the number and the name of a row."""
        return self.texts[row]


def _joined(parts: Sequence[str], widths: Sequence[int], width: int) -> str:
    if len(parts) == 1:
        return fitted(parts[0], width)
    return fitted(" ".join(fitted(part, size) for part, size in zip(parts, widths, strict=False)), width)


def _shrink(widths: list[int], room: int) -> None:
    """Take from the widest until all fit."""
    while sum(widths) > max(room, len(widths)):
        widest = widths.index(max(widths))
        widths[widest] -= 1
