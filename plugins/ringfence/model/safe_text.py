"""Foreign text made safe to print: nothing in it reaches the terminal as a command."""

from __future__ import annotations

import re

# C0 but for newline and tab, DEL, C1; what turns the reading direction (Bidi_Control); and what is not seen
# (Default_Ignorable_Code_Point but for marks that shape a letter before them).
_COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)


def clean(text: str) -> str:
    """Return a text with every control and direction character as a visible escape, `\\x1b`."""
    return _COMMANDS.sub(lambda found: _escape(found.group()), text.encode("utf-8", "replace").decode())


def clean_line(text: str) -> str:
    """Return a name in one line, as `clean` and with escapes for what would begin another one."""
    return clean(text).replace("\n", "\\n").replace("\t", "\\t")


def _escape(character: str) -> str:
    point = ord(character)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
