"""Styled text without a toolkit: what view models say to widgets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ringfence.model.picture import Sign


class Tone(StrEnum):
    """What a piece of text means; the palette of the theme has a style for each."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    TITLE = "title"  # of a section or a column
    KEY = "key"  # a key that can be pressed
    ALLOWED = "allowed"
    UNDECIDED = "undecided"
    WOULD = "would"
    DENIED = "denied"
    UNKNOWN = "unknown"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    MARKED = "marked"  # a row that was marked
    CHOSEN = "chosen"  # the cell or the tab that is the current one
    RULE = "rule"  # lines between parts


OF_SIGN = {
    Sign.DENIED: Tone.DENIED,
    Sign.WOULD_BE_DENIED: Tone.WOULD,
    Sign.NOT_JUDGED: Tone.UNKNOWN,
    Sign.UNDECIDED: Tone.UNDECIDED,
    Sign.ALLOWED: Tone.ALLOWED,
    Sign.NOTHING: Tone.DIM,
}


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text in one tone. The text may be foreign: widgets make it harmless when they show it."""

    text: str
    tone: Tone = Tone.PLAIN


Row = tuple[Span, ...]


def row(*parts: Span | str) -> Row:
    """Return a row of spans; a plain text is one in the plain tone."""
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


def rows(lines: Iterable[str], tone: Tone = Tone.PLAIN) -> tuple[Row, ...]:
    """Return each text as a row in one tone."""
    return tuple((Span(line, tone),) for line in lines)


def plain(spans: Row) -> str:
    """Return the text of a row."""
    return "".join(span.text for span in spans)


def fitting(rows: Sequence[Row], room: int, way: str = "") -> tuple[Row, ...]:
    """Return as many rows as there is room for; the last counts those that have none, and names the way to them."""
    if len(rows) <= room:
        return tuple(rows)
    shown = tuple(rows[: max(0, room - 1)])
    left = len(rows) - len(shown)
    more = f" and {left:,} more line{'' if left == 1 else 's'}" + (f": {way}" if way else "")
    return (*shown, (Span(more, Tone.DIM),))[: max(0, room)]
