"""The neighbour view: who talks to a group, the group, whom it talks to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ringfence.model.picture import (
    WORST_FIRST,
    Neighbour,
    Neighbours,
    Picture,
    PictureGroup,
    Sign,
)

from ringfence_tui.screens.map.middle import middle_rows
from ringfence_tui.screens.map.model import Comparison, all_flows, cell_of, changed
from ringfence_tui.screens.map.names import name_of, service_of
from ringfence_tui.spans import OF_SIGN, Row, Span, Tone
from ringfence_tui.widgets.text import cells, fitted, safe

MIDDLE = 22
BAR = Span("│", Tone.RULE)
ARROW = "─▶"
ROWS_EACH = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Where one is: among the clients (0) or the servers (1), at which of them."""

    side: int = 0
    index: int = 0

    def moved(self, by: int, view: Neighbours) -> Place:
        """Return the place so many edges further on the same side."""
        return replace(self, index=max(0, min(self.index + by, len(side_of(view, self.side)) - 1)))

    def to_side(self, side: int, view: Neighbours) -> Place:
        """Return the place on a side, where there is anything."""
        there = side_of(view, side)
        return Place(side, min(self.index, len(there) - 1)) if there else self


def neighbours_in(picture: Picture, group: PictureGroup, comparison: Comparison) -> Neighbours:
    """Return who talks to a group in a picture and whom it talks to: what changes first, then the worst and busiest."""

    def order(one: Neighbour) -> tuple[object, ...]:
        worst = WORST_FIRST.index(one.edge.worst(comparison.shown))
        return (not changed(one.edge, comparison), worst, -all_flows(one.edge, comparison.shown).connections)

    number = picture.groups.index(group) if group in picture.groups else None
    clients = [Neighbour(picture.groups[edge.client], edge, 0) for edge in picture.edges if edge.server == number]
    servers = [Neighbour(picture.groups[edge.server], edge, 0) for edge in picture.edges if edge.client == number]
    return Neighbours(group, tuple(sorted(clients, key=order)), tuple(sorted(servers, key=order)))


def side_of(view: Neighbours, side: int) -> tuple[Neighbour, ...]:
    """Return the neighbours of a side."""
    return view.servers if side else view.clients


def at(view: Neighbours, place: Place) -> Neighbour | None:
    """Return the neighbour at a place, None where there is none."""
    every = side_of(view, place.side)
    return every[place.index] if place.index < len(every) else None


def neighbour_rows(view: Neighbours, place: Place, comparison: Comparison, width: int, height: int) -> tuple[Row, ...]:
    """Return the view's lines: a heading, then three columns.

    The side that one is on scrolls with its place, the other stands at its beginning; what does not fit is counted.
    """
    sides = width - MIDDLE - 6
    left, right = sides - sides // 2, sides // 2
    body = height - 1
    clients = _side_rows(view, 0, place, comparison, left, body)
    servers = _side_rows(view, 1, place, comparison, right, body)
    middle = middle_rows(view, comparison.shown, body)
    heads = (Span("CLIENTS", Tone.TITLE),), (Span("", Tone.TITLE),), (Span("SERVERS", Tone.TITLE),)
    lines = [heads, *((_of(clients, y), _of(middle, y), _of(servers, y)) for y in range(body))]
    return tuple(
        (Span(" "), *fit(one, left), BAR, Span(" "), *fit(two, MIDDLE), Span(" "), BAR, Span(" "), *fit(three, right))
        for one, two, three in lines
    )


def fit(row: Row, width: int) -> Row:
    """Return a row cut or filled to so many cells; its texts are harmless then."""
    found: list[Span] = []
    for span in row:
        text = safe(span.text)
        short = fitted(text, min(width, cells(text)))
        width -= cells(short)
        found.append(Span(short, span.tone))
    return (*found, Span(" " * width)) if width > 0 else tuple(found)


def _side_rows(view: Neighbours, side: int, place: Place, comparison: Comparison, width: int, height: int) -> list[Row]:
    every = side_of(view, side)
    fits = max(1, (height - 1) // ROWS_EACH)
    first = 0
    if side == place.side and place.index >= fits:
        first = place.index - fits + 1
    rows: list[Row] = []
    for index, one in enumerate(every[first : first + fits], first):
        rows += _neighbour(one, side, comparison, width, chosen=place == Place(side, index))
    behind = [one for index, one in enumerate(every) if not first <= index < first + fits]
    if behind:
        differ = sum(changed(one.edge, comparison) for one in behind)
        which = f", {differ} of them changed" if differ else " without change"
        rows.append((Span(f"{len(behind)} more{which}", Tone.DIM),))
    if not every:
        rows.append((Span("nobody was seen", Tone.DIM),))
    return rows


def _neighbour(one: Neighbour, side: int, comparison: Comparison, width: int, *, chosen: bool) -> tuple[Row, Row]:
    cell = cell_of(one.edge, comparison)
    sign = Span(cell.text, Tone.CHOSEN if chosen else OF_SIGN[cell.sign])
    name = Span(name_of(one.group), Tone.CHOSEN if chosen else Tone.PLAIN)
    ends = f" {one.ends} of {one.group.assets}" if one.ends and one.group.assets else ""
    service = one.edge.services[0] if one.edge.services else None
    told = service_of(service) if service is not None else ""
    more = len(one.edge.services) - 1 + one.edge.more_services
    connections = all_flows(one.edge, comparison.shown).connections
    parts = [told, f"and {more} more" if more > 0 else "", f"{connections:,}"]
    if one.edge.refused.flows:
        parts.append(f"refused {one.edge.refused.flows:,}")
    if cell.sign is Sign.UNDECIDED:
        parts.append("nothing decides: a d")
    below: Row = (Span("   " if side else "  "), Span("  ".join(part for part in parts if part), Tone.DIM))
    if side:
        return (Span(f"{ARROW} "), sign, name, Span(ends, Tone.DIM)), below
    return (*fit((name, Span(ends, Tone.DIM)), max(0, width - 7)), Span(" "), sign, Span(ARROW)), below


def _of(rows: Sequence[Row], y: int) -> Row:
    return rows[y] if y < len(rows) else ()
