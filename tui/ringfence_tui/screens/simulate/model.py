"""Judged flows as a person goes through them: by category, rule, label pair, asset, down to the single flow."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ringfence.model.counts import counted
from ringfence.model.picture import Sign

from ringfence_tui.spans import OF_SIGN, Row, Span, Tone, row

KINDS = ("newly_denied", "newly_allowed", "still_denied", "still_allowed")  # the worst first
KIND_WORDS = {kind: kind.replace("_", " ") for kind in KINDS}
KIND_SIGNS = {
    "newly_denied": Sign.DENIED,
    "still_denied": Sign.DENIED,
    "newly_allowed": Sign.ALLOWED,
    "still_allowed": Sign.ALLOWED,
}
SINCE = ("1h", "24h", "7d", "30d", "90d")
USUAL = 2


class By(StrEnum):
    """What a row is."""

    CATEGORY = "category"
    RULE = "rule"
    RULESET = "ruleset"
    PAIR = "label pair"
    ASSET = "asset"
    FLOW = "flow"


# What enter goes on to from a row.
DEEPER = {By.CATEGORY: By.RULE, By.RULESET: By.RULE, By.RULE: By.PAIR, By.PAIR: By.FLOW, By.ASSET: By.FLOW}
_OPTION = {By.RULE: "rule", By.RULESET: "ruleset", By.PAIR: "labels", By.ASSET: "asset", By.FLOW: "flow"}

Labels = tuple[tuple[str, str], ...] | None  # of one end; None for an end of no asset


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that flows are chosen by: what kind of row it was, its words, and what the engine knows it by."""

    by: By
    words: str
    key: str = ""
    labels: tuple[Labels, Labels] = (None, None)

    @property
    def ends(self) -> tuple[str, str]:
        """Return the ends of a label pair as selectors."""
        client, server = map(_selector, self.labels)
        return client, server


@dataclass(frozen=True, slots=True)
class SimulateRequest:
    """Which rows of which flows. `against` is a commit, empty for what hosts hold; `anew` judges again."""

    by: By = By.CATEGORY
    steps: tuple[Step, ...] = ()
    since: str = SINCE[USUAL]
    against: str = ""
    anew: bool = False

    def into(self, step: Step) -> SimulateRequest:
        """Return the rows that one row is made of."""
        kept = tuple(one for one in self.steps if one.by is not step.by)
        return replace(self, by=DEEPER[step.by], steps=(*kept, step))

    def out(self) -> SimulateRequest | None:
        """Return the rows among which the last step was a row, None where there is none."""
        if not self.steps:
            return None if self.by is By.CATEGORY else replace(self, by=By.CATEGORY)
        return replace(self, by=self.steps[-1].by, steps=self.steps[:-1])

    def other(self, by: int) -> SimulateRequest:
        """Return the same flows by the next kind of row that is not settled by a step already."""
        settled = {one.by for one in self.steps}
        every = [one for one in By if one not in settled]
        place = every.index(self.by) if self.by in every else -1
        return replace(self, by=every[(place + by) % len(every)])

    def command(self) -> str:
        """Return the command that says the same."""
        words = ["ringfence", "simulate", "--since", self.since]
        if self.against:
            words += ["--against", self.against]
        for one in self.steps:
            if one.by is By.PAIR:
                words += ["--pair", *one.ends]
            else:
                words += ["--only" if one.by is By.CATEGORY else f"--{_OPTION[one.by]}", one.key]
        if self.by is not By.CATEGORY:
            words += ["--by", _OPTION[self.by]]
        return " ".join(map(shlex.quote, words))


@dataclass(frozen=True, slots=True)
class Side:
    """What one end says of a flow, under the files and before: the rule's name, or `default`."""

    side: str
    verdict: str
    rule: str
    watched: bool = False


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A single flow."""

    client: str
    server: str
    service: str
    process: str
    connections: int
    kind: str
    watched: bool
    depends: bool
    first_seen: str
    last_seen: str
    sides: tuple[Side, ...] = ()
    before: tuple[Side, ...] = ()


@dataclass(frozen=True, slots=True)
class CountRow:
    """A row of counts: its words, flows by KINDS, those that a mode lets pass, connections, and where enter leads."""

    words: str
    counts: tuple[int, ...]
    watched: int
    step: Step | None
    note: str = ""
    connections: int = 0


@dataclass(frozen=True, slots=True)
class SimulateView:
    """What was asked for. `more` rows are not here; `totals` are all judged flows by KINDS; `against` in words."""

    request: SimulateRequest
    rows: tuple[CountRow, ...] = ()
    flows: tuple[FlowRow, ...] = ()
    more: int = 0
    totals: Mapping[str, int] = field(default_factory=dict)
    watched: int = 0
    depends: int = 0
    refused: int = 0
    gone: int = 0
    against: str = ""
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Return how many rows there are here."""
        return len(self.flows) if self.request.by is By.FLOW else len(self.rows)

    @property
    def names(self) -> tuple[object, ...]:
        """Return what each row is, whatever its numbers are."""
        if self.request.by is By.FLOW:
            return tuple((one.client, one.server, one.service, one.process) for one in self.flows)
        return tuple(one.step or one.words for one in self.rows)


def sign_of(counts: Sequence[int], watched: int) -> Sign:
    """Return the worst sign of a row of counts."""
    newly_denied, newly_allowed, still_denied, still_allowed = counts
    if newly_denied or (still_denied and not newly_allowed and not still_allowed):
        return Sign.DENIED
    if watched:
        return Sign.WOULD_BE_DENIED
    if newly_allowed or still_allowed:
        return Sign.ALLOWED
    return Sign.DENIED if still_denied else Sign.NOTHING


def flow_sign(flow: FlowRow) -> Sign:
    """Return the sign of a flow."""
    if flow.watched:
        return Sign.WOULD_BE_DENIED
    if KIND_SIGNS[flow.kind] is Sign.ALLOWED and flow.sides and all(one.rule == "default" for one in flow.sides):
        return Sign.UNDECIDED
    return KIND_SIGNS[flow.kind]


def flow_cells(flow: FlowRow) -> tuple[Span | str, ...]:
    """Return the cells of a flow."""
    sign = flow_sign(flow)
    words = KIND_WORDS[flow.kind] + (", would be denied" if flow.watched else "")
    return (
        Span(str(sign), OF_SIGN[sign]),
        flow.client,
        flow.server,
        flow.service,
        f"{flow.connections:,}",
        Span(words, OF_SIGN[sign]),
    )


def count_cells(one: CountRow) -> tuple[Span | str, ...]:
    """Return the cells of a row of counts."""
    sign = sign_of(one.counts, one.watched)
    newly_denied, newly_allowed, still_denied, still_allowed = one.counts
    return (
        Span(str(sign), OF_SIGN[sign]),
        f"{one.words}, {one.note}" if one.note else one.words,
        _number(newly_denied, Tone.DENIED),
        _number(newly_allowed, Tone.WARN),
        _number(one.watched, Tone.WOULD),
        _number(still_denied, Tone.PLAIN),
        _number(still_allowed, Tone.PLAIN),
    )


def head_rows(view: SimulateView) -> tuple[Row, ...]:
    """Return what is said of all judged flows, and by what the rows are chosen."""
    request = view.request
    against = view.against or "what hosts hold"
    totals = view.totals
    first = row(
        Span(" files", Tone.STRONG),
        f" against {against}   flows of {request.since}   by ",
        Span(request.by.value, Tone.STRONG),
    )
    counts = [Span(" ")]
    for kind, tone in (
        ("newly_denied", Tone.DENIED),
        ("newly_allowed", Tone.WARN),
        ("still_denied", Tone.PLAIN),
        ("still_allowed", Tone.PLAIN),
    ):
        number = totals.get(kind, 0)
        counts.append(Span(f"{number:,} {KIND_WORDS[kind]}  ", tone if number else Tone.DIM))
    counts.append(Span(f"! {view.watched:,} would be", Tone.WOULD if view.watched else Tone.DIM))
    chosen = [Span(" all flows", Tone.DIM)]
    if request.steps:
        chosen = [Span(" ")]
        for number, one in enumerate(request.steps):
            chosen += [Span("  ›  " if number else "", Tone.DIM), Span(f"{one.by.value} ", Tone.DIM), Span(one.words)]
    return (first, tuple(counts), tuple(chosen))


def note_row(view: SimulateView) -> Row:
    """Return what is not judged or not certain, in one row."""
    parts = []
    if view.depends:
        parts.append(f"? {view.depends:,} depend on what was not seen")
    if view.refused:
        parts.append(f"{counted(view.refused, 'refused attempt')}, not judged")
    if view.gone:
        parts.append(f"{view.gone:,} of assets that are gone")
    if view.more:
        parts.append(f"{view.more:,} more rows: narrow it (enter), or {request_limit(view)}")
    return row(Span(" " + "   ".join(parts), Tone.DIM))


def request_limit(view: SimulateView) -> str:
    """Return how the command shows the rest."""
    return f"--limit {view.count + view.more}"


def detail_rows(view: SimulateView, index: int) -> tuple[Row, ...]:
    """Return what is said of one row, below the table."""
    if index >= view.count:
        return (row(Span(" nothing of that kind", Tone.DIM)),)
    if view.request.by is By.FLOW:
        return _flow_detail(view.flows[index])
    one = view.rows[index]
    deeper = DEEPER.get(view.request.by)
    more = f"   enter: by {deeper.value}" if deeper is not None and one.step is not None else ""
    connections = f"{one.connections:,} connections" if one.connections else ""
    return (row(Span(f" {one.words}", Tone.STRONG), Span(f"   {connections}{more}", Tone.DIM)),)


def _flow_detail(flow: FlowRow) -> tuple[Row, ...]:
    process = f" ({flow.process})" if flow.process else ""
    found = [
        row(
            Span(f" {flow.client}", Tone.STRONG),
            f"{process} to ",
            Span(flow.server, Tone.STRONG),
            f" {flow.service}   {flow.connections:,} connections, {flow.first_seen} to {flow.last_seen}",
        )
    ]
    found += [_side_row("files", one) for one in flow.sides]
    found += [_side_row("before", one) for one in flow.before]
    if flow.depends:
        found.append(
            row(Span(" ? another process, ICMP type or name's answer would be judged otherwise", Tone.UNKNOWN))
        )
    return tuple(found)


def _side_row(when: str, one: Side) -> Row:
    sign = Sign.WOULD_BE_DENIED if one.watched else Sign.ALLOWED if one.verdict == "allow" else Sign.DENIED
    where = "outbound" if one.side == "from" else "inbound"
    why = "no rule decides" if one.rule == "default" else one.rule or "nothing is enforced"
    more = ", full mode would deny it" if one.watched else ""
    return row(
        Span(f"   {when:<7}", Tone.DIM), f"{where:<9}", Span(f"{sign} {one.verdict}", OF_SIGN[sign]), f"  {why}{more}"
    )


def _selector(labels: Labels) -> str:
    if labels is None:
        return "unknown"
    return ",".join(f"{key}={value}" for key, value in labels) or "any"


def _number(number: int, tone: Tone) -> Span:
    return Span(f"{number:,}", tone) if number else Span("·")
