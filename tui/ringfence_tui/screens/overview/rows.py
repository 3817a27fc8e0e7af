"""What the overview says, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ringfence.model.counts import counted
from ringfence.model.overview import EmergencySummary
from ringfence.model.picture import Sign, SignCount
from ringfence.model.times import time_of_seconds
from ringfence.wire.first_few import first_few

from ringfence_tui.ages import age, ago
from ringfence_tui.screens.overview.model import Overview
from ringfence_tui.spans import OF_SIGN, Row, Span, Tone, row

FIRST = 16  # cells of a row's head
WRONG = 3  # of what is wrong that the overview names
STANDING = 3  # emergencies that the overview names
NAMES = 3  # of hosts in a row


def rows(overview: Overview, now: datetime, width: int) -> tuple[Row, ...]:
    """Return the summary."""
    return (
        *_emergency_rows(overview, now),
        *_assets_rows(overview, now, width),
        *_policy_rows(overview),
        *_traffic_rows(overview, now),
        *_rollout_rows(overview, now),
        *_wrong_rows(overview),
    )


def _head(name: str) -> Span:
    return Span(f" {name:<{FIRST - 1}}", Tone.TITLE)


def _under(name: str) -> Span:
    return Span(f"   {name:<{FIRST - 3}}")


def _pending(overview: Overview, part: str) -> Row:
    broken = next((one for one in overview.broken if one.part == part), None)
    if broken is None:
        return (Span("…", Tone.DIM),)
    first = broken.wrong[0]
    place = (Span(f"{first.place} ", Tone.STRONG),) if first.place else ()
    return (Span("not known: ", Tone.BAD), *place, Span(first.message))


def _emergency_rows(overview: Overview, now: datetime) -> Iterator[Row]:
    known = overview.emergencies.emergencies
    for one in known[:STANDING]:
        yield row(_head("EMERGENCY"), Span(f"{one.kind} {one.id}", Tone.BAD), *_stands(one, now))
    if len(known) > STANDING:
        yield row(Span(f"   and {len(known) - STANDING:,} more: ringfence emergencies", Tone.DIM))


def _stands(one: EmergencySummary, now: datetime) -> Iterator[Span]:
    since = ago(time_of_seconds(one.since), now)
    yield Span(f" of {one.whom}, {since} by {one.who}: " if one.whom else f" {since} by {one.who}: ")
    if one.over:
        yield Span(f"ended, but may still be held by {first_few(one.doubtful, NAMES)}", Tone.WARN)
        return
    yield Span(f"held by {counted(one.held, 'host')}")
    if one.doubtful:
        yield Span(f", not known of {first_few(one.doubtful, NAMES)}", Tone.WARN)


def _assets_rows(overview: Overview, now: datetime, width: int) -> Iterator[Row]:
    assets = overview.assets
    if assets is None:
        yield row(_head("ASSETS"), *_pending(overview, "assets"))
        return
    parts: list[Span] = [_head("ASSETS"), Span(f"{assets.assets:,}", Tone.STRONG), Span("   ")]
    left = width - sum(len(span.text) for span in parts) - 2
    for number, source in enumerate(assets.sources):
        when = age(source.since, now) if source.since else age(assets.taken, now)
        sign = " !" if source.stale else ""
        text = f"{short(source.name)} {source.assets:,} ({when}{sign})"
        if len(text) + 2 > left - (12 if number < len(assets.sources) - 1 else 0) and number:
            parts.append(Span(f"and {len(assets.sources) - number} more", Tone.DIM))
            break
        parts += [Span(text, Tone.WARN if source.stale else Tone.PLAIN), Span("  ")]
        left -= len(text) + 2
    if assets.kept:
        parts.append(Span("  as last kept", Tone.DIM))
    yield tuple(parts)
    lacking = [f"{count:,} without {key}" for key, count in assets.lacking.items()]
    if assets.contradictions:
        lacking.append(counted(assets.contradictions, "contradiction"))
    if assets.waiting:
        lacking.append(f"{assets.waiting:,} addresses wait to be accepted")
    said = ", ".join(lacking)
    yield row(_under("labelled"), f"{assets.labelled:,} of {assets.workloads:,}   ", Span(said, Tone.WARN))


def short(source: str) -> str:
    """Return a source's name as lists show it: the file of an inventory without its folder and ending."""
    name = source.rpartition("/")[2]
    return name.removesuffix(".yml").removesuffix(".yaml").removesuffix(".ini")


def _policy_rows(overview: Overview) -> Iterator[Row]:
    policy = overview.policy
    if policy is None:
        yield row(_under("enforced"), *_pending(overview, "policy"))
        return
    modes = [f"{mode} {policy.modes.get(mode, 0):,}" for mode in ("full", "selective", "observe")]
    if policy.impossible:
        modes.append(f"not possible {len(policy.impossible):,}")
    enforcers = overview.assets.enforcers if overview.assets is not None else {}
    by = ", ".join(f"{name} {count:,}" for name, count in sorted(enforcers.items()))
    yield row(_under("enforced"), "   ".join(modes), Span(f"   by {by}" if by else "", Tone.DIM))
    yield row(_under("covered"), f"{policy.covered:,} of {policy.hosts:,} by one of {policy.rules:,} rules")


def _traffic_rows(overview: Overview, now: datetime) -> Iterator[Row]:
    traffic = overview.traffic
    if traffic is None:
        yield row(_head("TRAFFIC"), *_pending(overview, "traffic"))
        return
    if not traffic.flows and not traffic.refused.flows:
        yield row(_head("TRAFFIC"), Span("nothing was seen in the last 7 days", Tone.DIM))
        return
    flows = f"{traffic.connections:,} connections, {traffic.flows:,} distinct flows"
    last = f", the last {ago(traffic.until, now)}" if traffic.until else ""
    yield row(_head("TRAFFIC"), f"last 7 days, {flows}{last}")
    words = (
        (Sign.ALLOWED, "allowed"),
        (Sign.UNDECIDED, "undecided"),
        (Sign.WOULD_BE_DENIED, "would be denied"),
        (Sign.DENIED, "denied"),
        (Sign.NOT_JUDGED, "not judged"),
    )
    parts: list[Span] = [Span("   ")]
    for sign, word in words:
        count = traffic.signs.get(sign, SignCount()).flows
        if count or sign is Sign.ALLOWED:
            parts.append(Span(f"{sign} {word} {count:,}", OF_SIGN[sign] if count else Tone.DIM))
            parts.append(Span("   "))
    if traffic.refused.flows:
        parts.append(Span(f"r refused {traffic.refused.flows:,}", Tone.DIM))
    yield tuple(parts)
    seen = f"{traffic.hosts - len(traffic.unseen):,} of {traffic.hosts:,} hosts"
    names = first_few(traffic.unseen, NAMES)
    yield row(_under("seen"), seen, Span(f"; nothing of {names}" if names else "", Tone.WARN))


def _rollout_rows(overview: Overview, now: datetime) -> Iterator[Row]:
    rollout = overview.rollout
    if rollout is None:
        yield row(_head("PLAN"), *_pending(overview, "rollout"))
        return
    if rollout.plan:
        made = ago(rollout.made, now)
        yield row(_head("PLAN"), Span(rollout.plan, Tone.STRONG), f" {made}: {rollout.plan_hosts:,} hosts")
    else:
        yield row(_head("PLAN"), Span("none", Tone.DIM))
    if rollout.run:
        bad = rollout.state in {"failed", "interrupted"} or rollout.state.startswith("ended")
        yield row(
            _head("ROLLOUT"),
            Span(rollout.run_plan, Tone.STRONG),
            f" {ago(rollout.started, now)} by {rollout.who}: ",
            Span(rollout.state, Tone.BAD if bad else Tone.PLAIN),
            f"; {rollout.holding:,} of {rollout.run_hosts:,} hold it",
        )
    else:
        yield row(_head("ROLLOUT"), Span("none", Tone.DIM))
    if rollout.drifted:
        names = first_few([name for name, _ in rollout.drifted], NAMES)
        yield row(_head("DRIFT"), Span(f"{len(rollout.drifted)}   ", Tone.BAD), names)


def _wrong_rows(overview: Overview) -> Iterator[Row]:
    wrong = overview.wrong()
    if not wrong:
        return
    errors = sum(one.error for one in wrong)
    told = [f"{errors:,} errors" if errors != 1 else "1 error"] if errors else []
    warnings = len(wrong) - errors
    told += [f"{warnings:,} warnings" if warnings != 1 else "1 warning"] if warnings else []
    yield row(_head("CHECK"), Span(", ".join(told), Tone.BAD if errors else Tone.WARN))
    for one in wrong[:WRONG]:
        sign = Span("   ✗ " if one.error else "   ! ", Tone.BAD if one.error else Tone.WARN)
        place = (Span(f"{one.place} ", Tone.STRONG),) if one.place else ()
        yield row(sign, *place, one.message)
        if one.remedy and one.error:
            yield row("     ", Span(f"→ {one.remedy}", Tone.DIM))
    if len(wrong) > WRONG:
        yield row(Span(f"   and {len(wrong) - WRONG:,} more: c lists them", Tone.DIM))
