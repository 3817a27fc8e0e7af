"""Foreign text as it may be shown: without a command to the terminal, in one line, measured and cut by cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len
from ringfence.model.safe_text import clean_line

MORE = "…"
REMEMBERED = 500  # characters of the longest text whose harmless form is kept
LINE_ENDS = re.compile(r"\r\n?|\n")  # terminals paste \r; what else Unicode calls a line end is no key


def safe(text: str) -> str:
    """Return a text in one line with every character that commands, hides or piles up as a visible escape."""
    if text.isascii() and text.isprintable():
        return text
    return _cleaned(text) if len(text) <= REMEMBERED else clean_line(text)


@lru_cache(65_536)
def _cleaned(text: str) -> str:
    return clean_line(text)


def pasted_lines(text: str) -> list[str]:
    """Return the lines of what was pasted, made harmless: at least one; the last is empty where all of them end."""
    return [safe(line) for line in LINE_ENDS.split(text)]


def cells(text: str) -> int:
    """Return how many cells a safe text takes."""
    return len(text) if text.isascii() else cell_len(text)


def offered(offers: Sequence[str], most: int = 8) -> str:
    """Return what a line could go on with, the first few; an ellipsis stands for the others."""
    return "  ".join((*offers[:most], *((MORE,) if len(offers) > most else ())))


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
