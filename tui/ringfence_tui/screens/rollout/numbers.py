"""A run in numbers, below its waves: how long it holds, hosts and flows before and after, what was denied since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ringfence.model.counts import counted
from ringfence.model.host_denials import HostDenials
from ringfence.presenting.rollout_board import Board, Phase
from ringfence.wire.first_few import first_few

from ringfence_tui.clock import clock, lasted, moment
from ringfence_tui.spans import Row, Span, Tone, row

# Hosts that denied something and are shown by name: past these `ringfence info` lists them all.
MOST = 8


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is known of a run beside its board.

    `flows` are denied before, denied after, allowed before, allowed after; None where the plan looked at none. `until`
    is when the next run with its hosts began, `asked` when hosts last told what they denied; both empty where never.
    `no_way_back` says why nothing can be rolled back to, empty where something can.
    """

    run: str
    flows: tuple[int, int, int, int] | None = None
    until: str = ""
    asked: str = ""
    denied: tuple[HostDenials, ...] = ()
    no_way_back: str = ""


def number_rows(board: Board, numbers: Numbers | None, now: datetime) -> tuple[Row, ...]:
    """Return the rows below the waves of a board."""
    if numbers is None or numbers.run != board.head.run:
        return ()
    return (
        (),
        *held_rows(board, numbers.until, now),
        *_before_and_after(board, numbers),
        (),
        *_denied_rows(board, numbers),
    )


def held_rows(board: Board, until: str, now: datetime) -> tuple[Row, ...]:
    """Return how long the whole run has held, and what that means; nothing where no host confirmed.

    It is counted from the last host that confirmed, to the next run with these hosts.
    """
    well = [host for host in board.hosts.values() if host.phase is Phase.WELL and host.ended]
    if not well:
        return ()
    since = max(host.ended for host in well)
    span = lasted(since, until or now.astimezone(UTC).isoformat())
    every = len(well) == len(board.hosts)
    who = f"all {counted(len(well), 'host')}" if every else f"{len(well)} of {counted(len(board.hosts), 'host')}"
    end = f", until the next run at {clock(until)}" if until else ""
    verb = "has" if len(well) == 1 else "have"
    held = Span(f" {who} {verb} held the plan for {span}".rstrip(), Tone.GOOD if every else Tone.WARN)
    return (
        row(held, f" since {clock(since)}{end}"),
        row(Span("   each confirmed over a new connection, and none went back; v reads them back", Tone.DIM)),
    )


def _before_and_after(board: Board, numbers: Numbers) -> tuple[Row, ...]:
    head = board.head
    total, well, left = len(board.hosts), head.count(Phase.WELL), head.count(Phase.LEFT)
    already = sum(host.phase is Phase.WELL and not host.changed for host in board.hosts.values())
    table = [
        row(Span(f" {'':<34}{'before':>9}{'after':>9}", Tone.TITLE)),
        _line(f"hosts that hold plan {head.plan[:4]}", already, well, Tone.GOOD if well == total else Tone.PLAIN),
        _line("hosts with what they held before", total - already, total - well - left, Tone.PLAIN),
    ]
    if left:
        table.append(_line("hosts of which that is not known", 0, left, Tone.WARN))
    if numbers.flows is None:
        return (*table, row(Span(" flows: the plan looked at none", Tone.DIM)))
    denied_before, denied_after, allowed_before, allowed_after = numbers.flows
    worse = Tone.DENIED if denied_after > denied_before else Tone.PLAIN
    return (
        *table,
        _line("flows denied, by its simulation", denied_before, denied_after, worse),
        _line("flows allowed, by its simulation", allowed_before, allowed_after, Tone.PLAIN),
    )


def _line(what: str, before: int, after: int, tone: Tone) -> Row:
    return row(f" {what:<34}{before:>9,}", Span(f"{after:>9,}", tone))


def _denied_rows(board: Board, numbers: Numbers) -> tuple[Row, ...]:
    """Return what hosts denied since they got the table, with the numbers of each that denied something."""
    if not numbers.asked:
        return (
            row(Span(" denied since the swap: ", Tone.TITLE), Span("i", Tone.KEY), " asks the hosts that confirmed"),
        )
    told = [one for one in numbers.denied if not one.reason]
    some = sorted((one for one in told if one.denied), key=lambda one: (-one.denied, one.host))
    packets = sum(one.denied for one in some)
    rows = [
        row(
            Span(" denied since the swap: ", Tone.TITLE),
            Span(f"{packets:,} packets on {counted(len(some), 'host')}", Tone.DENIED if some else Tone.GOOD),
            f", none on {len(told) - len(some)}",
            Span(f"   told {clock(numbers.asked)}, i again", Tone.DIM),
        )
    ]
    for one in some[:MOST]:
        rules = first_few([f"{count:,} by '{rule}'" for rule, count in one.by_rule], 3)
        since = board.hosts[one.host].ended if one.host in board.hosts and board.hosts[one.host].changed else ""
        when = f"  since {clock(since)}" if moment(since) else ""
        watched = f"  ({one.watched:,} more in mode full)" if one.watched else ""
        rows.append(row(f"   {one.host:<16} ", Span(f"{one.denied:>7,}", Tone.DENIED), f"{watched}{when}  {rules}"))
    if len(some) > MOST:
        rows.append(row(Span(f"   {len(some) - MOST} more hosts: ringfence info", Tone.DIM)))
    silent = [one for one in numbers.denied if one.reason]
    if silent:
        why = first_few(sorted({one.reason for one in silent}))
        rows.append(row(Span(f"   not told by {first_few([one.host for one in silent])}: {why}", Tone.WARN)))
    return tuple(rows)
