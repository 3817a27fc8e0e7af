"""What the questions of the Policy screen are asked with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextRequest:
    """A whole text of a file, and the text that it was made of."""

    file: str
    text: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class DropRequest:
    """A rule by its line in the draft."""

    file: str
    line: int
