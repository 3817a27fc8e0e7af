"""Two edits of one text put together by lines: what only one of them changed is taken, what both changed is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

Lines = Sequence[str]


@dataclass(frozen=True, slots=True)
class Clash:
    """Lines that both edits changed, each otherwise: from `line` (from 1) of their text, what each of them says."""

    line: int
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The text with both edits; where they clash, the lines are those of `theirs`."""

    text: str
    clashes: tuple[Clash, ...]


def merged(base: str, mine: str, theirs: str) -> Merged:
    """Return what two edits of a text make together.

    Lines that both changed clash, also where they only touch each other, unless both say the same.
    """
    before, left, right = (lines_of(one) for one in (base, mine, theirs))
    done: list[str] = []
    clashes = []
    at, a, b = 0, 0, 0
    for start, in_left, in_right, length in _agreed(before, left, right):
        old, ours, others = before[at:start], left[a:in_left], right[b:in_right]
        if ours in (old, others):
            done += others
        elif others == old:
            done += ours
        else:
            clashes.append(Clash(b + 1, "".join(ours), "".join(others)))
            done += others
        done += before[start : start + length]
        at, a, b = start + length, in_left + length, in_right + length
    return Merged("".join(done), tuple(clashes))


def lines_of(text: str) -> list[str]:
    """Return the lines of a text with their ends; only a line feed ends one, as for git."""
    *whole, last = text.split("\n")
    return [f"{line}\n" for line in whole] + ([last] if last else [])


def _agreed(before: Lines, left: Lines, right: Lines) -> Iterator[tuple[int, int, int, int]]:
    """Yield the lines that stand in all three texts: where in each, and how many. The last are none, behind all."""
    mine, theirs = (SequenceMatcher(None, before, one, autojunk=False).get_matching_blocks() for one in (left, right))
    one = other = 0
    while one < len(mine) and other < len(theirs):
        a, b = mine[one], theirs[other]
        start, end = max(a.a, b.a), min(a.a + a.size, b.a + b.size)
        if start < end:
            yield start, start - a.a + a.b, start - b.a + b.b, end - start
        if a.a + a.size < b.a + b.size:
            one += 1
        else:
            other += 1
    yield len(before), len(left), len(right), 0
