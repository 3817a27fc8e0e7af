"""What a watch sees as lines for people, and violations as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ringfence.flows.records import time_text
from ringfence.model.addresses import address_text
from ringfence.model.counts import counted
from ringfence.presenting.line import Line
from ringfence.watch.events import End, Kind, WatchEvent
from ringfence.watch.tally import Tally
from ringfence.watch.violations import Status, Violation

STYLES = {
    Kind.DENIED: "red",
    Kind.NOT_ENFORCED: "red",
    Kind.SCAN: "red",
    Kind.WOULD_DENY: "yellow",
    Kind.NEW_PAIR: "cyan",
    Kind.CUT: "magenta",
}
VIOLATION_COLUMNS = ("id", "status", "what", "from", "to", "service", "rule", "#times", "seen last", "because")
SHOWN_REASONS = 20


def event_line(event: WatchEvent, status: Status | None) -> Line:
    """Return one line of an event: when, what, who with whom, on which service, by which rule, how often."""
    words = [
        event.time.strftime("%H:%M:%SZ"),
        f"{event.kind:<12}",
        _end(event.client),
        "→",
        _end(event.server),
        event.service,
    ]
    if event.kind is Kind.SCAN:
        words = [*words[:3], event.detail]
    elif event.kind is Kind.NEW_PAIR:
        words.append(event.detail)
    text = " ".join(words)
    if event.rule:
        text += f": {event.rule}" + (f" ({event.place})" if event.place else "")
    if event.kind is Kind.ALLOWED and not event.answered:
        text += ", no answer yet"
    if event.count > 1 and event.kind is not Kind.SCAN:
        text += f" ×{event.count:,}"
    text += f" [{event.host}]"
    if status is Status.ACCEPTED:
        return Line(f"{text} accepted", "bright_black")
    return Line(text, STYLES.get(event.kind))


def violation_line(one: Violation) -> Line:
    """Return that a violation is new, with its id."""
    again = "again " if one.because else ""
    return Line(
        f"          violation {one.id} is {again}new: {one.kind} {one.source} → {one.destination} {one.service}"
    )


def host_line(host: str, why: str) -> Line:
    """Return that a host is watched, or why it is silent."""
    return Line(f"{host}: silent, {why}; it is tried again", "yellow") if why else Line(f"{host}: watched")


def summary_lines(tally: Tally) -> Iterator[Line]:
    """Yield what was seen in all, and what was not."""
    kinds = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(tally.events.items()))
    watched = tally.hosts - len(tally.silent)
    yield Line(f"{watched} of {counted(tally.hosts, 'host')} watched; {kinds or 'nothing new'}", bold=True)
    if tally.violations:
        yield Line(f"{counted(tally.violations, 'violation')} new (ringfence violations)")
    if tally.added:
        yield Line(f"{counted(tally.added, 'flow')} added to the store")
    if tally.unnamed:
        yield Line(f"{counted(tally.unnamed, 'packet')} of peers that hosts have no room to remember", "yellow")
    left = {
        "not told by hosts, because one look had too many": tally.missed,
        "of addresses that the inventory does not give their host": tally.not_believed,
        "that are none of our reader's": tally.wrong,
        "forgotten, because too many waited": tally.forgotten,
    }
    for what, count in left.items():
        if count:
            yield Line(f"{counted(count, 'line')} {what}", "yellow")
    for host, seconds in sorted(tally.behind.items()):
        yield Line(f"{host}: up to {seconds:.1f} s late", "yellow")
    for sink in tally.sinks:
        trouble = f"; {sink['trouble']}" if sink["trouble"] else ""
        style = "yellow" if sink["dropped"] else None
        yield Line(f"{sink['sink']}: {sink['sent']} sent, {sink['dropped']} dropped{trouble}", style)
    for host, why in sorted(tally.silent.items())[:SHOWN_REASONS]:
        yield Line(f"{host}: silent, {why}", "yellow")
    if len(tally.silent) > SHOWN_REASONS:
        yield Line(f"{len(tally.silent) - SHOWN_REASONS} more are silent (--json)", "yellow")


def violation_rows(violations: Iterable[Violation]) -> Iterator[tuple[object, ...]]:
    """Yield a row a violation, under VIOLATION_COLUMNS."""
    for one in violations:
        yield (
            one.id,
            one.status,
            one.kind,
            one.source,
            one.destination,
            one.service,
            one.rule,
            one.count,
            time_text(one.last_seen.replace(microsecond=0)),
            one.because,
        )


def _end(end: End) -> str:
    if end.asset is None:
        return address_text(end.point)
    return f"{end.asset} ({end.label_text})" if end.label_text else end.asset
