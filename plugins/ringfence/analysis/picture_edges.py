"""The edges of a picture: flows counted between groups, all of them or those alone that a change judged otherwise."""

# ruff: noqa: S608 - the SQL is put together from names of ours and numbers
from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from ringfence.analysis.picture_counts import time_of
from ringfence.model.picture import WORST_FIRST, Picture, PictureEdge, PictureService, PolicyState, Sign, SignCount

if TYPE_CHECKING:
    from ringfence.analysis.picture import JudgedPicture
    from ringfence.analysis.picture_groups import Grouping
    from ringfence.model.picture import PictureGroup

Pair = tuple[int, int]
Signs = dict[PolicyState, Mapping[Sign, SignCount]]
# Rows of counts are (flows, connections, last, a sign's place in WORST_FIRST for each state).
Counts = Sequence[object]
_PAIR = itemgetter(0, 1)
_SERVICE = itemgetter(2)
PART = 4  # with more than one in so many edges stale, all are made anew


@dataclass(frozen=True, slots=True)
class Grouped:
    """A picture, the numbers of its groups in their grouping, and the last change of verdicts that it knows."""

    picture: Picture
    numbers: tuple[int, ...]
    change: int


def grouped(
    judged: JudgedPicture, levels: tuple[str, ...], inside: PictureGroup | None, services: int, change: int
) -> Grouped:
    """Return the picture of all flows."""
    grouping = judged.grouping(levels, inside)
    edges = list(_edges(judged, services))
    numbers = tuple(sorted({end for edge in edges for end in (edge.client, edge.server)} | grouping.within))
    groups = tuple(grouping.groups[number] for number in numbers)
    placed = tuple(_placed(edges, numbers))
    refused = sum((edge.refused for edge in placed if edge.refused.flows), SignCount())
    totals = _totals(judged.states, placed)
    picture = Picture(levels, groups, placed, totals, refused, judged.window.since, judged.window.until)
    return Grouped(picture, numbers, change)


def regrouped(judged: JudgedPicture, before: Grouped, grouping: Grouping, services: int, change: int) -> Grouped | None:
    """Return the picture with those edges made anew whose flows were judged since, the others as they are.

    None where so many are stale that all are made faster; `grouping` is that of the picture, and in its tables.
    """
    picture = before.picture
    stale = _stale(judged, before.change, grouping)
    if len(stale) * PART > len(picture.edges):
        return None
    if not stale:
        return replace(before, change=change)
    places = {number: place for place, number in enumerate(before.numbers)}
    wanted = {(places[client], places[server]) for client, server in stale}
    made = {(edge.client, edge.server): edge for edge in _placed(_edges(judged, services, stale), before.numbers)}
    edges: list[PictureEdge] = []
    old: list[PictureEdge] = []
    for edge in picture.edges:
        pair = (edge.client, edge.server)
        if pair in wanted and made[pair] != edge:
            old.append(edge)
            edges.append(made[pair])
        else:
            edges.append(edge)
    less = _totals(judged.states, old)
    more = _totals(judged.states, [made[edge.client, edge.server] for edge in old])
    totals = {state: _moved(picture.totals[state], less[state], more[state]) for state in judged.states}
    return Grouped(replace(picture, edges=tuple(edges), totals=totals), before.numbers, change)


def _stale(judged: JudgedPicture, change: int, grouping: Grouping) -> set[Pair]:
    """Return the pairs of groups that hold flows whose verdict changed since a change."""
    rows = judged.engine.rows(
        "SELECT DISTINCT c.g, s.g FROM picture_changes AS f JOIN picture_client_group AS c ON c.number = f.client"
        " JOIN picture_server_group AS s ON s.number = f.server"
        f" WHERE f.change > {change} AND (c.within OR s.within)"
    )
    return {cast(Pair, row) for row in rows}


def _edges(judged: JudgedPicture, services: int, chosen: Collection[Pair] | None = None) -> Iterator[PictureEdge]:
    """Yield the edges in their order, between numbers of groups: all, or those of some pairs."""
    columns, joins = judged.signs_sql()
    flows = "picture_flows"
    if chosen is not None:
        judged.engine.put(
            "picture_stale", {"c": "INTEGER", "s": "INTEGER"}, [list(c) for c in zip(*chosen, strict=True)]
        )
        flows = (
            "(SELECT f.* FROM picture_flows AS f"
            " WHERE f.client IN (SELECT g.number FROM picture_client_group AS g JOIN picture_stale AS t ON t.c = g.g)"
            " AND f.server IN (SELECT g.number FROM picture_server_group AS g JOIN picture_stale AS t ON t.s = g.g))"
        )
    only = "c.within OR s.within" if chosen is None else "(c.g, s.g) IN (SELECT t.c, t.s FROM picture_stale AS t)"
    judged.engine.keep(
        "picture_counted",
        f"SELECT c.g AS c, s.g AS s, f.service, f.refused{columns}, count(*) AS flows,"
        f" sum(f.connections)::BIGINT AS connections, max(f.last) AS last FROM {flows} AS f"
        f" JOIN picture_client_group AS c ON c.number = f.client"
        f" JOIN picture_server_group AS s ON s.number = f.server{joins} WHERE {only} GROUP BY ALL",
    )
    states = judged.states
    signs = "".join(f", {one.value}" for one in states)
    of_services = _services(judged, services, signs)
    rows = judged.engine.rows(
        f"SELECT c, s, refused, sum(flows)::BIGINT, sum(connections)::BIGINT, max(last){signs} FROM picture_counted"
        " GROUP BY ALL ORDER BY ALL"
    )
    for (client, server), every in groupby(rows, _PAIR):
        answered: list[Counts] = []
        refused = SignCount()
        last = None
        for row in every:
            if row[2]:
                refused += SignCount(cast(int, row[3]), cast(int, row[4]))
            else:
                answered.append(row[3:])
            last = _later(last, row[5])
        shown, more = of_services.get((client, server), ((), 0))
        yield PictureEdge(client, server, _signs(states, answered), refused, shown, time_of(last), more)


def _services(judged: JudgedPicture, most: int, signs: str) -> dict[Pair, tuple[tuple[PictureService, ...], int]]:
    """Return the busiest services of each edge, and how many others it has."""
    rows = judged.engine.rows(
        "WITH t AS (SELECT c, s, service, sum(connections) AS total FROM picture_counted WHERE NOT refused"
        " GROUP BY ALL),"
        " r AS (SELECT c, s, service, row_number() OVER (PARTITION BY c, s ORDER BY total DESC, service) AS place,"
        " count(*) OVER (PARTITION BY c, s) AS every FROM t)"
        f" SELECT c, s, place, service, every, flows, connections, last{signs}"
        " FROM picture_counted AS p JOIN r USING (c, s, service)"
        f" WHERE NOT p.refused AND place <= {most} ORDER BY 1, 2, 3"
    )
    found: dict[Pair, tuple[tuple[PictureService, ...], int]] = {}
    named, states = judged.flows.services, judged.states
    for pair, of_edge in groupby(rows, _PAIR):
        shown = []
        more = 0
        for _, of_service in groupby(of_edge, _SERVICE):
            every = list(of_service)
            protocol, port = named[cast(int, every[0][3])]
            more = max(0, cast(int, every[0][4]) - most)
            last = None
            for row in every:
                last = _later(last, row[7])
            shown.append(PictureService(protocol, port, _signs(states, [row[5:] for row in every]), time_of(last)))
        found[pair] = tuple(shown), more
    return found


def _signs(states: Sequence[PolicyState], rows: Sequence[Counts]) -> Signs:
    """Return what rows count by state and sign; states that say the same share what they say."""
    if len(rows) == 1:
        flows, connections, _, *codes = rows[0]
        count = SignCount(cast(int, flows), cast(int, connections))
        known = {code: {WORST_FIRST[cast(int, code)]: count} for code in dict.fromkeys(codes)}
        return {state: known[code] for state, code in zip(states, codes, strict=True)}
    found: Signs = {}
    said: dict[tuple[object, ...], Mapping[Sign, SignCount]] = {}
    for place, state in enumerate(states, 3):
        column = tuple(row[place] for row in rows)
        if column not in said:
            counts: dict[object, list[int]] = {}
            for code, row in zip(column, rows, strict=True):
                both = counts.setdefault(code, [0, 0])
                both[0] += cast(int, row[0])
                both[1] += cast(int, row[1])
            said[column] = {WORST_FIRST[cast(int, code)]: SignCount(*both) for code, both in counts.items()}
        found[state] = said[column]
    return found


def _placed(edges: Iterable[PictureEdge], numbers: Sequence[int]) -> Iterator[PictureEdge]:
    """Yield edges between places of groups in a picture, in place of their numbers in the grouping."""
    places = {number: place for place, number in enumerate(numbers)}
    for one in edges:
        client, server = places[one.client], places[one.server]
        if (client, server) == (one.client, one.server):
            yield one
        else:
            yield PictureEdge(client, server, one.signs, one.refused, one.services, one.last, one.more_services)


def _totals(states: Sequence[PolicyState], edges: Iterable[PictureEdge]) -> dict[PolicyState, dict[Sign, SignCount]]:
    counts: dict[PolicyState, dict[Sign, list[int]]] = {state: {} for state in states}
    for edge in edges:
        for state, signs in edge.signs.items():
            of_state = counts[state]
            for sign, count in signs.items():
                both = of_state.setdefault(sign, [0, 0])
                both[0] += count.flows
                both[1] += count.connections
    return {state: {sign: SignCount(*both) for sign, both in of.items()} for state, of in counts.items()}


def _moved(
    total: Mapping[Sign, SignCount], less: Mapping[Sign, SignCount], more: Mapping[Sign, SignCount]
) -> Mapping[Sign, SignCount]:
    """Return counts without some, and with others; a sign that nothing has any more is not there."""
    none = SignCount()
    found = {}
    for sign in {**total, **more}:
        was, gone, new = (counts.get(sign, none) for counts in (total, less, more))
        count = SignCount(was.flows - gone.flows + new.flows, was.connections - gone.connections + new.connections)
        if count.flows:
            found[sign] = count
    return found


def _later(one: datetime | None, other: object) -> datetime | None:
    if not isinstance(other, datetime):
        return one
    return other if one is None else max(one, other)
