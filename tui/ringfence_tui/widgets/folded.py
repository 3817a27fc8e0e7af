"""A row too long for a line, as several."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ringfence_tui.spans import Row, Span, plain
from ringfence_tui.widgets.text import cells, safe

WORD = re.compile(r"\S+\s*|\s+")


def folded(row: Row, width: int, most: int, inset: int = 0) -> tuple[Row, ...]:
    """Return a row as at most so many lines, folded between words and within one that is longer than a line.

    The last holds all that is left; the further ones begin with `inset` spaces.
    """
    lines: list[list[Span]] = [[]]
    used = 0
    for span in row:
        for word in WORD.findall(safe(span.text)):
            for piece in _pieces(word, width - inset):
                if used > inset and used + cells(piece.rstrip()) > width and len(lines) < most:
                    last = lines[-1][-1]
                    lines[-1][-1] = Span(last.text.rstrip(), last.tone)  # a space has no room there
                    lines.append([Span(" " * inset)] if inset else [])
                    used = inset
                lines[-1].append(Span(piece, span.tone))
                used += cells(piece)
    return tuple(map(tuple, lines))


def folded_rows(rows: Iterable[Row], width: int, most: int = 3) -> tuple[Row, ...]:
    """Return rows, each in at most so many lines; the further ones begin two cells after it does."""
    return tuple(line for one in rows for line in folded(one, width, most, _inset(one)))


def _inset(row: Row) -> int:
    text = plain(row)
    return len(text) - len(text.lstrip()) + 2


def _pieces(word: str, width: int) -> Iterator[str]:
    """Yield a word as pieces that have room in a line."""
    piece, used = "", 0
    if cells(word.rstrip()) <= width:
        yield word
        return
    for character in word:
        wide = cells(character)
        if piece and used + wide > width:
            yield piece
            piece, used = "", 0
        piece, used = piece + character, used + wide
    yield piece
