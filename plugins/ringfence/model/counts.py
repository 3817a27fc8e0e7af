"""How many of something there are, in words: one is a finding, two are findings."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return `1 rule`, `2 rules`, `1,000 rules`; `many` where it is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
