"""Why a connection is allowed or denied: both sides, the nearest rule, what was seen, what hosts hold. As rows."""

from __future__ import annotations

import shlex
import textwrap
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.model.counts import counted
from ringfence.model.picture import Sign

from ringfence_tui.ages import ago
from ringfence_tui.spans import OF_SIGN, Row, Span, Tone, row

DEFAULT = "default"
OFFERS = 40
SEEN = 3  # lines of what was seen
VERDICTS = {
    Sign.DENIED: "DENIED",
    Sign.WOULD_BE_DENIED: "ALLOWED, mode full would deny it",
    Sign.NOT_JUDGED: "ALLOWED, not judged: nothing is known of one end",
    Sign.UNDECIDED: "ALLOWED, no rule decides",
    Sign.ALLOWED: "ALLOWED",
}


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """Two ends (assets or addresses), a service in words, a process of the client or nothing."""

    client: str = ""
    server: str = ""
    service: str = ""
    process: str = ""

    @property
    def whole(self) -> bool:
        """Return whether enough is said to be answered."""
        return bool(self.client and self.server and self.service)

    def command(self) -> str:
        """Return the command that says the same."""
        words = ["ringfence", "explain", self.client or "FROM", self.server or "TO", self.service or "SERVICE"]
        if self.process:
            words += ["--process", self.process]
        return " ".join(map(shlex.quote, words))


@dataclass(frozen=True, slots=True)
class Words:
    """What fields complete with: names of assets, services and processes, each sorted."""

    assets: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelView:
    """A label and where it comes from."""

    key: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class SideView:
    """What one end decides. `tiers` are the policy's tiers in order with the name of the rule that decides there."""

    end: str
    sign: Sign
    verdict: str
    rule: str
    rule_id: str
    place: str
    mode: str
    mode_place: str
    process: str
    notes: tuple[str, ...]
    labels: tuple[LabelView, ...]
    tiers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What becomes of some services; `beside` is what other firewalls do with what is allowed, in a few words."""

    sign: Sign
    client: str
    server: str
    services: str
    sides: tuple[SideView, SideView]
    nearest: str = ""
    nearest_place: str = ""
    misses: tuple[str, ...] = ()
    other: bool = False
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Explained:
    """All answers by the files; `more` of them are not here."""

    request: ExplainRequest
    answers: tuple[AnswerView, ...]
    map_words: tuple[str, str] = ("", "")
    more: int = 0


@dataclass(frozen=True, slots=True)
class OtherStates:
    """The verdict of each answer's services by what hosts hold and by the draft; "" where nothing is known of it."""

    held: tuple[str, ...] = ()
    draft: tuple[str, ...] = ()
    draft_error: str = ""


@dataclass(frozen=True, slots=True)
class ReadView:
    """What a host is known to hold."""

    host: str
    table: str
    seen: str
    word: str
    well: bool | None


@dataclass(frozen=True, slots=True)
class SeenView:
    """What was seen on a service, by the client's process."""

    service: str
    process: str
    refused: bool
    connections: int
    last: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What was seen, what was read, what other states say; None where it is not known yet."""

    states: OtherStates | None = None
    reads: tuple[ReadView, ...] | None = None
    seen: tuple[SeenView, ...] | None = None
    since: str = "7d"


@dataclass(frozen=True, slots=True)
class Offer:
    """A rule that would allow the connection: its lines, and the file that it goes into."""

    lines: tuple[str, ...]
    file: str


def completions(known: Sequence[str], before: str) -> tuple[str, ...]:
    """Return the words that a text could go on with; `known` is sorted."""
    start = bisect_left(known, before)
    found = []
    for word in known[start : start + OFFERS]:
        if not word.startswith(before):
            break
        found.append(word)
    return tuple(found)


def head_row(explained: Explained | None, index: int, beside: Beside) -> Row:
    """Return the verdict in one line, with those of the other states."""
    if explained is None or not explained.answers:
        return row(Span(" from, to and a service: enter answers", Tone.DIM))
    one = explained.answers[index]
    decided = [
        f"{side.end}, {word}"
        for side, word in zip(one.sides, ("outbound", "inbound"), strict=True)
        if side.sign is one.sign and one.sign in (Sign.DENIED, Sign.WOULD_BE_DENIED)
    ]
    spans = [Span(f" {one.sign} {VERDICTS[one.sign]}", OF_SIGN[one.sign])]
    if one.beside:
        spans.append(Span(f" by Ringfence, {one.beside}", Tone.WARN))
    if decided:
        spans.append(Span(f"  by {' and '.join(decided)}"))
    spans.append(Span(f"   {one.services}", Tone.STRONG))
    if len(explained.answers) > 1:
        more = f" and {explained.more:,} more: name a service" if explained.more else ""
        spans.append(Span(f"   answer {index + 1} of {len(explained.answers)}{more}", Tone.WARN))
    return tuple(spans)


def states_row(explained: Explained | None, index: int, beside: Beside) -> Row:
    """Return what hosts hold, the files and the draft say."""
    if explained is None or not explained.answers:
        return ()
    one = explained.answers[index]
    held = draft = "…"
    if beside.states is not None:
        held = _at(beside.states.held, index) or "–"
        draft = _at(beside.states.draft, index) or str(one.sign)
    spans = []
    for word, sign in (("held", held), ("files", str(one.sign)), ("draft", draft)):
        tone = OF_SIGN[Sign(sign)] if sign in {str(known) for known in Sign} else Tone.DIM
        spans += [Span(f" {word} ", Tone.DIM), Span(f"{sign}  ", tone)]
    if beside.states is not None and beside.states.draft_error:
        spans.append(Span(f" the draft is no policy: {beside.states.draft_error}", Tone.WARN))
    if one.other:
        spans.append(Span(f" otherwise between {one.client} and {one.server}", Tone.WARN))
    return tuple(spans)


def side_rows(side: SideView, inbound: bool, width: int) -> tuple[Row, ...]:
    """Return what one end decides, in so many cells."""
    where = "inbound" if inbound else "outbound"
    what = "allow" if side.verdict == "allow" else "deny"
    rows = [
        row(Span(f" {side.end}", Tone.STRONG), f", {where}"),
        *_wrapped(f" {side.sign} {what}  ", side.rule, OF_SIGN[side.sign], width),
    ]
    if side.place and side.place != side.mode_place:
        rows.append(row(Span(f"   {side.place}", Tone.DIM)))
    if side.process:
        rows.append(row(Span("   for ", Tone.DIM), side.process))
    if side.mode:
        rows.append(row(Span("   mode   ", Tone.DIM), f"{side.mode}  ", Span(side.mode_place, Tone.DIM)))
    for number, label in enumerate(side.labels):
        head = "labels" if not number else ""
        rows.append(row(Span(f"   {head:<7}", Tone.DIM), f"{label.key}={label.value}  ", Span(label.origin, Tone.DIM)))
    for number, (tier, rule) in enumerate(side.tiers):
        head = "tiers" if not number else ""
        tone = Tone.DIM if rule == "–" else Tone.STRONG
        rows.append(row(Span(f"   {head:<7}{tier} ", Tone.DIM), Span(rule, tone)))
    for note in side.notes:
        rows += _wrapped("   ", note, Tone.WARN, width)
    return tuple(rows)


def foot_rows(explained: Explained | None, index: int, beside: Beside, width: int = 80) -> tuple[Row, ...]:
    """Return the nearest rule, what was seen, and what was read of the hosts."""
    if explained is None or not explained.answers:
        return ()
    one = explained.answers[index]
    rows: list[Row] = []
    if one.nearest:
        misses = "; ".join(one.misses) or "chooses both ends and the service, but does not decide"
        said = f"'{one.nearest}' {one.nearest_place}  {misses}"
        rows += _wrapped(" nearest  ", said, Tone.TITLE, width)
    rows += _seen_rows(beside)
    for read in beside.reads or ():
        tone = Tone.GOOD if read.well else Tone.PLAIN if read.well is None else Tone.BAD
        table = f"table {read.table[:4]}…" if read.table else "no table of ours"
        rows.append(
            row(Span(" kernel   ", Tone.TITLE), f"{read.host} {table}  ", Span(read.word, tone), f"  {ago(read.seen)}")
        )
    if beside.reads is not None and not beside.reads:
        rows.append(row(Span(" kernel   ", Tone.TITLE), Span("nothing was rolled out to these ends yet", Tone.DIM)))
    return tuple(rows)


def _seen_rows(beside: Beside) -> list[Row]:
    head = Span(" seen     ", Tone.TITLE)
    if beside.seen is None:
        return [row(head, Span("…", Tone.DIM))]
    if not beside.seen:
        return [row(head, Span(f"nothing within {beside.since}", Tone.DIM))]
    found = []
    for number, one in enumerate(beside.seen[:SEEN]):
        what = counted(one.connections, "refused attempt" if one.refused else "connection")
        process = f", from {one.process}" if one.process else ""
        more = len(beside.seen) - SEEN if number == SEEN - 1 else 0
        found.append(
            row(
                head if not number else Span(" " * 10),
                Span(what, Tone.WARN if one.refused else Tone.PLAIN),
                f" {one.service}, last {one.last}{process}",
                Span(f"   and {more:,} more: m shows them on the map" if more > 0 else "", Tone.DIM),
            )
        )
    return found


def _wrapped(head: str, text: str, tone: Tone, width: int) -> list[Row]:
    lines = textwrap.wrap(text, max(12, width - len(head) - 1)) or [""]
    first = row(Span(head, tone), Span(lines[0], tone if not head.strip() else Tone.PLAIN))
    return [
        first,
        *(row(Span(" " * len(head)), Span(line, tone if not head.strip() else Tone.PLAIN)) for line in lines[1:]),
    ]


def _at(signs: Sequence[str], index: int) -> str:
    return signs[index] if index < len(signs) else ""
