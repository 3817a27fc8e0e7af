"""The one form of a label's text: what looks the same is the same, whatever code points a source writes it in."""

from __future__ import annotations

import unicodedata

# Blanks that no line is broken at; people see a blank.
NO_BREAK = str.maketrans({"\u00a0": " ", "\u2007": " ", "\u202f": " "})


def label_text(text: str) -> str:
    """Return a text in NFC (Unicode Standard Annex 15), no-break spaces as blanks, and none at its ends."""
    return unicodedata.normalize("NFC", text).translate(NO_BREAK).strip()
