"""How large a terminal has to be."""

from __future__ import annotations

LEAST_COLUMNS, LEAST_LINES = 80, 24


def is_enough(columns: int, lines: int) -> bool:
    """Return whether screens have room in a terminal of this size."""
    return columns >= LEAST_COLUMNS and lines >= LEAST_LINES
