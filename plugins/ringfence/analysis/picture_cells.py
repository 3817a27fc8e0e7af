"""One cell of a picture, down to the single flow and the rules that decide it, and the neighbours of a group."""

# ruff: noqa: S608 - the SQL is put together from names of ours and numbers
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ringfence.analysis.picture_counts import Counting, time_of, whole
from ringfence.analysis.picture_groups import Node, bare
from ringfence.model.errors import InputError
from ringfence.model.picture import (
    Neighbour,
    Neighbours,
    PictureCell,
    PictureEdge,
    PictureEnd,
    PictureFlow,
    PictureGroup,
    PictureService,
    PolicyState,
    ProcessShare,
    RuleShare,
    RuleTraffic,
    Sign,
    SignCount,
)

if TYPE_CHECKING:
    from ringfence.analysis.picture import JudgedPicture

_CELL = (
    "FROM picture_flows AS f WHERE f.client IN (SELECT number FROM picture_cell_client)"
    " AND f.server IN (SELECT number FROM picture_cell_server)"
)


def cell_of(
    picture: JudgedPicture, levels: Sequence[str], client: PictureGroup, server: PictureGroup, limit: int
) -> PictureCell:
    """Return the traffic from one group to another with so many of its flows, the busiest first."""
    grouper = picture.grouper(levels)
    for side, nodes, group in (("client", picture.clients, client), ("server", picture.servers, server)):
        numbers = [number for number, node in enumerate(nodes) if grouper.belongs(node, group)]
        picture.engine.put(f"picture_cell_{side}", {"number": "INTEGER"}, [numbers])
    states = "".join(f", f.{state.value}" for state in picture.states)
    counted = picture.engine.rows(
        f"SELECT f.service, f.refused, count(*), sum(f.connections)::BIGINT, max(f.last){states} {_CELL}"
        " GROUP BY ALL ORDER BY ALL"
    )
    ends = {
        side: picture.engine.rows(
            f"SELECT f.{side}, count(*), sum(f.connections)::BIGINT {_CELL} GROUP BY ALL ORDER BY ALL"
        )
        for side in ("client", "server")
    }
    chosen = picture.engine.rows(
        f"SELECT f.client, f.server, f.service, f.refused, f.connections, f.last{states} {_CELL}"
        f" ORDER BY f.refused, f.connections DESC, f.client, f.server, f.service, f.id LIMIT {limit}"
    )
    every = sum(whole(row[2]) for row in counted)
    return PictureCell(
        client,
        server,
        _edge(picture, counted),
        len({_who(picture.clients[whole(row[0])]) for row in ends["client"]}),
        len({_who(picture.servers[whole(row[0])]) for row in ends["server"]}),
        _rules(picture, counted),
        _processes(picture, ends),
        tuple(flow_of(picture, row) for row in chosen),
        every - len(chosen),
    )


def neighbours_of(
    picture: JudgedPicture,
    levels: Sequence[str],
    group: PictureGroup,
    services: int,
    inside: PictureGroup | None = None,
) -> Neighbours:
    """Return who talks to a group and whom it talks to. Raise InputError where the picture has no such group."""
    found = picture.at(levels, inside, services)
    wanted = bare(group)
    number = next((number for number, one in enumerate(found.groups) if bare(one) == wanted), None)
    if number is None:
        raise InputError("the picture has no such group", remedy="look at the picture of the same levels again")
    numbers = {bare(one): place for place, one in enumerate(picture.grouping(levels, inside).groups)}
    counts = {
        side: _ends_of(picture, nodes, numbers[wanted], mine, theirs)
        for side, nodes, mine, theirs in (
            ("client", picture.clients, "s", "c"),
            ("server", picture.servers, "c", "s"),
        )
    }
    clients: list[Neighbour] = []
    servers: list[Neighbour] = []
    for edge in found.edges:
        for mine, theirs, side, into in (
            (edge.server, edge.client, "client", clients),
            (edge.client, edge.server, "server", servers),
        ):
            if mine == number:
                other = found.groups[theirs]
                into.append(Neighbour(other, edge, counts[side].get(numbers[bare(other)], 0)))
    return Neighbours(found.groups[number], tuple(sorted(clients, key=_busy)), tuple(sorted(servers, key=_busy)))


def traffic_of_rules(picture: JudgedPicture, state: str) -> dict[str, RuleTraffic]:
    """Return what each rule decides of all flows in a state, by its id."""
    rows = picture.engine.rows(
        f"SELECT f.{state}, count(*), sum(f.connections)::BIGINT, max(f.last) FROM picture_flows AS f"
        " WHERE NOT f.refused GROUP BY ALL ORDER BY ALL"
    )
    found: dict[str, tuple[dict[Sign, SignCount], list[datetime]]] = {}
    for number, flows, connections, last in rows:
        verdict, sign = picture.verdicts.verdicts[whole(number)], picture.verdicts.signs[whole(number)]
        for rule in {outcome.rule for _, outcome in verdict.deciding()} if verdict else ():
            signs, times = found.setdefault(rule, ({}, []))
            signs[sign] = signs.get(sign, SignCount()) + SignCount(whole(flows), whole(connections))
            times += [time] if (time := time_of(last)) else []
    return {
        rule: RuleTraffic(rule, sum(signs.values(), SignCount()), signs, max(times, default=None))
        for rule, (signs, times) in sorted(found.items())
    }


def _ends_of(picture: JudgedPicture, nodes: Sequence[Node], group: int, mine: str, theirs: str) -> dict[int, int]:
    """Return how many ends of each group are on the other side of a group's traffic."""
    side = "client" if theirs == "c" else "server"
    rows = picture.engine.rows(
        f"SELECT DISTINCT {theirs}.g, f.{side} FROM picture_flows AS f"
        " JOIN picture_client_group AS c ON c.number = f.client JOIN picture_server_group AS s ON s.number = f.server"
        f" WHERE {mine}.g = {group}"
    )
    found: dict[int, set[str]] = {}
    for of_group, end in rows:
        found.setdefault(whole(of_group), set()).add(_who(nodes[whole(end)]))
    return {of_group: len(ends) for of_group, ends in found.items()}


def _busy(one: Neighbour) -> tuple[object, ...]:
    signs = next(iter(one.edge.signs.values()), {})
    total = sum(count.connections for count in signs.values()) + one.edge.refused.connections
    return (-total, one.group.kind, [value or "" for value in one.group.labels], one.group.name)


def _who(node: Node) -> str:
    return node.asset if node.asset is not None else f"address {node.address}"


def _edge(picture: JudgedPicture, counted: Iterable[tuple[object, ...]]) -> PictureEdge | None:
    whole_edge = Counting(picture.states)
    services: dict[int, Counting] = {}
    for service, refused, flows, connections, last, *verdicts in counted:
        count = SignCount(whole(flows), whole(connections))
        signs = None if refused else [picture.verdicts.place(whole(one)) for one in verdicts]
        whole_edge.add(signs, count, last)
        if not refused:
            services.setdefault(whole(service), Counting(picture.states)).add(signs, count, last)
    if not services and not whole_edge.refused.flows:
        return None
    busiest = sorted(services.items(), key=lambda item: (-item[1].connections, item[0]))
    shown = [PictureService(*picture.flows.services[number], one.signs, one.last) for number, one in busiest]
    return PictureEdge(0, 1, whole_edge.signs, whole_edge.refused, tuple(shown), whole_edge.last)


def _rules(picture: JudgedPicture, counted: Iterable[tuple[object, ...]]) -> dict[PolicyState, tuple[RuleShare, ...]]:
    found: dict[PolicyState, dict[tuple[str, str, Sign], SignCount]] = {state: {} for state in picture.states}
    for _, refused, flows, connections, _, *verdicts in counted:
        if refused:
            continue
        count = SignCount(whole(flows), whole(connections))
        for state, number in zip(picture.states, verdicts, strict=True):
            verdict = picture.verdicts.verdicts[whole(number)]
            sign = picture.verdicts.signs[whole(number)]
            for direction, outcome in verdict.deciding() if verdict else ():
                key = (outcome.rule, direction.value, sign)
                found[state][key] = found[state].get(key, SignCount()) + count
    return {state: shares_of(picture, state, shares) for state, shares in found.items()}


def shares_of(
    picture: JudgedPicture, state: PolicyState, shares: dict[tuple[str, str, Sign], SignCount]
) -> tuple[RuleShare, ...]:
    """Return shares of rules with their names and places, what decides most first."""
    tables = picture.tables[state]
    names = tables.names()
    ordered = sorted(shares.items(), key=lambda item: (-item[1].flows, item[0]))
    return tuple(
        RuleShare(rule, names.get(rule, rule), tables.places.get(rule, ""), side, sign, count)
        for (rule, side, sign), count in ordered
    )


def _processes(picture: JudgedPicture, ends: Mapping[str, Iterable[tuple[object, ...]]]) -> tuple[ProcessShare, ...]:
    found: dict[tuple[str, str | None], SignCount] = {}
    for side, nodes in (("client", picture.clients), ("server", picture.servers)):
        for end, flows, connections in ends[side]:
            key = side, nodes[whole(end)].process
            found[key] = found.get(key, SignCount()) + SignCount(whole(flows), whole(connections))
    ordered = sorted(found.items(), key=lambda item: (item[0][0], -item[1].flows, item[0][1] or ""))
    return tuple(ProcessShare(side, process, count) for (side, process), count in ordered)


def flow_of(picture: JudgedPicture, row: tuple[object, ...]) -> PictureFlow:
    """Return a flow of a row: both ends, service, refused, connections, last, and the verdict of each state."""
    client, server, service, refused, connections, last, *verdicts = row
    protocol, port = picture.flows.services[whole(service)]
    numbers = {} if refused else dict(zip(picture.states, map(whole, verdicts), strict=True))
    judged = {state: picture.verdicts.verdicts[number] for state, number in numbers.items()}
    return PictureFlow(
        _end(picture.clients[whole(client)]),
        _end(picture.servers[whole(server)]),
        protocol,
        port,
        whole(connections),
        time_of(last),
        bool(refused),
        {state: picture.verdicts.signs[number] for state, number in numbers.items()},
        {
            state: tuple(dict.fromkeys(outcome.rule for _, outcome in verdict.deciding())) if verdict else ()
            for state, verdict in judged.items()
        },
    )


def _end(node: Node) -> PictureEnd:
    return PictureEnd(node.address, node.asset, node.process)
