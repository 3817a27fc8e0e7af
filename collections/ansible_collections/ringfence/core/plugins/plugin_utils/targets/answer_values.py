# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Single values of what a host answers, each of a known type and within known bounds, or refused.

Every text is made anew and without control characters: a result of Ansible never holds an object that a host chose.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

DIGEST = re.compile(r"([0-9a-f]{64})?", re.ASCII)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
# The largest number that JSON carries whole everywhere, and far below what any shell counts to.
MOST = 2**53 - 1
SHOWN = 60
# C0 but for newline and tab, DEL, C1; what turns the reading direction (Bidi_Control); and what is not seen
# (Default_Ignorable_Code_Point but for marks that shape a letter before them); lone surrogates.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
    "\ud800-\udfff]"
)


class AnswerError(Exception):
    """A host's answer is not of its shape; the message names the field and says what it should be."""


def several_lines(value: str) -> str:
    """Return a text in which every control character but newline and tab is a question mark."""
    return _CONTROL.sub("?", value)


def text(value: object, name: str, most: int = 1000) -> str:
    """Return one line of text of at most `most` characters, control characters as question marks."""
    if not isinstance(value, str):
        raise AnswerError(f"{name} is {_kind(value)}, not a text")
    if len(value) > most:
        raise AnswerError(f"{name} has {len(value)} characters, more than the maximum of {most}")
    return _CONTROL.sub("?", value).replace("\n", "?").replace("\t", " ")


def optional_text(value: object, name: str, most: int = 1000) -> str | None:
    """Return a text, or None for null."""
    return None if value is None else text(value, name, most)


def matching(value: object, name: str, shape: re.Pattern[str], wanted: str) -> str:
    """Return a text that matches a shape as a whole; `wanted` is what people call it."""
    if not isinstance(value, str) or not shape.fullmatch(value):
        raise AnswerError(f"{name} is {quoted(value)}, which is not {wanted}")
    return str.__str__(value)


def one_of(value: object, name: str, words: Sequence[str]) -> str:
    """Return the word of a closed list that a value is."""
    for word in words:
        if value == word:
            return word
    raise AnswerError(f"{name} is {quoted(value)}, which is none of: {', '.join(words)}")


def number(value: object, name: str, most: int = MOST) -> int:
    """Return a whole number from 0 to `most`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise AnswerError(f"{name} is {_kind(value)}, not a whole number")
    if not 0 <= value <= most:
        raise AnswerError(f"{name} is not a number from 0 to {most}")
    return int(value)


def written_number(value: str, name: str, most: int = MOST) -> int:
    """Return a whole number that is written in decimal digits."""
    if not re.fullmatch(r"[0-9]{1,16}", value):
        raise AnswerError(f"{name} is {quoted(value)}, which is not a number from 0 to {most}")
    return number(int(value), name, most)


def flag(value: object, name: str) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise AnswerError(f"{name} is {_kind(value)}, not true or false")
    return bool(value)


def address(value: object, name: str) -> str:
    """Return an address in its one spelling, without a zone."""
    if not isinstance(value, str) or len(value) > 45:
        raise AnswerError(f"{name} is {quoted(value)}, which is not an address")
    try:
        return _address(str.__str__(value))
    except ValueError:
        raise AnswerError(f"{name} is {quoted(value)}, which is not an address") from None


def listed(value: object, name: str, most: int, each: Callable[[object, str], object]) -> list:
    """Return a list of at most `most` entries, every one as `each` returns it."""
    if not isinstance(value, list):
        raise AnswerError(f"{name} is {_kind(value)}, not a list")
    if len(value) > most:
        raise AnswerError(f"{name} has {len(value)} entries, more than the maximum of {most}")
    return [each(one, f"{name}[{place}]") for place, one in enumerate(value)]


def quoted(value: object) -> str:
    """Return how a refused value is named to people."""
    return f"'{shown(value, SHOWN)}'" if isinstance(value, str) else _kind(value)


def shown(value: str, most: int) -> str:
    """Return a text for people: cut to a length, on one line, without control characters."""
    cut = _CONTROL.sub("?", value[:most]).replace("\n", " ").replace("\t", " ")
    return f"{cut}{'…' if len(value) > most else ''}"


@lru_cache(maxsize=8192)
def _address(value: str) -> str:
    found = ipaddress.ip_address(value)
    if found.version == 6 and found.scope_id is not None:
        raise ValueError("zones are valid on one host only")
    return str(found)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "a mapping",
    }
    return next((word for kind, word in kinds.items() if isinstance(value, kind)), "something else")
