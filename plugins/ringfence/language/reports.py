"""The errors of one pass over all files, collected and raised together in the order of their places."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from ringfence.language.look_alikes import code_points, looks_like
from ringfence.model.errors import InputError, InputErrors, Place

# A whole file can be one word; an error shows its beginning.
LONGEST = 500


class Reports:
    """Collects errors while reading goes on; `settle` ends the pass."""

    def __init__(self) -> None:
        self._errors: dict[tuple[Place, str], InputError] = {}

    def __len__(self) -> int:
        return len(self._errors)

    def add(self, place: Place, message: str, remedy: str | None = None) -> None:
        """Keep an error; the same one at the same place is kept once, and none is longer than a few lines."""
        if len(message) > LONGEST:
            message = f"{message[:LONGEST]}…"
        self._errors.setdefault((place, message), InputError(message, place, remedy))

    def settle(self) -> None:
        """Raise InputErrors with all that was collected, sorted by place; return if there is nothing."""
        if self._errors:
            raise InputErrors([self._errors[key] for key in sorted(self._errors)])


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a misspelt one most likely means, or None."""
    words = sorted(known)
    if alike := next((other for other in words if looks_like(word, other)), None):
        return alike
    folded = {other.casefold(): other for other in reversed(words)}
    close = get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def did_you_mean(word: str, near: str) -> str:
    """Return the question whether a word was meant, with the code points that differ where the two look the same."""
    question = f"did you mean '{near}'?"
    if not looks_like(word, near):
        return question
    strange = code_points(word, near) or f"not {code_points(near, word)}"
    return f"{question} It looks the same, but is written in other code points (here {strange})"


def meant(word: str, known: Iterable[str], otherwise: str = "known are") -> str | None:
    """Return the remedy for an unknown word: the nearest known one, else all of them, else None."""
    words = sorted(known)
    if near := nearest(word, words):
        return did_you_mean(word, near)
    if not words:
        return None
    shown = ", ".join(words[:20])
    return f"{otherwise}: {shown}{', …' if len(words) > 20 else ''}"
