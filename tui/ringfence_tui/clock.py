"""Times of files as people read them: all screens have the clock of this machine, in its time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def moment(text: str) -> datetime | None:
    """Return the time of an ISO text, which is UTC's where it names no zone; None where it is none."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def zone(now: datetime | None = None) -> str:
    """Return the time zone of this machine: `CET, UTC+01:00`."""
    here = (now or datetime.now(UTC)).astimezone()
    offset = here.isoformat(timespec="minutes")[16:]
    name = here.tzname() or ""
    return f"{name}, UTC{offset}" if name.isalpha() and offset != "+00:00" else f"UTC{offset}"


def clock(text: str) -> str:
    """Return `14:11:02`, empty where the text is no time."""
    found = moment(text)
    return found.strftime("%H:%M:%S") if found else ""


def day_and_clock(text: str, now: datetime) -> str:
    """Return `14:11` for a time of today, `yesterday`, a weekday within six days, else the date."""
    found = moment(text)
    if found is None:
        return "–"
    days = (now.astimezone().date() - found.date()).days
    if days == 0:
        return found.strftime("%H:%M")
    if days == 1:
        return "yesterday"
    return found.strftime("%a %H:%M") if 0 < days < 7 else found.strftime("%Y-%m-%d")


def date_and_clock(text: str) -> str:
    """Return `2026-11-30 14:11`, and a text that is no time as it is."""
    found = moment(text)
    return found.strftime("%Y-%m-%d %H:%M") if found else text


def lasted(began: str, ended: str) -> str:
    """Return `4.1 s`, `12 min` or `3 h` between two times, empty where one is missing or the clock went back."""
    one, other = moment(began), moment(ended)
    if one is None or other is None or other < one:
        return ""
    span = other - one
    if span < timedelta(seconds=100):
        return f"{span.total_seconds():.1f} s"
    minutes = round(span.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
