"""What the strip below the matrix says of a cell: every number of every state, who decides, processes, refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ringfence.model.picture import (
    WORST_FIRST,
    PictureCell,
    PictureEdge,
    PictureGroup,
    PolicyState,
    RuleShare,
    Sign,
    SignCount,
)

from ringfence_tui.screens.map.model import all_flows
from ringfence_tui.screens.map.names import how_many, name_of, service_of
from ringfence_tui.spans import OF_SIGN, Row, Span, Tone

SERVICES_SHOWN = 2
DEFAULT, BUILT_IN = "default", "built-in"
NO_RULE = {
    Sign.DENIED: "no rule allows it",
    Sign.WOULD_BE_DENIED: "no rule allows it, the mode does not bite",
    Sign.UNDECIDED: "nothing decides",
    Sign.NOT_JUDGED: "not judged",
}
_STATE_WIDTH = 7


def strip_lines(
    client: PictureGroup,
    server: PictureGroup,
    edge: PictureEdge | None,
    detail: PictureCell | None = None,
    room: int = 5,
) -> tuple[Row, ...]:
    """Return the strip's lines: ends and totals, one a judged state, then processes and refused attempts.

    Without `detail`, which the engine is asked for, the numbers stand alone. States that say the same by the same
    deciders share a line. Where there is not `room` for so many lines, refused attempts stand in the first, and the
    processes are left out.
    """
    if edge is None:
        return (_ends(client, server, ()), (Span("no traffic between them was seen", Tone.DIM),))
    totals = f"   {totals_of(edge)}{_hosts(detail)}"
    states = _states(edge, detail)
    if len(states) + 2 > room:
        refused = Span(f", {edge.refused.flows:,} refused", Tone.DIM)
        return (_ends(client, server, (Span(totals), refused)), *states)
    return (_ends(client, server, (Span(totals),)), *states, _last_line(edge, detail))


def totals_of(edge: PictureEdge) -> str:
    """Return services, flows and connections of an edge, for people."""
    count = all_flows(edge, next(iter(edge.signs))) if edge.signs else SignCount()
    services = [service_of(one) for one in edge.services]
    more = len(services) - SERVICES_SHOWN + edge.more_services
    named = ", ".join(services[:SERVICES_SHOWN]) + (f" and {more} more" if more > 0 else "")
    parts = [named, how_many(count.flows, "flow"), how_many(count.connections, "connection")]
    return ", ".join(part for part in parts if part)


def signs_of(counts: Mapping[Sign, SignCount]) -> Row:
    """Return how many flows have which sign, the worst first: `x 12  + 3`."""
    found: list[Span] = []
    for sign in WORST_FIRST:
        flows = counts.get(sign, SignCount()).flows
        if flows:
            found += [Span("  ")] if found else []
            found.append(Span(f"{sign.value} {flows:,}", OF_SIGN[sign]))
    return tuple(found) or (Span(Sign.NOTHING.value, Tone.DIM),)


def share_text(share: RuleShare, of: int) -> str:
    """Return who decides, where that is written, and how much of it, for people."""
    if share.rule == DEFAULT:
        named = NO_RULE.get(share.sign, "no rule decides")
    elif share.sign is Sign.UNDECIDED:
        named = NO_RULE[share.sign]
    else:
        named = share.name if share.name.startswith(BUILT_IN) else f"'{share.name}'"
    how_many = f"decides {share.count.flows:,} of {of:,}" if share.count.flows != of else ""
    return " ".join(part for part in (named, share.place, how_many) if part)


def _ends(client: PictureGroup, server: PictureGroup, behind: Row) -> Row:
    return (Span(name_of(client), Tone.STRONG), Span("  to  "), Span(name_of(server), Tone.STRONG), *behind)


def _hosts(detail: PictureCell | None) -> str:
    if detail is None or not (detail.clients or detail.servers):
        return ""
    return f", {detail.clients:,} to {how_many(detail.servers, 'host')}"


def _states(edge: PictureEdge, detail: PictureCell | None) -> list[Row]:
    lines: list[tuple[list[PolicyState], Row]] = []
    for state in PolicyState:
        if state not in edge.signs:
            continue
        said = (*signs_of(edge.signs[state]), *_deciders(edge, state, detail))
        if lines and lines[-1][1] == said:
            lines[-1][0].append(state)
        else:
            lines.append(([state], said))
    merged = len(lines) < len(edge.signs)
    return [
        (Span(" ".join(state.value for state in states).ljust(_width(merged)), Tone.DIM), *said)
        for states, said in lines
    ]


def _width(merged: bool) -> int:
    return 18 if merged else _STATE_WIDTH


def _deciders(edge: PictureEdge, state: PolicyState, detail: PictureCell | None) -> Sequence[Span]:
    if detail is None:
        return ()
    flows = all_flows(edge, state).flows
    found = sorted(detail.rules.get(state, ()), key=lambda one: (WORST_FIRST.index(one.sign), -one.count.flows))
    texts = dict.fromkeys(share_text(share, flows) for share in found)
    return (Span(f"  {', '.join(texts)}"),) if texts else ()


def _last_line(edge: PictureEdge, detail: PictureCell | None) -> Row:
    refused = Span(f"refused attempts: {edge.refused.flows:,}", Tone.DIM)
    if detail is None:
        return (refused,)
    seen, into = (
        ", ".join(
            f"{share.process or 'unknown'} {share.count.flows:,}" for share in detail.processes if share.side == side
        )
        for side in ("client", "server")
    )
    if all(share.process is None for share in detail.processes):
        return (Span("process not seen   ", Tone.DIM), refused)
    to = (Span(" to ", Tone.DIM), Span(into)) if into else ()
    return (Span("process ", Tone.DIM), Span(seen or "unknown"), *to, Span("   "), refused)
