"""Clocks of hosts: a report whose host says another time than it is carries the time that it came at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ringfence.model.counts import counted
from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity

OBSERVED = "observed"
# A look at a host with many sockets, and the way of its answer, take less.
TOLERATED = timedelta(minutes=5)


def by_our_clock(result: Mapping[str, object], came: datetime) -> tuple[Mapping[str, object], timedelta | None]:
    """Return a host's report, with the time that it came at where the host's own is another, and the difference then.

    The difference is positive where the host's clock is ahead.
    """
    try:
        said = datetime.fromisoformat(str(result.get(OBSERVED) or ""))
        ahead = (said if said.tzinfo else said.replace(tzinfo=UTC)) - came
    except (ValueError, OverflowError):
        return result, None  # the reader says what is wrong with it
    if abs(ahead) <= TOLERATED:
        return result, None
    return {**result, OBSERVED: came.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}, ahead


def skewed(host: str, ahead: timedelta) -> Problem:
    """Return the warning of a host whose clock is wrong."""
    minutes = round(abs(ahead).total_seconds() / 60)
    hours, minutes = divmod(minutes, 60)
    length = counted(hours, "hour") if hours else counted(minutes, "minute")
    direction = "ahead of" if ahead > timedelta() else "behind"
    message = f"its clock is {length} {direction} this machine's: its flows carry the time that they were reported at"
    return Problem(Severity.WARNING, message, Place(host), "set the host's clock")
