"""A row too long for a line, as several."""

from __future__ import annotations

import re

from ringfence_tui.spans import Row, Span
from ringfence_tui.widgets.text import cells, safe

WORD = re.compile(r"\S+\s*|\s+")


def folded(row: Row, width: int, most: int, inset: int = 0) -> tuple[Row, ...]:
    """Return a row as at most so many lines, folded between words; the last holds all that is left.

    The further ones begin with `inset` spaces.
    """
    lines: list[list[Span]] = [[]]
    used = 0
    for span in row:
        for word in WORD.findall(safe(span.text)):
            if used > inset and used + cells(word.rstrip()) > width and len(lines) < most:
                lines.append([Span(" " * inset)] if inset else [])
                used = inset
            lines[-1].append(Span(word, span.tone))
            used += cells(word)
    return tuple(map(tuple, lines))
