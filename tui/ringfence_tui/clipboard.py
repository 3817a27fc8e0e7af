"""What is copied, and what is said of it: no terminal tells whether it took a copy."""

from __future__ import annotations

import base64
from collections.abc import Mapping

LONGEST_IN_SCREEN = 700  # bytes of a string that GNU screen (4.9) passes on to the terminal around it
NEVER = ("linux", "vt", "ansi", "cons")  # beginnings of TERM: terminals that have no clipboard


def wrapped(text: str, environment: Mapping[str, str]) -> str:
    """Return the sequence that copies a text (OSC 52); within GNU screen the one that it passes on."""
    data = base64.b64encode(text.encode()).decode()
    if environment.get("STY") and not environment.get("TMUX"):
        return f"\x1bP\x1b]52;c;{data}\x07\x1b\\"
    return f"\x1b]52;c;{data}\x07"


def refused(text: str, environment: Mapping[str, str]) -> str:
    """Return why a text surely is not copied, empty where it may be."""
    if environment.get("TERM", "").startswith(NEVER):
        return "this terminal has no clipboard"
    if environment.get("STY") and not environment.get("TMUX") and len(wrapped(text, environment)) > LONGEST_IN_SCREEN:
        return "GNU screen passes on no copy as long as this"
    return ""


def doubt(environment: Mapping[str, str]) -> str:
    """Return what the copy needs here, or where else the text is found."""
    if environment.get("TMUX"):  # 3.3 passes on what an application copies with this option only, and tells nobody
        return "tmux needs 'set -s set-clipboard on'; leaving prints it too"
    return "leaving prints it too"
