# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The shape of what the target's script replies: the keys that it may say, what each may hold, how many, how long.

Whoever controls a host controls every byte of this. A key that is not here is left out; a value that its key cannot
hold makes the whole reply invalid, since nothing of it can be believed then.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .answer_values import DIGEST, MOST, TIME, AnswerError, address, matching, one_of, shown, written_number

STATES = (
    "confirmed",
    "waiting",
    "restored",
    "none",
    "open",
    "unknown",
    "lost",
    "went back",
    "refreshed",
    "held",
    "unkept",
)
# What an order that changes something ends with, where it was carried out.
ENDINGS = {
    "apply": ("waiting", "confirmed"),
    "confirm": ("confirmed",),
    "rollback": ("restored", "none", "open", "confirmed"),
    "remove": ("none",),
    "refresh": ("refreshed", "none"),
    "emergency": ("held", "unkept"),
}
MOST_LINES = 20_000
# Characters that people are shown of one sentence.
LONGEST = 1000
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)
_RELEASE = re.compile(r"[0-9A-Za-z.+~_-]{0,128}", re.ASCII)
_TOKEN = re.compile(r"[0-9a-f]{1,64}", re.ASCII)
_BEGINNING = re.compile(r"[0-9a-f]{0,64}", re.ASCII)
_NAME = re.compile(r"[!-~]{1,512}", re.ASCII)
_SKEW = re.compile(r"0|-?[1-9][0-9]{0,9}", re.ASCII)
_APPLIED = re.compile(rf"({TIME.pattern})?", re.ASCII)
# `runs|stopped|changing UNIT MAP CHAIN CGROUP` and `USER MAP CHAIN UID`
_UNIT = re.compile(
    r"(runs|stopped|changing) \S{1,512} ((?:rf_)?units_[a-z0-9_]{1,64}) ([a-z0-9_]{1,64}) \S{1,4096}", re.ASCII
)
_USER = re.compile(
    r"\S{1,256} ((?:rf_)?users_[a-z0-9_]{1,64}|rf_out_u[0-9]{1,9}) ([a-z0-9_]{1,64}) [0-9]{1,10}", re.ASCII
)
# `runs|changing CONTAINER MAP CHAIN ADDRESS`
_CONTAINER = re.compile(
    r"(runs|changing) [!-~]{1,256} ((?:containers|peers)_[a-z0-9_]{1,64}) ([a-z0-9_]{1,64}) [0-9a-f.:]{2,39}", re.ASCII
)
# `TIME EVENT PLAN SEQUENCE RULESET`, `-` for nothing
HISTORY = re.compile(
    rf"{TIME.pattern} [a-z-]{{1,32}} (-|[0-9a-f]{{1,64}}) (-|[0-9]{{1,15}}) (-|[0-9a-f]{{64}})", re.ASCII
)
Check = Callable[[str, str], object]


def _digest(value: str, name: str) -> object:
    return matching(value, name, DIGEST, "a digest of 64 hex digits")


def _number(value: str, name: str) -> object:
    return written_number(value, name) if value else ""


def _peer(value: str, name: str) -> object:
    return address(value, name) if value else ""


def _word(value: str, name: str) -> object:
    return matching(value, name, _WORD, "a word")


def _release(value: str, name: str) -> object:
    return matching(value, name, _RELEASE, "a version")


def _sentence(value: str, _name: str) -> object:
    return shown(value, LONGEST)


def _is(*words: str) -> Check:
    return lambda value, name: one_of(value, name, words)


# Every key, with its check.
KEYS: dict[str, Check] = {
    **dict.fromkeys(
        ("held", "plan", "ruleset", "verdict_table", "pending_plan", "pending_ruleset"),
        _digest,
    ),
    **dict.fromkeys(("sequence", "pending_deadline", "marks_used"), _number),
    # seconds by the host's clock, which may have been set back
    "staged": lambda value, name: str(max(0, int(written_number(value.removeprefix("-"), name, MOST)))),
    "clock_skew": lambda value, name: matching(value, name, _SKEW, "seconds between two clocks"),
    **dict.fromkeys(("changed", "cgroup2", "socket_cgroup", "skbinfo", "label_passes"), _is("yes", "no")),
    "state": _is(*STATES),
    "stands": _is("confirmed", "candidate"),
    "pending": _is("armed", "abandoned"),
    "table": _is("present", "absent", "unknown"),
    **dict.fromkeys(("nft", "iptables", "ipset", "kernel"), _release),
    "applied": lambda value, name: matching(value, name, _APPLIED, "a time"),
    "token": lambda value, name: matching(value, name, _TOKEN, "a token"),
    "peer": _peer,
    "refused": _word,
    # what another enforcer filters with, where the state is that one's
    "holder": _word,
    "unit": lambda value, name: matching(value, name, _UNIT, "what runs of a unit"),
    "user": lambda value, name: matching(value, name, _USER, "a user's number"),
    "container": lambda value, name: matching(value, name, _CONTAINER, "an address of a container"),
    # the beginning of a digest, as the identity chain has it
    "in_kernel": lambda value, name: matching(value, name, _BEGINNING, "the beginning of a digest"),
    **dict.fromkeys(("no_unit", "no_user", "no_container"), lambda value, name: matching(value, name, _NAME, "a name")),
    # sentences for people, also of nft, which repeats the line that it does not accept
    **dict.fromkeys(("reason", "process", "damaged", "recovered", "answers", "persistence", "signed_by"), _sentence),
    **dict.fromkeys(("warning", "unknown", "uncut", "unkept", "older"), _sentence),
}
SECTIONS = (
    "listing", "sockets", "flows", "owners", "foreign", "beside", "history", "denials",
    "emergency", "emergency_before", "emergency_kernel",
)  # fmt: skip


def ended(verb: str, check: bool, said: Callable[[str], str]) -> bool:
    """Return whether a reply says how an order ended, or what is in the kernel.

    `said` gives the last value of a key. The reply of a shell that runs nothing and exits with 0 says neither.
    """
    if verb == "status":
        return bool(said("table"))
    return bool(said("changed")) if check else said("state") in ENDINGS[verb]


def checked(values: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the values of known keys. Raise AnswerError where one of them cannot be what it says."""
    known = {key: found for key, found in values.items() if key in KEYS}
    for key, found in known.items():
        if len(found) > MOST_LINES:
            raise AnswerError(f"{key} occurs {len(found)} times, more than the maximum of {MOST_LINES}")
    return {key: [str(KEYS[key](value, key)) for value in found] for key, found in known.items()}
