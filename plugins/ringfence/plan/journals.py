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
from ringfence.wire.journal_lines import CONFIRMED, STARTED, Event, journal_events
from ringfence.wire.plan_format import JOURNAL_FILE, TIME_FORMAT

# Behind these a host may have a new table that waits; every other event says what became of it.
OPEN = frozenset({STARTED, "unconfirmed", "unknown"})
# Behind these no earlier plan waits on the host.
SETTLED = frozenset({CONFIRMED, "rolled back"})


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
    told: set[str] = set()
    # The newest plan that a host confirmed says what it holds, so most of the older ones are not read.
    for directory, head in sorted(heads(plans), key=lambda one: one[1].sequence, reverse=True):
        news = {
            event.host: event
            for event in events(directory, head)
            if event.event == CONFIRMED
            and event.host not in told
            and _is_news(event, head, record.hosts.get(event.host), record.journals, latest)
        }
        if not news:
            continue
        plan = read(directory)
        for name, event in news.items():
            if name not in plan.hosts:
                continue
            told.add(name)
            standing = hosts.get(name)
            hosts[name] = Held(
                ruleset=plan.hosts[name].ruleset,
                table=plan.hosts[name].table,
                plan=plan.digest,
                sequence=plan.sequence,
                seen=_time(event.time, latest),
                reached_from=standing.reached_from if standing else "",
                features=standing.features if standing else {},
            )
    return hosts


def waiting(workspace: Path, plans: Path, now: datetime | None = None) -> dict[str, tuple[str, ...]]:
    """Return the hosts on which a plan was begun and of which nothing says what became of it, by the plan's digest.

    Such a host may hold the plan's table and wait for its confirmation. A later event of it, a later plan on it or a
    record of it that was written afterwards says more.
    """
    record = read_record(workspace)
    latest = _ceiling(now)
    found: dict[str, tuple[str, ...]] = {}
    settled: set[str] = set()
    for directory, head in sorted(heads(plans), key=lambda one: one[1].sequence, reverse=True):
        last = {event.host: event for event in events(directory, head)}
        hosts = [
            name
            for name, event in sorted(last.items())
            if name not in settled
            and event.event in OPEN
            and _is_news(event, head, record.hosts.get(name), record.journals, latest)
        ]
        settled |= {name for name, event in last.items() if event.event in SETTLED}
        if hosts:
            found[head.digest] = tuple(hosts)
    return found


def last_confirmed(plans: Path) -> Path | None:
    """Return the directory of the plan of the highest sequence that any host has confirmed, None for none."""
    held = [
        (plan.sequence, directory)
        for directory, plan in heads(plans)
        if any(event.event == CONFIRMED for event in events(directory, plan))
    ]
    return max(held)[1] if held else None


def _is_news(event: Event, plan: Head, before: Held | None, journals: Mapping[str, int] | None, latest: str) -> bool:
    """Return whether an event came after the record of its host was written."""
    if before is None:
        return True
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
