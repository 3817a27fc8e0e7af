"""What is told of one asset, and of labelling: values and their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.model.asset_events import AssetHistory
from ringfence.model.picture import Sign, SignCount
from ringfence.wire.first_few import first_few

from ringfence_tui.clock import date_and_clock
from ringfence_tui.spans import OF_SIGN, Row, Span, Tone, fitting, row

FAILING = 6  # lines about tests that would fail
HEAD = 11


@dataclass(frozen=True, slots=True)
class DetailRequest:
    """One asset by its name; with `flows` also what it talks with in the window."""

    name: str
    flows: bool = False


@dataclass(frozen=True, slots=True)
class LabelOrigin:
    """A label, what gave it, why, and on whose own word."""

    key: str
    value: str
    by: str
    because: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class AssetDetail:
    """Everything but flows: origins, places, table, drift, and the last change."""

    name: str
    labels: tuple[LabelOrigin, ...]
    lines: tuple[tuple[str, str], ...]
    drift: str = ""


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom an asset talks with: its name, the worst sign, connections, services."""

    name: str
    sign: Sign
    connections: int
    services: str


@dataclass(frozen=True, slots=True)
class AssetFlows:
    """The flows of an asset by direction and sign, with the busiest peers; `more` have no line."""

    name: str
    inbound: tuple[tuple[Sign, SignCount], ...]
    outbound: tuple[tuple[Sign, SignCount], ...]
    clients: tuple[Peer, ...] = ()
    servers: tuple[Peer, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """Assets by name, and the label that they are to get."""

    names: tuple[str, ...]
    label: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The rule that would be written, and what it would do."""

    lines: tuple[str, ...]
    touched: tuple[str, ...]
    replaced: int
    tables: int
    newly_denied: int
    newly_allowed: int
    judged: int
    failing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """The rule was written."""

    file: str


def detail_rows(
    detail: AssetDetail | None, flows: AssetFlows | None, history: AssetHistory | None, width: int
) -> tuple[Row, ...]:
    """Return the rows of an asset; its flows and its history where they were asked for."""
    if detail is None:
        return ()
    found: list[Row] = [row(" ", Span(detail.name, Tone.STRONG))]
    if flows is not None and flows.name == detail.name:
        found += _flow_rows(flows, width)
    if history is not None and history.name == detail.name:
        found += _history_rows(history)
    found += [_label_row(one) for one in detail.labels]
    found += [row(Span(f"   {head:<{HEAD}}", Tone.DIM), text) for head, text in detail.lines]
    if detail.drift:
        found.insert(1, row(Span(f"   {'drift':<{HEAD}}", Tone.DIM), Span(detail.drift, Tone.BAD)))
    return tuple(found)


def _history_rows(history: AssetHistory) -> Iterator[Row]:
    for number, one in enumerate(history.events):
        yield row(
            Span(f"   {'' if number else 'history':<{HEAD}}", Tone.DIM),
            f"{date_and_clock(one.time.isoformat())}  {one.text}",
            Span(f"   {one.of}", Tone.DIM),
        )
    yield row(Span(f"   {'':<{HEAD}}{history.words()}", Tone.DIM))


def _label_row(one: LabelOrigin) -> Row:
    because = f"  {one.because}" if one.because else ""
    told = f"  on the word of {one.told}" if one.told else ""
    return row(
        Span(f"   {one.key:<{HEAD}}", Tone.DIM),
        Span(one.value, Tone.STRONG),
        Span(f"   {one.by}", Tone.PLAIN),
        Span(because, Tone.DIM),
        Span(told, Tone.WARN),
    )


def _flow_rows(flows: AssetFlows, width: int) -> Iterator[Row]:
    yield row(
        Span(f"   {'flows':<{HEAD}}", Tone.DIM), *_counts("in", flows.inbound), *_counts("   out", flows.outbound)
    )
    for arrow, peers in (("from", flows.clients), ("to", flows.servers)):
        for peer in peers:
            yield row(
                Span(f"   {'':<{HEAD}}{arrow:<5}", Tone.DIM),
                Span(f"{peer.sign} ", OF_SIGN[peer.sign]),
                f"{peer.name}  ",
                Span(f"{peer.connections:,}  {peer.services}", Tone.DIM),
            )
    if flows.more:
        yield row(Span(f"   {'':<{HEAD}}and {flows.more:,} more: m shows them on the map", Tone.DIM))


def _counts(word: str, counts: tuple[tuple[Sign, SignCount], ...]) -> Iterator[Span]:
    total = sum(count.flows for _, count in counts)
    yield Span(f"{word} {total:,}")
    if total:
        yield Span(" (")
        for number, (sign, count) in enumerate(counts):
            yield Span(f"{' ' if number else ''}{sign} {count.flows:,}", OF_SIGN[sign])
        yield Span(")")


def preview_rows(preview: Preview, marked: int) -> tuple[Row, ...]:
    """Return what a label rule would do, for the confirmation."""
    touched = f"{len(preview.touched):,} of {marked:,} marked assets get it"
    replaced = f", {preview.replaced:,} lose another value" if preview.replaced else ""
    found = [row(Span(line, Tone.STRONG)) for line in preview.lines]
    found += [
        (),
        row(touched + replaced),
        row(Span(first_few(preview.touched, 4), Tone.DIM)),
        row(f"{preview.tables:,} hosts get another table"),
    ]
    if preview.judged:
        found.append(
            row(
                f"of {preview.judged:,} flows: ",
                Span(f"x newly denied {preview.newly_denied:,}", Tone.DENIED if preview.newly_denied else Tone.DIM),
                "   ",
                Span(f"+ newly allowed {preview.newly_allowed:,}", Tone.ALLOWED if preview.newly_allowed else Tone.DIM),
            )
        )
    failing = [row(Span("✗ would fail: ", Tone.BAD), name) for name in preview.failing]
    return (*found, *fitting(failing, FAILING))
