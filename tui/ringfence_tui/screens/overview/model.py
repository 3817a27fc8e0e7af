"""What the overview says: its rows, and what to do next, in words with a key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ringfence.model.overview import AssetsSummary, DraftSummary, PolicySummary, RolloutSummary, TrafficSummary
from ringfence.model.picture import Sign, SignCount
from ringfence.model.run_states import LIVING
from ringfence.wire.first_few import first_few

from ringfence_tui.ages import age, ago
from ringfence_tui.engine.progress import Progress
from ringfence_tui.spans import OF_SIGN, Row, Span, Tone, row
from ringfence_tui.subjects import AssetsSubject, PictureSubject, PlanSubject, RunSubject

FIRST = 16  # cells of a row's head

WRONG = 3  # of what is wrong that the overview names


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong: where, what, the way out."""

    place: str
    message: str
    remedy: str = ""
    error: bool = True


@dataclass(frozen=True, slots=True)
class Broken:
    """A part of the overview that cannot be had, and why."""

    part: str
    wrong: tuple[Wrong, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What `check` finds in the files and the inventory."""

    wrong: tuple[Wrong, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more comes."""


Part = (
    AssetsSummary | DraftSummary | PolicySummary | RolloutSummary | TrafficSummary | Broken | Findings | Progress | Done
)


@dataclass(frozen=True, slots=True)
class Overview:
    """The parts that are known until now."""

    assets: AssetsSummary | None = None
    policy: PolicySummary | None = None
    traffic: TrafficSummary | None = None
    rollout: RolloutSummary | None = None
    draft: DraftSummary = field(default_factory=DraftSummary)
    broken: tuple[Broken, ...] = ()
    findings: tuple[Wrong, ...] = ()
    on: str = ""

    def wrong(self) -> tuple[Wrong, ...]:
        """Return everything that is wrong, each once, errors first."""
        every = dict.fromkeys([one for part in self.broken for one in part.wrong] + list(self.findings))
        return tuple(sorted(every, key=lambda one: not one.error))

    def errors(self) -> tuple[Wrong, ...]:
        """Return what is an error."""
        return tuple(one for one in self.wrong() if one.error)


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """Ask the hosts who talks to whom, so often, with the passwords that Ansible needs."""

    times: int = 3
    every: float = 4.0
    become: str | None = field(default=None, repr=False)
    vault: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Collected:
    """What came: new flows, and why hosts said nothing, by name."""

    flows: int
    new: int
    silent: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Next:
    """What to do next: the key that does it, in words, and the screen that it leads to, or the action of this one."""

    key: str
    text: str
    screen: str
    subject: object = field(default=None, compare=False)
    action: str = ""


def taken(overview: Overview, part: Part) -> Overview:
    """Return the overview with another part."""
    match part:
        case AssetsSummary():
            return _with(overview, "assets", assets=part)
        case PolicySummary():
            return _with(overview, "policy", policy=part)
        case TrafficSummary():
            return _with(overview, "traffic", traffic=part)
        case RolloutSummary():
            return _with(overview, "rollout", rollout=part)
        case DraftSummary():
            return _with(overview, "", draft=part)
        case Findings(wrong):
            return _with(overview, "", findings=wrong)
        case Progress(text):
            return _with(overview, "", on=text)
        case Done():
            return _with(overview, "", on="")
        case Broken():
            others = tuple(one for one in overview.broken if one.part != part.part)
            return _with(overview, "", broken=(*others, part))


def _with(overview: Overview, part: str, **values: object) -> Overview:
    kept: dict[str, object] = {name: getattr(overview, name) for name in Overview.__slots__}
    kept["broken"] = tuple(one for one in overview.broken if one.part != part)
    return Overview(**{**kept, **values})  # type: ignore[arg-type]  # the names are the fields'


def rows(overview: Overview, now: datetime, width: int) -> tuple[Row, ...]:
    """Return the summary."""
    return (
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
        lacking.append(_counted(assets.contradictions, "contradiction"))
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
    names = _few(traffic.unseen)
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
        names = _few([name for name, _ in rollout.drifted])
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
        yield row(Span(f"   and {len(wrong) - WRONG:,} more", Tone.DIM))


def next_steps(overview: Overview, screens: Sequence[str], *, read_only: bool) -> tuple[Next, ...]:
    """Return what to do next, the most urgent first; only what leads to a screen that there is."""
    found = list(_wanted(overview, read_only=read_only))
    return tuple(one for one in found if one.screen in screens and not (one.action and read_only))[:6]


def _wanted(overview: Overview, *, read_only: bool) -> Iterator[Next]:
    wrong, rollout = overview.wrong(), overview.rollout
    if wrong:
        errors = len(overview.errors())
        what = _counted(errors, "error") if errors else _counted(len(wrong), "warning")
        stops = ": nothing can be planned until they are solved" if errors else ""
        yield Next("c", f"{what} in the files and the inventory{stops}", "check")
    if rollout is not None and rollout.state in LIVING:
        yield Next("r", f"a rollout runs since {rollout.started}: watch it", "rollout", RunSubject(rollout.run))
    if rollout is not None and rollout.drifted:
        drifted = _counted(len(rollout.drifted), "host")
        yield Next("v", f"{drifted} drifted: see what is open", "verify")
    empty = overview.assets is not None and not overview.assets.assets
    if overview.traffic is not None and not (empty and not overview.traffic.flows):
        yield from _of_traffic(overview.traffic)
    if overview.draft.changes:
        files = _few(overview.draft.files) or "no file"
        fails = f", {overview.draft.conflicts} in conflict" if overview.draft.conflicts else ""
        changes = _counted(overview.draft.changes, "change")
        yield Next("w", f"the draft ({changes} of {files}, not written{fails}): look, write, or drop it", "map")
    if overview.assets is not None:
        yield from _of_assets(overview.assets)
    if rollout is not None and not read_only:
        yield from _of_plans(rollout, seen=overview.traffic is not None and overview.traffic.flows > 0)
    yield Next("a", "look at the assets", "assets")


def _of_plans(rollout: RolloutSummary, *, seen: bool) -> Iterator[Next]:
    if rollout.plan and not (rollout.run_plan and rollout.plan.startswith(rollout.run_plan)):
        yield Next("p", f"plan {rollout.plan} waits: look at it, roll it out", "rollout", PlanSubject(rollout.plan))
    elif not rollout.plan and seen:
        yield Next("p", "nothing is planned yet: plan the files, and see what hosts would deny", "rollout")


# What a sign says of flows, worst first: the first that there is, is what to look at.
_LOOK = (
    (Sign.WOULD_BE_DENIED, "would be denied in full mode: see the map"),
    (Sign.DENIED, "denied: see the map"),
    (Sign.UNDECIDED, "pass and no rule decides: draw the line on the map"),
)


def _of_traffic(traffic: TrafficSummary) -> Iterator[Next]:
    for sign, words in _LOOK:
        count = traffic.signs.get(sign, SignCount()).flows
        if count:
            yield Next("m", f"{_counted(count, 'flow')} {words}", "map", PictureSubject(sign))
            return
    if traffic.flows:
        yield Next("m", "look at who talks to whom", "map")
    elif not traffic.refused.flows:
        yield Next("t", "nothing was seen yet: ask the hosts who talks to whom", "overview", action="collect")


def _of_assets(assets: AssetsSummary) -> Iterator[Next]:
    if assets.lacking:
        key, count = max(assets.lacking.items(), key=lambda one: one[1])
        verb = "has" if count == 1 else "have"
        yield Next("l", f"{_counted(count, 'host')} {verb} no {key}: label them", "assets", AssetsSubject(f"!{key}"))
    stale = [one.name for one in assets.sources if one.stale]
    if stale:
        yield Next("d", f"{_few(stale)} did not answer, and its assets stand as they were: ask again", "assets")
    elif not assets.assets:
        yield Next("d", "no asset is known: name hosts in hosts.csv or inventory/, then ask the inventory", "assets")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _few(names: Sequence[str], most: int = 3) -> str:
    return first_few(names, most)
