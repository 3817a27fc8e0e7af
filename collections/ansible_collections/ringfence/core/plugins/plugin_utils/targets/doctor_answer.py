# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The doctor's script for a host, and its answer: of a closed shape, whatever the host says."""

from __future__ import annotations

import re

from .script_parts import shared_text

KEYS = frozenset(
    {
        *("uid", "login", "time", "system", "kernel", "came_from", "has", "lacks"),
        *(
            "nft",
            "nft_works",
            "nft_said",
            "iptables",
            "iptables_works",
            "iptables_said",
            "ipset",
            "ipset_works",
            "ipset_said",
        ),
        *("cgroup2", "systemd", "writable", "unwritable", "room", "firewall", "python", "complete"),
    }
)
MOST_TEXT = 64 * 1024
MOST_VALUES = 16  # of one key
MOST_LETTERS = 200
_LINE = re.compile(r"ringfence:([a-z0-9_]{1,20})=(.*)")


def doctor_script() -> bytes:
    """Return what `sh -s` reads: the parts of the target's script that a look needs."""
    return shared_text("reply", "python", "doctor").encode()


def answer_of(text: str) -> dict[str, list[str]]:
    """Return the values of known keys, a few of each, short and printable; everything else is left out."""
    found: dict[str, list[str]] = {}
    for line in text[:MOST_TEXT].splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None or match[1] not in KEYS or len(found.get(match[1], ())) >= MOST_VALUES:
            continue
        found.setdefault(match[1], []).append(_printable(match[2]))
    return found


def last_words(text: str) -> str:
    """Return the last line that something said, short and printable."""
    lines = [line.strip() for line in text[-MOST_TEXT:].splitlines() if line.strip()]
    return _printable(lines[-1]) if lines else ""


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text[:MOST_LETTERS])
