"""Foreign text made safe to print: nothing in it reaches the terminal as a command."""

from __future__ import annotations

import re

# C0 but for newline and tab, DEL, C1; and what turns the reading direction or hides (Unicode TR 36, section 3).
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")


def clean(text: str) -> str:
    """Return a text with every control and direction character as a visible escape, `\\x1b`."""
    return _COMMANDS.sub(lambda found: _escape(found.group()), text.encode("utf-8", "replace").decode())


def clean_line(text: str) -> str:
    """Return a name in one line, as `clean` and with escapes for what would begin another one."""
    return clean(text).replace("\n", "\\n").replace("\t", "\\t")


def _escape(character: str) -> str:
    point = ord(character)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"
