"""Foreign text made safe to print: nothing in it reaches the terminal as a command."""

from __future__ import annotations

import re
import unicodedata

# C0 but for newline and tab, DEL, C1; what turns the reading direction (Bidi_Control); and what is not seen
# (Default_Ignorable_Code_Point): some of it changes how many cells the letter before it takes, others none can tell.
_COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    # flags and skin tones take one cell, two or none, as the terminal likes: what stands right of them would move
    "\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]"
)
# More marks over one letter than a written language needs run over the lines above and below; marks that take a place
# of their own, and the vowels and ends of a Korean syllable, pile up in the same cell of some terminals.
MARKS, JOINED = 2, 4


def clean(text: str) -> str:
    """Return a text with every control and direction character as a visible escape, `\\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    told = _COMMANDS.sub(lambda found: _escape(found.group()), text.encode("utf-8", "replace").decode())
    return told if told.isascii() else _with_few_marks(told)


def clean_line(text: str) -> str:
    """Return a name in one line, as `clean` and with escapes for what would begin another one."""
    return clean(text).replace("\n", "\\n").replace("\t", "\\t")


def _with_few_marks(text: str) -> str:
    """Return a text in which marks beyond what a letter needs, and what is not assigned, are visible escapes."""
    found, marks, joined = [], 0, 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        joined = joined + 1 if category in {"Mn", "Me", "Mc"} or _ends_syllable(character) else 0
        # nobody knows how many cells a character takes that is not assigned
        foreign = category in {"Cn", "Co"}
        found.append(_escape(character) if foreign or marks > MARKS or joined > JOINED else character)
    return "".join(found)


def _ends_syllable(character: str) -> bool:
    """Return whether a letter is a vowel or an end that joins the Korean letter before it."""
    return "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff"


def _escape(character: str) -> str:
    point = ord(character)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
