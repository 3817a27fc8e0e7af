"""Times that others report, in seconds since 1970: any number is taken, whatever their clock says."""

from __future__ import annotations

from datetime import UTC, datetime

FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def time_of_seconds(seconds: float) -> datetime:
    """Return a time in UTC; before the year 1 and after 9999 the nearest that a calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return FIRST if seconds < 0 else LAST


def utc_text(seconds: float) -> str:
    """Return `2026-11-24 09:15:00`; whoever shows it says that it is UTC."""
    return time_of_seconds(seconds).isoformat(" ", "seconds").removesuffix("+00:00")
