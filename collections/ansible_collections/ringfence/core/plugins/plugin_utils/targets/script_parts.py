# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The parts of shell script that run on targets, joined without their comments."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence

SHARED = os.path.join(os.path.dirname(__file__), "script")
_COMMENT = re.compile(r"^[ \t]*#.*\n", re.MULTILINE)


def part_text(part: str, folders: Sequence[str] = (SHARED,)) -> str | None:
    """Return a part from the first of these folders that has it, None where none does."""
    for folder in folders:
        path = os.path.join(folder, f"{part}.sh")
        if os.path.isfile(path):
            with open(path, encoding="ascii") as file:
                return _COMMENT.sub("", file.read())
    return None


def shared_text(*parts: str) -> str:
    """Return shared parts, one behind the other."""
    return "".join(part_text(part) or "" for part in parts)


def at_once(text: str) -> str:
    """Return the standard input of a shell that runs a script only when all of it has come."""
    return f'ringfence_script={shlex.quote(text)}\neval "$ringfence_script"\n'
