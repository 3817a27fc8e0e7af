"""The first few of many texts and how many more there are, for a message that must stay short."""

from __future__ import annotations

from collections.abc import Sequence

# Names that a message gives before it counts the rest.
NAMED = 5


def first_few(texts: Sequence[str], most: int = NAMED, joint: str = ", ") -> str:
    """Return `a, b and 3 more`; with the joint `; ` between whole sentences `a; b; and 3 more`."""
    more = len(texts) - most
    end = f"{joint.strip()} and {more} more" if joint == "; " else f" and {more} more"
    return joint.join(texts[:most]) + (end if more > 0 else "")
