"""Flows of a window judged in groups: SQL counts them by the classes of both ends and service, the tables judge those.

What is done in Python grows with distinct ends and with classes, not with flows or pairs of ends.
"""

# ruff: noqa: S608 - the SQL is put together from column names of ours and numbers
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from ringfence.analysis.simulate_classes import EndClasses, ServiceClasses
from ringfence.analysis.simulate_counts import Count
from ringfence.analysis.simulate_ends import END_KINDS, End, Pairs, PlacedEnd, Places
from ringfence.analysis.simulate_judge import Verdict, judge_any
from ringfence.analysis.simulate_judged import Between, Judged
from ringfence.analysis.simulate_sql import GROUP, GROUP_KINDS, JUDGED, SIDES, flows_with_classes
from ringfence.flows.window import FlowWindow
from ringfence.model.services import point_of

END = ("", "_asset", "_unit", "_user")
GONE = -1
_Placed = tuple[End, PlacedEnd | None]
_Group = tuple[int, int, bool, int, int, int]  # both classes, itself, the service's class, flows, connections


def judge_groups(
    window: FlowWindow, places: Places, *, compared: bool, told: Callable[[int], None] | None = None
) -> Judged:
    """Judge the flows of a window, compared with the tables of now or not; `told` hears how many groups are judged."""
    _ = window.distinct
    ends = {side: _ends(window, side, places) for side in SIDES}
    placed = [end for of_side in ends.values() for _, end in of_side if end is not None]
    classes, services = EndClasses(placed), ServiceClasses(placed)
    holders = {name: number for number, name in enumerate(sorted({end.asset for end in placed if end.asset}))}
    for side, of_side in ends.items():
        _keep_ends(window, side, of_side, classes, holders)
    return _judge(window, classes.members, _services(window, services), Pairs(compared), tuple(holders), told)


def _ends(window: FlowWindow, side: str, places: Places) -> list[_Placed]:
    """Return where each distinct end of one side stands."""
    columns = [f"{side}{part}" for part in END]
    said = f"{side}_process IS NOT NULL"
    if not window.distinct.processes:
        columns[2:], said = ("NULL AS unit", "NULL AS owner"), "false"
    query = f"SELECT DISTINCT {', '.join(columns)}, {said} AS said FROM distinct_flows WHERE {JUDGED}"
    order = ", ".join(str(number) for number in range(1, len(END) + 2))
    return [
        (end, places.place(end, SIDES[side]))
        for rows in window.engine.batches(f"{query} ORDER BY {order}")
        for end in map(End._make, rows)
    ]


def _keep_ends(
    window: FlowWindow, side: str, ends: Sequence[_Placed], classes: EndClasses, holders: Mapping[str, int]
) -> None:
    """Make the table of one side's ends with their classes, holders and labels; the class of the gone is GONE."""
    direction, numbered = SIDES[side], classes.number
    numbers = [GONE if one is None else numbered(one, direction) for _, one in ends]
    held = [None if one is None or one.asset is None else holders[one.asset] for _, one in ends]
    labels = [None if one is None else one.label for _, one in ends]
    kinds = END_KINDS if window.distinct.processes else dict(list(END_KINDS.items())[:2])
    columns = [[end[place] for end, _ in ends] for place in range(len(kinds))]
    window.engine.put(
        f"simulated_{side}",
        {**kinds, "class": "INTEGER", "holder": "INTEGER", "label": "INTEGER"},
        [*columns, numbers, held, labels],
    )


def _services(window: FlowWindow, classes: ServiceClasses) -> dict[int, tuple[int, int | None]]:
    """Make the table of distinct services with their classes and return one service of each class."""
    rows = window.engine.rows("SELECT DISTINCT protocol, port FROM distinct_flows ORDER BY protocol, port")
    services = cast("list[tuple[int, int | None]]", rows)
    numbers = [classes.number(protocol, port) for protocol, port in services]
    window.engine.put(
        "simulated_services",
        {"protocol": "UTINYINT", "port": "USMALLINT", "service": "INTEGER"},
        [[protocol for protocol, _ in services], [port for _, port in services], numbers],
    )
    return dict(zip(numbers, services, strict=True))


def _judge(
    window: FlowWindow,
    members: Sequence[PlacedEnd],
    services: Mapping[int, tuple[int, int | None]],
    pairs: Pairs,
    seen: tuple[str, ...],
    told: Callable[[int], None] | None,
) -> Judged:
    """Judge every group of flows, and make the table `simulated` of the groups with their verdicts."""
    query = (
        f"SELECT {GROUP}, count(*) AS flows, sum(f.connections) AS connections FROM {flows_with_classes(window)}"
        f" WHERE f.{JUDGED} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    gone = Count()
    numbers: dict[Verdict, int] = {}
    known: dict[tuple[int, int], int] = {}
    groups: list[_Group] = []
    judged: list[int] = []
    ends, pair = None, None
    for rows in window.engine.batches(query):
        for row in cast("list[_Group]", rows):
            client, server, itself, service, flows, connections = row
            if GONE in (client, server):
                gone += Count(flows, connections)
                continue
            if ends != (client, server, itself) or pair is None:
                ends = (client, server, itself)
                pair = pairs.between(members[client], members[server], itself=itself)
            verdict = known.get((id(pair), service))
            if verdict is None:
                found = judge_any(pair, points(*services[service]))
                verdict = known[id(pair), service] = numbers.setdefault(found, len(numbers))
            groups.append(row)
            judged.append(verdict)
        if told is not None:
            told(len(judged))
    columns = [[group[place] for group in groups] for place in range(len(GROUP_KINDS))]
    window.engine.put("simulated", {**GROUP_KINDS, "verdict": "INTEGER"}, [*columns, judged])
    labels = [member.label for member in members]
    return Judged(window, list(numbers), gone, _refused(window), seen, *_counted(groups, judged, labels))


def _counted(
    groups: Sequence[_Group], judged: Sequence[int], labels: Sequence[int | None]
) -> tuple[dict[int, Count], dict[Between, Count]]:
    """Return the counts of each verdict, and those between two combinations of labels; `labels` are the classes'."""
    between: dict[Between, list[int]] = {}
    for (client, server, _, _, flows, connections), verdict in zip(groups, judged, strict=True):
        one = between.setdefault((labels[client], labels[server], verdict), [0, 0])
        one[0] += flows
        one[1] += connections
    of_verdict: dict[int, list[int]] = {}
    for (_, _, verdict), (flows, connections) in between.items():
        one = of_verdict.setdefault(verdict, [0, 0])
        one[0] += flows
        one[1] += connections
    return {key: Count(*one) for key, one in of_verdict.items()}, {key: Count(*one) for key, one in between.items()}


def _refused(window: FlowWindow) -> Count:
    counted = "SELECT count(*) AS flows, coalesce(sum(f.connections), 0) AS connections"
    rows = window.engine.rows(f"{counted} FROM distinct_flows AS f WHERE NOT (f.{JUDGED})")
    return Count(*cast("tuple[int, int]", rows[0]))


def points(protocol: int, port: int | None) -> Sequence[int]:
    """Return what a service may have been: every type where nobody said the type of an ICMP message."""
    return range(point_of(protocol), point_of(protocol) + 256) if port is None else (point_of(protocol, port),)
