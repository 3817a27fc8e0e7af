"""All that is known of a cell as lines: the panel beside a wide matrix, and its flows one by one."""

from __future__ import annotations

from collections.abc import Sequence

from ringfence.model.picture import (
    PictureCell,
    PictureEdge,
    PictureEnd,
    PictureFlow,
    PictureGroup,
    PictureService,
    PolicyState,
    Sign,
)

from ringfence_tui.screens.map.model import all_flows
from ringfence_tui.screens.map.names import how_many, name_of, service_of
from ringfence_tui.screens.map.strip import share_text, signs_of, totals_of
from ringfence_tui.spans import OF_SIGN, Row, Span, Tone, fitting
from ringfence_tui.subjects import PairSubject


def panel_rows(
    client: PictureGroup, server: PictureGroup, edge: PictureEdge | None, detail: PictureCell | None, height: int
) -> tuple[Row, ...]:
    """Return a cell's lines: ends, every number, who decides, processes, and as many flows as there is room for."""
    rows: list[Row] = [
        (Span(name_of(client), Tone.STRONG),),
        (Span("to ", Tone.DIM), Span(name_of(server), Tone.STRONG)),
        (),
    ]
    if edge is None:
        return (*rows, (Span("no traffic between them was seen", Tone.DIM),))
    rows += [(Span(totals_of(edge)),)]
    if detail is not None:
        rows.append((Span(f"{how_many(detail.clients, 'client')}, {how_many(detail.servers, 'server')}"),))
    rows.append(())
    for state in PolicyState:
        if state in edge.signs:
            rows += _state(state, edge, detail)
    rows.append((Span(f"refused attempts: {edge.refused.flows:,}", Tone.DIM),))
    if detail is not None:
        rows += [(), *_processes(detail), (), *flow_rows(detail, tuple(edge.signs))]
    return fitting(rows, height, "enter lists the flows")


def flow_rows(detail: PictureCell, states: Sequence[PolicyState]) -> list[Row]:
    """Return a line a flow, the busiest first: its sign in each state, ends, service, connections."""
    heads = " ".join(state.value[0] for state in states)
    rows: list[Row] = [(Span(f"{heads}  FLOWS", Tone.TITLE),)]
    rows += [_flow(flow, states) for flow in detail.flows]
    if detail.more:
        rows.append((Span(f"{detail.more:,} more with fewer connections", Tone.DIM),))
    return rows


def _flow(flow: PictureFlow, states: Sequence[PolicyState]) -> Row:
    spans: list[Span] = []
    for state in states:
        sign = flow.signs.get(state, Sign.NOTHING)
        spans += [Span(sign.value, OF_SIGN[sign]), Span(" ")]
    said = service_of(PictureService(flow.protocol, flow.port, {}))
    spans.append(Span(f" {_end(flow.client)} → {_end(flow.server)} {said}  "))
    spans.append(Span(f"{flow.connections:,}", Tone.STRONG))
    if flow.refused:
        spans.append(Span("  refused", Tone.DIM))
    if flow.last is not None:
        spans.append(Span(f"  {flow.last:%m-%d %H:%M}", Tone.DIM))
    return tuple(spans)


def pair_of(flow: PictureFlow) -> PairSubject:
    """Return a flow as what another screen is sent."""
    client, server = (end.asset or end.address for end in (flow.client, flow.server))
    return PairSubject(client, server, service_of(PictureService(flow.protocol, flow.port, {})))


def _end(end: PictureEnd) -> str:
    name = end.asset or end.address
    return f"{name} ({end.process})" if end.process else name


def _state(state: PolicyState, edge: PictureEdge, detail: PictureCell | None) -> list[Row]:
    rows: list[Row] = [(Span(state.value.ljust(7), Tone.DIM), *signs_of(edge.signs[state]))]
    if detail is not None:
        flows = all_flows(edge, state).flows
        shares = dict.fromkeys(share_text(share, flows) for share in detail.rules.get(state, ()))
        rows += [(Span(f"       {text}"),) for text in shares]
    return rows


def _processes(detail: PictureCell) -> list[Row]:
    if not detail.processes:
        return []
    rows: list[Row] = [(Span("PROCESSES", Tone.TITLE),)]
    for share in detail.processes:
        side = "from" if share.side == "client" else "to  "
        name = share.process or "unknown"
        rows.append(
            (Span(f"{side} ", Tone.DIM), Span(name), Span(f"  {how_many(share.count.flows, 'flow')}", Tone.DIM))
        )
    return rows
