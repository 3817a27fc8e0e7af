"""A picture as a matrix of text: a sign, a digit and a mark a cell, for a terminal of so many columns."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import combining, east_asian_width

from ringfence.model.counts import counted
from ringfence.model.picture import WORST_FIRST, Picture, PictureEdge, PolicyState, Sign, SignCount, digit
from ringfence.presenting.line import Line
from ringfence.presenting.map.drawing import connections
from ringfence.presenting.map.levels import LABELLED, coarsened, finest
from ringfence.presenting.map.words import EXPLAINED, STATES, group_name, moment, total

NAME = 34  # columns of a name at most
CELL = 4
NUMBER = 4
LEAST = 8  # groups side by side, however narrow


def matrix(picture: Picture, state: PolicyState, columns: int) -> Iterator[Line]:
    """Yield the matrix of the finest level that fits side by side, then its totals and what the signs mean.

    Where not even the coarsest fits, every pair that talks has a line.
    """
    if not picture.edges:
        until = f" until {moment(picture.until)}" if picture.until else ""
        yield Line(f"no flow was seen{f' since {moment(picture.since)}' if picture.since else ''}{until}")
        return
    for depth in range(finest(picture), 0, -1):
        coarse = coarsened(picture, depth)
        names = [_cut(group_name(group)) for group in coarse.groups]
        wide = max(map(cells, names))
        most = max((columns - wide - NUMBER - 1) // CELL, LEAST)
        if len(names) <= most:
            break
    if (shown := " > ".join(coarse.levels)) != " > ".join(picture.levels):
        yield Line(f"by {shown}: finer groups do not fit in {columns} columns (--html, --csv)", "yellow")
    if len(names) > most:
        yield from _pairs(coarse, state, names, columns)
    else:
        yield from _rows(coarse, state, names)
    yield Line()
    yield from totals(picture, state)


def totals(picture: Picture, state: PolicyState) -> Iterator[Line]:
    """Yield how many flows have each sign, with its meaning, the refused attempts, and what other states say."""
    counts = picture.totals.get(state, {})
    yield Line(f"{state} ({STATES[state]}): {_numbers(total(counts))}", bold=True)
    for sign in WORST_FIRST:
        if counts.get(sign, SignCount()).flows:
            yield Line(f"  {sign}  {EXPLAINED[sign]}: {_numbers(counts[sign])}", _style(sign))
    if picture.refused.flows:
        yield Line(f"  r  refused when they were seen: {_numbers(picture.refused)}")
    for other, signs in picture.totals.items():
        if other is not state:
            said = ", ".join(f"{sign} {signs[sign].flows:,}" for sign in WORST_FIRST if sign in signs)
            yield Line(f"{other} ({STATES[other]}): {said or 'nothing'}")
    if state is not PolicyState.HELD and any(edge.differs(state, PolicyState.HELD) for edge in picture.edges):
        yield Line("  *  differs from what hosts enforce")


def cell(edge: PictureEdge, state: PolicyState) -> str:
    """Return an edge's three characters: its worst sign, the digits of its connections, `*` where held differs."""
    held = PolicyState.HELD
    mark = "*" if state is not held and held in edge.signs and edge.differs(state, held) else " "
    sign = edge.worst(state)
    if sign is Sign.NOTHING and edge.refused.flows:
        return f"r{digit(edge.refused.connections)}{mark}"
    return f"{sign}{digit(connections(edge, state)) or ' '}{mark}"


def _pairs(picture: Picture, state: PolicyState, names: list[str], columns: int) -> Iterator[Line]:
    """Yield a line for each pair that talks, the worst first: so many groups do not fit side by side."""
    yield Line(
        f"{counted(len(names), 'group')} do not fit in {columns} columns: a line for each pair (--html)", "yellow"
    )
    order = {sign: place for place, sign in enumerate(WORST_FIRST)}
    worst = sorted(picture.edges, key=lambda edge: (order.get(edge.worst(state), len(order)), edge.client, edge.server))
    wide = max(cells(names[edge.client]) for edge in worst)
    for edge in worst:
        client = names[edge.client]
        padded = client + " " * (wide - cells(client))
        yield Line(f"  {cell(edge, state)} {padded} to {names[edge.server]}".rstrip())


def _rows(picture: Picture, state: PolicyState, names: list[str]) -> Iterator[Line]:
    signs = {(edge.client, edge.server): cell(edge, state) for edge in picture.edges}
    across = range(len(names))
    wide = max(map(cells, names))
    yield Line(f"{'from':{wide + NUMBER}} " + "".join(f"{number + 1:<{CELL}}" for number in across).rstrip())
    for row, name in enumerate(names):
        if row and _first(picture, row) != _first(picture, row - 1):
            yield Line("─" * (wide + NUMBER + 1 + CELL * len(across)))
        line = "".join(f"{signs.get((row, column), Sign.NOTHING):{CELL}}" for column in across)
        yield Line(f"{row + 1:>{NUMBER - 1}} {name}{' ' * (wide - cells(name))} {line}".rstrip())


def _first(picture: Picture, row: int) -> object:
    group = picture.groups[row]
    return group.labels[:1] if len(picture.levels) > 1 and group.kind in LABELLED else group.kind in LABELLED


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes: wide letters take two, marks on a letter none."""
    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)


def _cut(name: str) -> str:
    if cells(name) <= NAME:
        return name
    while cells(name) > NAME - 1:
        name = name[:-1]
    return f"{name}…"


def _numbers(count: SignCount) -> str:
    flows = "flow" if count.flows == 1 else "flows"
    return f"{count.flows:,} {flows}, {count.connections:,} {'connection' if count.connections == 1 else 'connections'}"


def _style(sign: Sign) -> str | None:
    return {Sign.DENIED: "red", Sign.WOULD_BE_DENIED: "yellow"}.get(sign)
