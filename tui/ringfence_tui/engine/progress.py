"""What is done right now, as a part of an answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """What is done, in a few words."""

    text: str
