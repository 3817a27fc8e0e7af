"""The text of a label's value: what is meant alike is one text, and why a text can be no value.

The collection has the same in `plugin_utils/wire/label_texts.py`, which must do without the engine.
"""

from __future__ import annotations

import unicodedata

# What `str.isspace` takes for a blank; of these the ones of Unicode's category Zs stand for a blank inside of a text.
_SPACES = "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_BLANKS = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029" + _SPACES
# Soft hyphen, Mongolian separator, zero width, joiners, marks and overrides of direction, byte order mark.
_INVISIBLE = (
    "\xad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_ENDS = _BLANKS + _INVISIBLE
_AS_BLANK = str.maketrans(dict.fromkeys(_SPACES, " "))


def label_text(text: str) -> str:
    """Return a text as labels are compared: composed (NFC), nothing invisible at its ends, plain blanks inside."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", text).translate(_AS_BLANK).strip(_ENDS)


def label_fault(text: str) -> str | None:
    """Return why the text of `label_text` can be no label's value, None where it can."""
    if not text:
        return "an empty value"
    wrong = next((character for character in text if not character.isprintable()), None)
    if wrong is None:
        return None
    kind = "invisible" if wrong in _INVISIBLE else "control"
    return f"a value with {kind} characters (U+{ord(wrong):04X}), {_shown(text)}"


def visible(text: str) -> str:
    """Return a text from outside as a message may show it: what could steer a terminal is escaped."""
    return text if text.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _shown(text: str) -> str:
    shown = ascii(text)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
