"""The text of a label's value: what is meant alike is one text."""

from __future__ import annotations

import unicodedata

# What `str.isspace` takes for a blank; of these the ones of Unicode's category Zs stand for a blank inside of a text.
_SPACES = "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_BLANKS = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029" + _SPACES
# Soft hyphen, Mongolian separator, zero width, joiners, marks and overrides of direction, byte order mark.
INVISIBLE = "\xad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_ENDS = _BLANKS + INVISIBLE
_AS_BLANK = str.maketrans(dict.fromkeys(_SPACES, " "))


def label_text(text: str) -> str:
    """Return a text as labels are compared: composed (NFC), nothing invisible at its ends, plain blanks inside."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", text).translate(_AS_BLANK).strip(_ENDS)
