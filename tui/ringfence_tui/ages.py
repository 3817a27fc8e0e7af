"""How long ago something was, in the few letters that a line has for it."""

from __future__ import annotations

from datetime import UTC, datetime

_STEPS = ((60, "s"), (3600, "min"), (86_400, "h"), (14 * 86_400, "d"), (365 * 86_400, "w"))
_UNIT = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def age(then: datetime | str | None, now: datetime | None = None) -> str:
    """Return `4 min`, `2 h`, `3 d`; "now" for less than a second and for what is yet to come, "" for no time."""
    if isinstance(then, str):
        then = _time(then)
    if then is None:
        return ""
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    if seconds < 1:
        return "now"
    unit = next((unit for most, unit in _STEPS if seconds < most), "w")
    return f"{int(seconds // _UNIT[unit])} {unit}"


def ago(then: datetime | str | None, now: datetime | None = None) -> str:
    """Return `4 min ago`, or `now`."""
    told = age(then, now)
    return told if told in {"", "now"} else f"{told} ago"


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
