"""The middle of the neighbour view: the group's hosts and their modes, what listens there, the rules that decide."""

from __future__ import annotations

from collections.abc import Sequence

from ringfence.model.picture import GroupMiddle, ModeShare, Neighbours, PolicyState, RuleShare

from ringfence_tui.screens.map.names import how_many, name_of, service_of
from ringfence_tui.spans import OF_SIGN, Row, Span, Tone

SERVICES_SHOWN = 4
DEFAULT = "default"


def middle_rows(view: Neighbours, state: PolicyState, height: int) -> list[Row]:
    """Return what is said of the group itself, in so many lines: what the picture knows until the engine told more."""
    rows: list[Row] = [(Span(name_of(view.group), Tone.STRONG),)]
    if view.group.assets:
        rows.append((Span(how_many(view.group.assets, "host")),))
    if view.middle is None:
        return rows + _services(view)
    rows += [(Span(mode_text(one)),) for one in view.middle.modes.get(state, ())]
    room = max(2, height - len(rows))
    rules = _rules(view.middle.rules.get(state, ()))
    listening = _listening(view.middle)
    of_rules = min(len(rules) + 1, max((room + 1) // 2, room - len(listening) - 1))
    rows += _cut("listens", listening, room - of_rules)
    return rows + _cut("rules that decide", rules, of_rules)


def mode_text(one: ModeShare) -> str:
    """Return modes for people: `full 4`, `full/observe 2` (inbound, outbound), `holds nothing 1`."""
    if not one.inbound:
        return f"holds nothing {one.hosts:,}"
    if one.inbound == one.outbound:
        return f"{one.inbound} {one.hosts:,}"
    return f"{one.inbound}/{one.outbound} {one.hosts:,}"


def _listening(middle: GroupMiddle) -> list[Row]:
    return [
        (Span(f" {service_of(one)} "), Span(one.process or f"{one.connections:,}", Tone.DIM))
        for one in middle.listening
    ]


def _rules(shares: Sequence[RuleShare]) -> list[Row]:
    """Return a line a rule with the sign of most of its flows; the shares are ordered so."""
    found: dict[str, Row] = {}
    for one in shares:
        name = "no rule" if one.rule == DEFAULT else one.name
        found.setdefault(one.rule, (Span(f" {one.sign.value} ", OF_SIGN.get(one.sign, Tone.DIM)), Span(name)))
    return list(found.values())


def _cut(title: str, rows: list[Row], room: int) -> list[Row]:
    """Return a title and as many rows as there is room for; the last line counts the others."""
    if not rows or room < 2:
        return []
    head: Row = (Span(title, Tone.DIM),)
    if len(rows) + 1 <= room:
        return [head, *rows]
    shown = room - 2
    return [head, *rows[:shown], (Span(f" {len(rows) - shown} more", Tone.DIM),)]


def _services(view: Neighbours) -> list[Row]:
    """Return what the group serves and uses as the picture tells it, the busiest first."""
    rows: list[Row] = []
    for title, side in (("serves", view.clients), ("uses", view.servers)):
        found: dict[str, int] = {}
        for one in side:
            for service in one.edge.services:
                counts = next(iter(service.signs.values()), {})
                total = sum(count.connections for count in counts.values())
                found[service_of(service)] = found.get(service_of(service), 0) + total
        if found:
            busiest = sorted(found.items(), key=lambda item: (-item[1], item[0]))
            rows += [(Span(title, Tone.DIM),)]
            rows += [(Span(f" {word} "), Span(f"{total:,}", Tone.DIM)) for word, total in busiest[:SERVICES_SHOWN]]
            if len(busiest) > SERVICES_SHOWN:
                rows.append((Span(f" {len(busiest) - SERVICES_SHOWN} more", Tone.DIM),))
    return rows
