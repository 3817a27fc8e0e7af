"""Times as logs write them, as SQL that gives UTC; NULL for what is no time."""

# ruff: noqa: S608 - the SQL is put together from SQL of ours
from __future__ import annotations

from datetime import UTC, datetime, timedelta

_ISO = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.,]([0-9]{1,9}))?"
    r"(?:Z|([+-])([0-9]{2})(?::?([0-9]{2}))?)?$"
)
_PARTS = "['day', 'time', 'part', 'sign', 'hours', 'minutes']"


def stamp(time: datetime) -> str:
    """Return a time as a literal of SQL."""
    return f"TIMESTAMP '{time.astimezone(UTC).replace(tzinfo=None).isoformat(' ')}'"


def iso_time(text: str) -> str:
    """Return the SQL of a time as ISO 8601 writes it; without a zone it is UTC.

    A cast alone would take `+01:00` for UTC.
    """
    found = f"regexp_extract({text}, '{_ISO}', {_PARTS})"
    minutes = "(coalesce(try_cast(f.hours AS INTEGER), 0) * 60 + coalesce(try_cast(f.minutes AS INTEGER), 0))"
    shift = f"to_minutes(CASE f.sign WHEN '+' THEN -{minutes} WHEN '-' THEN {minutes} ELSE 0 END)"
    whole = "try_cast(concat(f.day, ' ', f.time, '.', coalesce(nullif(f.part, ''), '0')) AS TIMESTAMP)"
    return f"(SELECT {whole} + {shift} FROM (SELECT {found} AS f))"


def unix_time(text: str) -> str:
    """Return the SQL of seconds since 1970, with or without parts."""
    return (
        f"CASE WHEN regexp_full_match({text}, '[0-9]{{1,11}}([.][0-9]*)?')"
        f" THEN make_timestamp((try_cast({text} AS DECIMAL(38, 6)) * 1000000)::BIGINT) END"
    )


def yearless_time(text: str, observed: datetime) -> str:
    """Return the SQL of `Nov 24 07:00:00`: of the last year in which that is not after the file was last changed."""
    latest = observed.astimezone(UTC) + timedelta(days=1)

    def of(year: int) -> str:
        return f"try_strptime(concat('{year} ', {text}), '%Y %b %d %H:%M:%S')"

    this = of(latest.year)
    return f"CASE WHEN {this} <= {stamp(latest)} THEN {this} ELSE {of(latest.year - 1)} END"
