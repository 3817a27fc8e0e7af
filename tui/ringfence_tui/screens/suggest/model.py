"""Suggested rules as rows: what each says, what it rests on, what it would allow beyond, and what it would break."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.model.counts import counted
from ringfence.wire.first_few import first_few

from ringfence_tui.spans import Row, Span, Tone, row

SAID = 74  # cells of a line of what a rule says
DIALS = ("tight", "balanced", "wide")


@dataclass(frozen=True, slots=True)
class SuggestRequest:
    """How tight rules are, and of which time."""

    dial: str = "balanced"
    since: str = "7d"

    @property
    def other(self) -> str:
        """Return the next word of the dial."""
        return DIALS[(DIALS.index(self.dial) + 1) % len(DIALS)]


@dataclass(frozen=True, slots=True)
class TakeRequest:
    """A suggestion by its id, as a person edited it; "" for as it is."""

    request: SuggestRequest
    suggestion: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class RejectRequest:
    """A suggestion that is not wanted, and why."""

    request: SuggestRequest
    suggestion: str
    because: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A suggested rule. `text` is it as lines of a file; `breaks` what it would break; `taken`: it is in the draft."""

    id: str
    name: str
    ends: str
    services: str
    text: str
    file: str
    evidence: str
    beyond: str
    flows: int
    connections: int
    pairs_beyond: int
    pairs: int
    baseline: bool = False
    breaks: tuple[str, ...] = ()
    taken: bool = False

    @property
    def wide(self) -> bool:
        """Return whether it allows more than was seen by a half."""
        return self.pairs_beyond > self.pairs / 2


@dataclass(frozen=True, slots=True)
class Offers:
    """All suggestions; `kept` is what none is suggested for, `rejected` what somebody did not want, with the reason.

    `draft` is the version of the draft that they were marked by; `more` suggestions are not here.
    """

    request: SuggestRequest
    offers: tuple[Offer, ...] = ()
    kept: tuple[str, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()
    flows: int = 0
    allowed: int = 0
    effect: str = ""
    same_as: tuple[str, ...] = ()
    draft: str = ""
    more: int = 0


def head_rows(view: Offers) -> tuple[Row, ...]:
    """Return how many there are, of what, and what all together would do."""
    taken = sum(one.taken for one in view.offers)
    first = row(
        Span(f" {counted(len(view.offers) + view.more, 'suggestion')}", Tone.STRONG),
        Span(f", the first {len(view.offers):,} here, y for all" if view.more else "", Tone.WARN),
        f"   dial {view.request.dial}   {view.flows:,} flows, {view.allowed:,} allowed",
        Span(f"   in the draft {taken} *" if taken else "", Tone.WARN),
    )
    same = f"   the same at {' or '.join(view.same_as)}" if view.same_as else ""
    return (first, row(Span(f" {view.effect}{same}", Tone.DIM)))


def cells(one: Offer) -> tuple[Span | str, ...]:
    """Return the cells of a suggestion."""
    note = "breaks" if one.breaks else "baseline" if one.baseline else ""
    return (
        Span("*" if one.taken else "", Tone.WARN),
        Span(one.name, Tone.WARN if one.taken else Tone.PLAIN),
        one.ends,
        one.services,
        f"{one.flows:,}",
        Span(f"{one.pairs_beyond:,}/{one.pairs:,}", Tone.WARN if one.wide else Tone.PLAIN),
        Span(note, Tone.BAD if one.breaks else Tone.DIM),
    )


def detail_rows(view: Offers, index: int) -> tuple[Row, ...]:
    """Return one suggestion whole; where there is none, why."""
    if index >= len(view.offers):
        said = "no flow was seen: flows collect keeps some" if not view.flows else "the policy allows what was seen"
        return (row(Span(f" nothing to suggest: {said}", Tone.DIM)), *_more(view))
    one = view.offers[index]
    where = f"   {one.file}   {one.id}" + ("   in the draft" if one.taken else "")
    rows: list[Row] = [row(Span(f" {one.name}", Tone.STRONG), Span(where, Tone.DIM))]
    said = "  ".join(line.strip() for line in one.text.splitlines()[1:])
    rows += [row(f"   {line}") for line in textwrap.wrap(said, SAID) or [""]]
    rows.append(row(Span(f" {one.evidence}")))
    rows.append(row(Span(f" {one.beyond}", Tone.WARN if one.wide else Tone.PLAIN)))
    rows += [row(Span(f" ✗ breaks the {words}", Tone.BAD)) for words in one.breaks]
    return (*rows, *_more(view))


def _more(view: Offers) -> Sequence[Row]:
    rows = []
    if view.kept:
        rows.append(row(Span(f" kept out: {first_few(view.kept, 2, '; ')}", Tone.DIM)))
    if view.rejected:
        words = first_few([f"{name}: {why}" for name, why in view.rejected], 2, "; ")
        rows.append(row(Span(f" rejected {len(view.rejected)}: {words}", Tone.DIM)))
    return rows
