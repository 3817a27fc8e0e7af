"""A line for people: its text, and how it stands out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """Text in one style.

    `style` is the name of a colour: green for what is well, red for what is not, yellow for what asks for attention.
    """

    text: str = ""
    style: str | None = None
    bold: bool | None = None
