"""Foreign text as it may be shown: without a command to the terminal, in one line, measured and cut by cells."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from ringfence.model.safe_text import clean_line

MORE = "…"


@lru_cache(65_536)
def safe(text: str) -> str:
    """Return a text in one line with every character that commands, hides or piles up as a visible escape."""
    if text.isascii() and text.isprintable():
        return text
    return clean_line(text)


def cells(text: str) -> int:
    """Return how many cells a safe text takes."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, width: int) -> str:
    """Return a safe text in at most so many cells; what was cut off is told by `…`."""
    if cells(text) <= width:
        return text
    if width <= 0:
        return ""
    if text.isascii():
        return text[: width - 1] + MORE
    kept, used = [], 0
    for character in text:
        used += cell_len(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept) + MORE


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """Return a safe text in exactly so many cells."""
    short = cut(text, width)
    space = " " * (width - cells(short))
    return space + short if right else short + space
