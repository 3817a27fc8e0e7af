"""Flows of a window judged in groups: SQL counts them by the classes of both ends and service, the tables judge those.

What is done in Python grows with distinct ends and with classes, not with flows or pairs of ends.
"""

# ruff: noqa: S608 - the SQL is put together from column names of ours and numbers
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from ringfence.analysis.simulate_classes import EndClasses, ServiceClasses
from ringfence.analysis.simulate_counts import Count, Evidence, Tallied
from ringfence.analysis.simulate_ends import END_KINDS, End, Pairs, PlacedEnd, Places
from ringfence.analysis.simulate_judge import Verdict, judge_any
from ringfence.flows.distinct import KEY, busiest_first, same_key
from ringfence.flows.window import FlowWindow
from ringfence.model.flows import REFUSED
from ringfence.model.rules import Direction
from ringfence.model.services import point_of

SIDES = {"client": Direction.OUT, "server": Direction.IN}
END = ("", "_asset", "_unit", "_user")
GONE = -1
_JUDGED = f"outcome <> '{REFUSED}'"
_GROUP = (
    "c.class AS client_class, s.class AS server_class, coalesce(c.holder = s.holder, false) AS itself,"
    " v.service AS service"
)
_GROUPED = {
    "client_class": "INTEGER",
    "server_class": "INTEGER",
    "itself": "BOOLEAN",
    "service": "INTEGER",
    "flows": "BIGINT",
    "connections": "HUGEINT",
}
FLOWS = "count(*) AS flows, sum(connections) AS total"
_PROCESS = {"unit": "unit", "user": "owner"}
_Between = tuple[int | None, int | None, int]


@dataclass(frozen=True)
class Judged:
    """The verdicts of a window's flows: `verdicts` holds each distinct one, tables of the window which flow has which.

    `gone` are flows of assets that are no more, `refused` attempts that were refused when they were seen: neither is
    judged. `seen` are the names of the assets that judged flows are of, in the order of their numbers. `counts` are
    how many flows have a verdict, `between` how many of these are between two combinations of labels.
    """

    window: FlowWindow
    verdicts: Sequence[Verdict]
    gone: Count
    refused: Count
    seen: tuple[str, ...]
    counts: Mapping[int, Count]
    between: Mapping[_Between, Count]

    def by_verdict(self) -> Iterator[tuple[int, Count]]:
        """Yield the number of each verdict and how many flows have it."""
        yield from sorted(self.counts.items())

    def by_labels(self) -> Iterator[Tallied]:
        """Yield how many flows of each category, watched or not, are between two combinations of labels."""
        told = [(verdict.category, verdict.watched) for verdict in self.verdicts]
        for (client, server, verdict), count in self.between.items():
            yield client, server, *told[verdict], count

    def rows(
        self,
        verdicts: Sequence[int],
        labels: tuple[int | None, int | None] | None = None,
        limit: int | None = None,
        where: str = "true",
    ) -> Iterator[tuple[object, ...]]:
        """Yield single flows that have one of some verdicts, the busiest first: their columns and the verdict's number.

        `labels` are the numbers of both ends' combinations of labels; a condition is as that of `asked`.
        """
        if not verdicts:
            return
        client, server = ("true", "true") if labels is None else map(is_label, "cs", labels)
        flows = (
            f"SELECT f.*, {_GROUP} FROM {_judged(self.window)} WHERE f.{_JUDGED} AND {client} AND {server} AND {where}"
        )
        chosen = f"SELECT * FROM ({_with_verdicts(flows, verdicts)}) AS f"
        if limit is not None:
            chosen += f" ORDER BY {busiest_first('f')} LIMIT {limit}"
        yield from self.window.chosen(chosen, "verdict")

    def asked(
        self, columns: str, verdicts: Sequence[int], where: str = "true", counted: str = FLOWS
    ) -> list[tuple[Any, ...]]:
        """Return how many flows and connections there are for each combination of some columns, of some verdicts.

        The columns are any of `verdict`, `client_holder` and `server_holder` (numbers of `seen`), `client_label` and
        `server_label` (numbers of combinations), and those of `distinct_flows`. The condition speaks of the ends as `c`
        and `s`, with `address` and `holder`. A row is the values of the columns and what was counted.
        """
        if not verdicts:
            return []
        ends = ", ".join(f"{side[0]}.{column} AS {side}_{column}" for side in SIDES for column in ("holder", "label"))
        flows = f"SELECT f.*, {ends}, {_GROUP} FROM {_judged(self.window)} WHERE f.{_JUDGED} AND {where}"
        query = f"SELECT {columns}, {counted} FROM ({_with_verdicts(flows, verdicts)}) AS judged GROUP BY {columns}"
        return [tuple(map(_whole, row)) for row in self.window.engine.rows(query)]

    def ends_of_nobody(self) -> list[str]:
        """Return the addresses that judged flows have at an end and that no asset holds."""
        query = " UNION ".join(f"SELECT address FROM simulated_{side} WHERE holder IS NULL" for side in SIDES)
        return [str(address) for (address,) in self.window.engine.rows(f"SELECT * FROM ({query}) AS e ORDER BY 1")]

    def refusals(self, limit: int | None = None) -> Iterator[tuple[object, ...]]:
        """Yield the columns of attempts that were refused, the most connections first."""
        if not self.refused.flows:
            return
        chosen = f"SELECT f.*, 0 AS verdict FROM distinct_flows AS f WHERE NOT (f.{_JUDGED})"
        if limit is not None:
            chosen += f" ORDER BY {busiest_first('f')} LIMIT {limit}"
        for row in self.window.chosen(chosen, "verdict"):
            yield row[:-1]

    def evidence(self) -> Iterator[Evidence]:
        """Yield each asset that was seen: its judged flows, and when the first and the last of them were."""

        def by_holder(rows: str, columns: str) -> str:
            held = f"SELECT {columns}, c.holder AS client_holder, s.holder AS server_holder FROM {rows} AS o" + "".join(
                " LEFT JOIN (SELECT DISTINCT address, asset, holder FROM simulated_{0}) AS {1} ON o.{0} = {1}.address"
                " AND o.{0}_asset IS NOT DISTINCT FROM {1}.asset".format(side, side[0])
                for side in SIDES
            )
            # traffic of one host with itself is one flow, not two
            return (
                f"WITH held AS ({held} WHERE o.{_JUDGED})"
                f" SELECT *, client_holder AS holder FROM held WHERE client_holder IS NOT NULL UNION ALL"
                f" SELECT *, server_holder AS holder FROM held WHERE server_holder IS NOT NULL"
                f" AND server_holder IS DISTINCT FROM client_holder"
            )

        counted = f"FROM ({by_holder('distinct_flows', 'o.connections')}) AS counted GROUP BY holder"
        timed = f"FROM ({by_holder('observations', 'o.first_seen, o.last_seen')}) AS timed GROUP BY holder"
        engine = self.window.engine
        counts = engine.rows(f"SELECT holder, count(*) AS flows, sum(connections) AS connections {counted}")
        times = {
            holder: (first, last)
            for holder, first, last in engine.rows(
                f"SELECT holder, min(first_seen) AS first_seen, max(last_seen) AS last_seen {timed}"
            )
        }
        for holder, flows, connections in counts:
            first, last = times[holder]
            assert isinstance(first, datetime)
            assert isinstance(last, datetime)
            seen = (first.replace(tzinfo=UTC), last.replace(tzinfo=UTC))
            yield Evidence(self.seen[_number(holder)], _count(flows, connections), *seen)

    def last_seen(self) -> dict[int, datetime]:
        """Return when a flow of each verdict was last seen, in UTC, by the verdict's number."""
        if not self.verdicts:
            return {}
        flows = f"SELECT f.*, {_GROUP} FROM {_judged(self.window)} WHERE f.{_JUDGED}"
        judged = _with_verdicts(flows, range(len(self.verdicts)))
        if self.window.distinct.processes:
            query = f"SELECT verdict, max(last_seen) AS last FROM ({judged}) AS f GROUP BY verdict"
        else:
            # what flows are judged by has no times; observations have
            key = ", ".join(KEY)
            times = f"SELECT {key}, max(last_seen) AS last_seen FROM observations GROUP BY {key}"
            query = (
                f"SELECT f.verdict, max(t.last_seen) AS last FROM ({judged}) AS f"
                f" JOIN ({times}) AS t ON {same_key('f', 't')} GROUP BY f.verdict"
            )
        found = ((_number(verdict), last) for verdict, last in self.window.engine.rows(query))
        return {verdict: last.replace(tzinfo=UTC) for verdict, last in found if isinstance(last, datetime)}

    def to_no_asset(self, verdicts: Sequence[int]) -> Iterator[tuple[str, int]]:
        """Yield the servers that no asset was seen to hold and how many flows of some verdicts go there, busiest first.

        An ICMP message whose type nobody said is none of these flows.
        """
        if not verdicts:
            return
        flows = (
            f"SELECT s.address AS address, {_GROUP} FROM {_judged(self.window)}"
            f" WHERE f.{_JUDGED} AND s.asset IS NULL AND f.port IS NOT NULL"
        )
        query = f"SELECT address, count(*) AS flows FROM ({_with_verdicts(flows, verdicts)}) AS f GROUP BY address"
        for address, count in self.window.engine.rows(f"{query} ORDER BY 2 DESC, 1"):
            yield str(address), _number(count)


def judge_groups(
    window: FlowWindow, places: Places, *, compared: bool, told: Callable[[int], None] | None = None
) -> Judged:
    """Judge the flows of a window, compared with the tables of now or not; `told` hears how many groups are judged."""
    _ = window.distinct
    ends = {side: _ends(window, side, places) for side in SIDES}
    placed = [end for of_side in ends.values() for end in of_side.values() if end is not None]
    classes, services = EndClasses(placed), ServiceClasses(placed)
    holders = {name: number for number, name in enumerate(sorted({end.asset for end in placed if end.asset}))}
    for side, of_side in ends.items():
        _keep_ends(window, side, of_side, classes, holders)
    return _judge(window, classes.members, _services(window, services), Pairs(compared), tuple(holders), told)


def _ends(window: FlowWindow, side: str, places: Places) -> dict[End, PlacedEnd | None]:
    """Return where each distinct end of one side stands."""
    columns = [f"{side}{part}" for part in END]
    said = f"{side}_process IS NOT NULL"
    if not window.distinct.processes:
        columns[2:], said = ("NULL AS unit", "NULL AS owner"), "false"
    query = f"SELECT DISTINCT {', '.join(columns)}, {said} AS said FROM distinct_flows WHERE {_JUDGED}"
    order = ", ".join(str(number) for number in range(1, len(END) + 2))
    found: dict[End, PlacedEnd | None] = {}
    for rows in window.engine.batches(f"{query} ORDER BY {order}"):
        for row in rows:
            end = End._make(row)
            found[end] = places.place(end, SIDES[side])
    return found


def _keep_ends(
    window: FlowWindow,
    side: str,
    ends: Mapping[End, PlacedEnd | None],
    classes: EndClasses,
    holders: Mapping[str, int],
) -> None:
    """Make the table of one side's ends with their classes, holders and labels; the class of the gone is GONE."""
    numbers: list[int] = []
    held: list[int | None] = []
    labels: list[int | None] = []
    for end in ends.values():
        if end is None:
            numbers.append(GONE)
            held.append(None)
            labels.append(None)
        else:
            numbers.append(classes.number(end, SIDES[side]))
            held.append(holders[end.asset] if end.asset is not None else None)
            labels.append(end.label)
    kinds = END_KINDS if window.distinct.processes else dict(list(END_KINDS.items())[:2])
    columns = [[end[place] for end in ends] for place in range(len(kinds))]
    window.engine.put(
        f"simulated_{side}",
        {**kinds, "class": "INTEGER", "holder": "INTEGER", "label": "INTEGER"},
        [*columns, numbers, held, labels],
    )


def _services(window: FlowWindow, classes: ServiceClasses) -> dict[int, tuple[int, int | None]]:
    """Make the table of distinct services with their classes and return one service of each class."""
    rows = window.engine.rows("SELECT DISTINCT protocol, port FROM distinct_flows ORDER BY protocol, port")
    services = [(_number(protocol), None if port is None else _number(port)) for protocol, port in rows]
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
        f"SELECT {_GROUP}, count(*) AS flows, sum(f.connections) AS connections FROM {_judged(window)}"
        f" WHERE f.{_JUDGED} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    gone = Count()
    numbers: dict[Verdict, int] = {}
    known: dict[tuple[int, int], int] = {}
    groups: list[tuple[Any, ...]] = []
    judged: list[int] = []
    ends, pair = None, None
    for rows in window.engine.batches(query):
        for row in rows:
            client, server, itself, service, flows, connections = cast(tuple[Any, ...], row)
            if GONE in (client, server):
                gone += _count(flows, connections)
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
    columns = [list(column) for column in zip(*groups, strict=True)] if groups else [[] for _ in _GROUPED]
    window.engine.put("simulated", {**_GROUPED, "verdict": "INTEGER"}, [*columns, judged])
    labels = [member.label for member in members]
    return Judged(window, list(numbers), gone, _refused(window), seen, *_counted(groups, judged, labels))


def _counted(
    groups: Sequence[tuple[Any, ...]], judged: Sequence[int], labels: Sequence[int | None]
) -> tuple[dict[int, Count], dict[_Between, Count]]:
    """Return the counts of each verdict, and those between two combinations of labels; `labels` are the classes'."""
    between: dict[_Between, list[int]] = {}
    for (client, server, _, _, flows, connections), verdict in zip(groups, judged, strict=True):
        one = between.setdefault((labels[client], labels[server], verdict), [0, 0])
        one[0] += int(flows)
        one[1] += int(connections)
    of_verdict: dict[int, list[int]] = {}
    for (_, _, verdict), (flows, connections) in between.items():
        one = of_verdict.setdefault(verdict, [0, 0])
        one[0] += flows
        one[1] += connections
    return {key: Count(*one) for key, one in of_verdict.items()}, {key: Count(*one) for key, one in between.items()}


def _refused(window: FlowWindow) -> Count:
    counted = "SELECT count(*) AS flows, coalesce(sum(f.connections), 0) AS connections"
    ((flows, connections),) = window.engine.rows(f"{counted} FROM distinct_flows AS f WHERE NOT (f.{_JUDGED})")
    return _count(flows, connections)


def _judged(window: FlowWindow) -> str:
    """Return the SQL of all flows with their ends and services."""
    return (
        f"distinct_flows AS f JOIN simulated_client AS c ON {_same('client', 'c', window)}"
        f" JOIN simulated_server AS s ON {_same('server', 's', window)}"
        " JOIN simulated_services AS v ON v.protocol = f.protocol AND v.port IS NOT DISTINCT FROM f.port"
    )


def _with_verdicts(flows: str, verdicts: Sequence[int]) -> str:
    """Return the SQL of flows with their group, and with the verdict where it is one of some."""
    # apart, or DuckDB's planner joins the ends to each other first
    return (
        f"WITH grouped AS MATERIALIZED ({flows}) SELECT grouped.*, g.verdict FROM grouped JOIN simulated AS g"
        " ON g.client_class = grouped.client_class AND g.server_class = grouped.server_class"
        " AND g.itself = grouped.itself AND g.service = grouped.service"
        f" WHERE g.verdict IN ({', '.join(map(str, verdicts))})"
    )


def _same(side: str, ends: str, window: FlowWindow) -> str:
    same = [f"f.{side} = {ends}.address", f"f.{side}_asset IS NOT DISTINCT FROM {ends}.asset"]
    if window.distinct.processes:
        same += [f"f.{side}_{kind} IS NOT DISTINCT FROM {ends}.{name}" for kind, name in _PROCESS.items()]
        same.append(f"(f.{side}_process IS NOT NULL) = {ends}.said")
    return " AND ".join(same)


def is_label(ends: str, label: int | None) -> str:
    """Return the condition that an end has a combination of labels, by its number; None is that of no asset."""
    return f"{ends}.label IS NULL" if label is None else f"{ends}.label = {label}"


def points(protocol: int, port: int | None) -> Sequence[int]:
    """Return what a service may have been: every type where nobody said the type of an ICMP message."""
    return range(point_of(protocol), point_of(protocol) + 256) if port is None else (point_of(protocol, port),)


def _number(value: object) -> int:
    """Return a number of a result: engines give whole numbers as int or Decimal."""
    assert isinstance(value, int | Decimal)
    return int(value)


def _count(flows: object, connections: object) -> Count:
    return Count(_number(flows), _number(connections))


def _whole(value: object) -> object:
    """Return a value of a result, a whole number as int."""
    return int(value) if isinstance(value, Decimal) else value
