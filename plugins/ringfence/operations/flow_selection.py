"""The flows that an operation looks at: files of any format, or a span of the workspace's store."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.model.counts import counted
from ringfence.model.errors import InputError, Place
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.estate.listening import Listener
    from ringfence.flows.reading import Reading
    from ringfence.flows.window import FlowWindow

SPAN = re.compile(r"(\d+)([mhdw])")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DEFAULT_SINCE = "7d"
HOSTS = "hosts"
DENIALS = "denials"
NAMING = ("csv", "json", HOSTS)  # formats whose rows name client and server


@dataclass(slots=True)
class FlowSelection:
    """Files of flows, or a span of time; `unread` counts the rows that could not be read."""

    paths: Sequence[Path | str] = ()
    format: str = "csv"
    since: str | None = None
    until: str | None = None
    fields: str = ""
    unread: int = 0

    def window(self, estate: Estate, listener: Listener) -> FlowWindow:
        """Return the flows; those of files are resolved by the assets as they are now."""
        from ringfence.flows.database import connect
        from ringfence.flows.engine import engine_of
        from ringfence.flows.possible import latest_time
        from ringfence.flows.store import FlowStore
        from ringfence.flows.window import FlowWindow
        from ringfence.operations.flow_files import table_of_files

        if self.paths:
            reading = reading_of(estate, self.format, self.fields, self.since, self.until)
            connection = connect(estate.history.state)
            table = table_of_files(connection, self.paths, self.format, reading)
            now = replace(estate.snapshot, sees=estate.workspace.settings.realms)
            found = FlowWindow.of_table(connection, table, [now])
            for told in found.ambiguous:
                reading.warn(told, Place(str(self.paths[0])))
            listener.problems(reading.problems)
            found.wrong = self.unread = reading.bad
            return found
        since = time_of(self.since or DEFAULT_SINCE, estate.now)
        until = time_of(self.until, estate.now) if self.until else None
        if until is not None and until < since:
            raise InputError(
                f"--until {self.until} is before --since {self.since or DEFAULT_SINCE}: no flow is of that time",
                remedy="give --since the earlier time",
            )
        engine = engine_of(estate.workspace.settings.flows_engine)
        return FlowStore(estate.history.flows).window(since, until, latest_time(estate.now), engine)

    def wrong_words(self, wrong: int) -> str:
        """Return how many flows were left out, for people; nothing where none were."""
        where = "could not be read" if self.paths else "of the store cannot be"
        way_out = "" if self.paths else "; 'ringfence flows forget' removes days in the future, with --before old ones"
        said = f"{counted(wrong, 'flow')} {where} and {'is' if wrong == 1 else 'are'} left out"
        return f"{said}{way_out}" if wrong else ""

    def guessed_words(self, guesses: int) -> str:
        """Return how many flows have a direction that was only guessed, for people; nothing where none have."""
        which = "its direction is" if guesses == 1 else "their directions are"
        return f"{counted(guesses, 'flow')} may run the other way: {which} guessed" if guesses else ""

    def words(self) -> str:
        """Return a description of the selection, for people."""
        if self.paths:
            return f"flows of {first_few([str(path) for path in self.paths], 1)}"
        since = self.since or DEFAULT_SINCE
        start = f"since {since}"
        if span := SPAN.fullmatch(since):
            unit = UNITS[span[2]]
            start = f"of the last {unit.removesuffix('s') if int(span[1]) == 1 else f'{span[1]} {unit}'}"
        return f"flows {start}" + (f" until {self.until}" if self.until else "")


def reading_of(
    estate: Estate | None, flows_format: str, fields: str = "", since: str | None = None, until: str | None = None
) -> Reading:
    """Return a reading for files; one of what hosts report knows the inventory's addresses of each host.

    Others know what hosts listen on. `fields` are those of a file that does not name its own; `since` and `until`
    bound what is fetched from AWS. Raise InputError for fields of a format that has names of its own.
    """
    from ringfence.estate.directory import current_time
    from ringfence.estate.history import host_addresses
    from ringfence.flows.listeners import kept_listeners, listeners_of
    from ringfence.flows.possible import latest_time
    from ringfence.flows.reading import Reading
    from ringfence.operations.wrong_format import refuse_fields

    refuse_fields(fields, flows_format)
    now = estate.now if estate else current_time()
    listeners: frozenset[tuple[str, int, int]] = frozenset()
    if estate and flows_format not in NAMING:
        listeners = listeners_of(estate.snapshot) | kept_listeners(estate.history.flows)
    hosts = host_addresses(estate.snapshots()) if estate and flows_format in (HOSTS, DENIALS) else None
    return Reading(
        latest=latest_time(now),
        hosts=hosts,
        fields=tuple(fields.replace(",", " ").split()),
        since=time_of(since, now) if since else None,
        until=time_of(until, now) if until else None,
        listeners=listeners,
    )


def time_of(text: str, now: datetime) -> datetime:
    """Return the time in UTC that `7d` (before now), a date or an ISO time means."""
    span = SPAN.fullmatch(text.strip())
    try:
        if span:
            return now - timedelta(**{UNITS[span[2]]: int(span[1])})
        time = datetime.fromisoformat(text.strip())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"'{text}' is not a valid time", remedy="write 24h, 7d, 2026-11-24 or 2026-11-24T07:00:00Z"
        ) from error
