"""The journals that rollouts leave beside their plans, read to know what hosts hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from ringfence.files import regular_file
from ringfence.model.errors import InputError, Place
from ringfence.plan.artefact import Plan
from ringfence.plan.host_records import Held, read_record
from ringfence.plan.store import Head, heads, read
from ringfence.wire.journal_lines import CONFIRMED, Event, journal_events
from ringfence.wire.plan_format import JOURNAL_FILE, TIME_FORMAT


def events(directory: Path, plan: Plan | Head) -> Iterator[Event]:
    """Yield the events of a plan's rollouts in the order they were written.

    A line that a killed controller cut short, that is not an object, or that is of another plan, counts as not written.
    Raises InputError where the journal is not a file that can be read.
    """
    path = directory / JOURNAL_FILE
    try:
        text = regular_file(path).decode(errors="replace")
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"this journal cannot be read: {error.strerror}", Place(str(path))) from error
    yield from journal_events(text, plan.short)


def marks(plans: Path) -> dict[str, int]:
    """Return how many lines every plan's journal has now: what is written behind them is newer than now."""
    found = {}
    for directory, plan in heads(plans):
        last = max((event.line for event in events(directory, plan)), default=0)
        if last:
            found[plan.short] = last
    return found


def known(workspace: Path, plans: Path, now: datetime | None = None) -> dict[str, Held]:
    """Return what every host is known to hold: the record of a workspace, and what was confirmed after it.

    Which of two confirmations came later, the order of plans and of lines says, not the time that is written in a line:
    a clock may be wrong. `now` is believed where a record does not say how far the journals were when it was written.
    """
    record = read_record(workspace)
    hosts = dict(record.hosts)
    latest = _ceiling(now)
    for directory, head in sorted(heads(plans), key=lambda one: one[1].sequence):
        confirmed = [event for event in events(directory, head) if event.event == CONFIRMED]
        if not confirmed:
            continue
        plan = read(directory)
        for event in confirmed:
            if event.host not in plan.hosts:
                continue
            before = record.hosts.get(event.host)
            if before is not None and not _newer(event, plan, before, record.journals, latest):
                continue
            standing = hosts.get(event.host)
            hosts[event.host] = Held(
                ruleset=plan.hosts[event.host].ruleset,
                table=plan.hosts[event.host].table,
                plan=plan.digest,
                sequence=plan.sequence,
                seen=_time(event.time, latest),
                reached_from=standing.reached_from if standing else "",
                features=standing.features if standing else {},
            )
    return hosts


def last_confirmed(plans: Path) -> Path | None:
    """Return the directory of the plan of the highest sequence that any host has confirmed, None for none."""
    held = [
        (plan.sequence, directory)
        for directory, plan in heads(plans)
        if any(event.event == CONFIRMED for event in events(directory, plan))
    ]
    return max(held)[1] if held else None


def _newer(event: Event, plan: Plan, before: Held, journals: Mapping[str, int] | None, latest: str) -> bool:
    """Return whether a confirmation came after the record of its host was written."""
    if journals is not None and plan.short in journals:
        return event.line > journals[plan.short]
    if journals is not None:
        # begun afterwards, or brought here afterwards: numbers only grow on a host
        return plan.sequence >= before.sequence
    return before.seen[:19] <= event.time[:19] <= latest[:19]


def _time(text: str, latest: str) -> str:
    """Return the time of an event as a record has it; one that is not a valid time, or to come, is now."""
    try:
        written = datetime.strptime(f"{text[:19]}Z", TIME_FORMAT).strftime(TIME_FORMAT)
    except ValueError:
        return latest
    return min(written, latest)


def _ceiling(now: datetime | None) -> str:
    return (now or datetime.now(UTC)).strftime(TIME_FORMAT)
