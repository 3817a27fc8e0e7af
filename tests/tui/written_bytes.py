"""What an application wrote to its terminal: its own sequences, what it copied, and all that is neither."""

from __future__ import annotations

import base64
import re
import unicodedata

# Its own: cursor, erasing, colours, modes and their questions.
OWN = re.compile(rb"\x1b\[[?<>=]?[0-9;:]*\$?[ABCDEFGHJKhlmnpqrsu]|\x1b\]22;[a-z-]*(?:\x07|\x1b\\)|[\r\n]")
COPIED = re.compile(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)(?:\x07|\x1b\\)")
HIDDEN = ("Cc", "Cf", "Zl", "Zp", "Cs", "Co")


def foreign(written: bytes) -> list[str]:
    """Return the places that are neither a sequence of the application nor a character that shows."""
    text = COPIED.sub(b"", OWN.sub(b"", written)).decode("utf-8", "backslashreplace")
    return [repr(text[max(0, at - 20) : at + 20]) for at, one in enumerate(text) if unicodedata.category(one) in HIDDEN]


def copied(written: bytes) -> list[str]:
    """Return the texts that were copied, in their order."""
    return [base64.b64decode(one).decode() for one in COPIED.findall(written)]
