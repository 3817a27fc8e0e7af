"""The flows that a command looks at: a file of any format, or a span of the workspace's store."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from ringfence.model.errors import InputError

if TYPE_CHECKING:
    from ringfence.cli.session import Session
    from ringfence.flows.window import FlowWindow

F = TypeVar("F", bound=Callable[..., object])
SPAN = re.compile(r"(\d+)([mhdw])")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
FLOWS = "flows"
DEFAULT_SINCE = "7d"


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What `--flows`, `--format`, `--since` and `--until` chose."""

    path: Path | None
    format: str
    since: str | None
    until: str | None

    def window(self, session: Session) -> FlowWindow:
        """Return the flows; those of a file are resolved by the assets as they are now."""
        from ringfence.flows.readers import read
        from ringfence.flows.reading import Reading
        from ringfence.flows.store import FlowStore
        from ringfence.flows.window import FlowWindow

        if self.path is not None:
            reading = Reading()
            found = FlowWindow.of_flows(read(self.path, self.format, reading), [session.snapshot])
            session.output.problems(reading.problems, err=True)
            return found
        since = time_of(self.since or DEFAULT_SINCE, session.now)
        until = time_of(self.until, session.now) if self.until else None
        return FlowStore(session.workspace.state / FLOWS).window(since, until)

    def words(self) -> str:
        """Return what was looked at, for people."""
        if self.path is not None:
            return f"flows of {self.path}"
        since = self.since or DEFAULT_SINCE
        start = f"since {since}"
        if span := SPAN.fullmatch(since):
            unit = UNITS[span[2]]
            start = f"of the last {unit.removesuffix('s') if int(span[1]) == 1 else f'{span[1]} {unit}'}"
        return f"flows {start}" + (f" until {self.until}" if self.until else "")


def flow_options(function: F) -> F:
    """Add the options that choose flows to a command."""
    for option in reversed(
        (
            click.option(
                "--flows", "flows_file", type=click.Path(path_type=Path, dir_okay=False), help="A file of them."
            ),
            click.option("--format", "flows_format", default="csv", show_default=True, help="That file's format."),
            click.option("--since", metavar="TIME", help=f"From when: 90m, 24h, 7d, a date or time. [{DEFAULT_SINCE}]"),
            click.option("--until", metavar="TIME", help="Until when."),
        )
    ):
        function = option(function)
    return function


def time_of(text: str, now: datetime) -> datetime:
    """Return the time in UTC that `7d` (before now), a date or an ISO time means."""
    span = SPAN.fullmatch(text.strip())
    try:
        if span:
            return now - timedelta(**{UNITS[span[2]]: int(span[1])})
        time = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        raise InputError(f"'{text}' is no time", remedy="write 24h, 7d, 2026-11-24 or 2026-11-24T07:00:00Z") from error
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
