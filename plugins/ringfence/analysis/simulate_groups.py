"""Flows of a window judged in groups: SQL counts them by the classes of both ends and service, the tables judge those.

What is done in Python grows with distinct ends and with classes, not with flows or pairs of ends.
"""

# ruff: noqa: S608 - the SQL is put together from column names of ours and numbers
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from ringfence.analysis.simulate_classes import EndClasses, ServiceClasses
from ringfence.analysis.simulate_counts import Count, Evidence, Tallied
from ringfence.analysis.simulate_ends import End, Pairs, PlacedEnd, Places
from ringfence.analysis.simulate_judge import Category, Verdict, judge_any
from ringfence.flows.distinct import busiest_first
from ringfence.flows.window import FlowWindow
from ringfence.model.flows import REFUSED
from ringfence.model.rules import Direction
from ringfence.model.services import point_of

SIDES = {"client": Direction.OUT, "server": Direction.IN}
END = ("", "_asset", "_unit", "_user")
FETCH = 50_000
GONE = -1
_IS_GONE = f"client_class = {GONE} OR server_class = {GONE}"
_JUDGED = f"f.outcome <> '{REFUSED}'"
_GROUP = "c.class AS client_class, s.class AS server_class, coalesce(c.holder = s.holder, false) AS itself, v.service"


@dataclass(frozen=True)
class Judged:
    """The verdicts of a window's flows: `verdicts` holds each distinct one, tables of the window which flow has which.

    `gone` are flows of assets that are no more, `refused` attempts that were refused when they were seen: neither is
    judged. `seen` are the names of the assets that judged flows are of, in the order of their numbers.
    """

    window: FlowWindow
    verdicts: Sequence[Verdict]
    gone: Count
    refused: Count
    seen: tuple[str, ...]

    def by_verdict(self) -> Iterator[tuple[int, Count]]:
        """Yield the number of each verdict and how many flows have it."""
        query = "SELECT verdict, sum(flows), sum(connections) FROM simulated GROUP BY 1 ORDER BY 1"
        for number, flows, connections in self.window.connection.execute(query).fetchall():
            yield number, Count(flows, connections)

    def by_labels(self) -> Iterator[Tallied]:
        """Yield how many flows of each category, watched or not, are between two combinations of labels."""
        query = (
            "WITH told AS (SELECT unnest($1::INTEGER[]) AS verdict, unnest($2::VARCHAR[]) AS category,"
            " unnest($3::BOOLEAN[]) AS watched)"
            " SELECT c.label, s.label, category, watched, sum(g.flows), sum(g.connections) FROM simulated g"
            " JOIN told USING (verdict) JOIN simulated_classes c ON c.class = g.client_class"
            " JOIN simulated_classes s ON s.class = g.server_class GROUP BY ALL ORDER BY ALL"
        )
        verdicts = self.verdicts
        told = [[*range(len(verdicts))], [str(one.category) for one in verdicts], [one.watched for one in verdicts]]
        for client, server, category, watched, *counts in self.window.connection.execute(query, told).fetchall():
            yield client, server, Category(category), watched, Count(*counts)

    def rows(
        self,
        verdicts: Sequence[int],
        labels: tuple[int | None, int | None] | None = None,
        limit: int | None = None,
        where: str = "true",
        parameters: Sequence[object] = (),
    ) -> Iterator[tuple[object, ...]]:
        """Yield single flows that have one of some verdicts, the busiest first: their columns and the verdict's number.

        `labels` are the numbers of both ends' combinations of labels; where that is not given a condition may be, as
        that of `asked`.
        """
        if not verdicts:
            return
        if labels is not None:
            where, parameters = "c.label IS NOT DISTINCT FROM $2 AND s.label IS NOT DISTINCT FROM $3", labels
        flows = f"SELECT f.*, {_GROUP} FROM {_judged(self.window)} WHERE {_JUDGED} AND {where}"
        chosen = f"SELECT f.*, verdict FROM {_with_verdicts(flows)} f ORDER BY {busiest_first('f')}"
        most = "" if limit is None else f" LIMIT {limit}"
        yield from self.window.chosen(chosen + most, "verdict", [list(verdicts), *parameters])

    def asked(
        self, query: str, verdicts: Sequence[int], where: str = "true", parameters: Sequence[object] = ()
    ) -> list[Any]:
        """Return the rows of a query over `judged`: flows that have one of some verdicts and meet a condition.

        Its columns are those of `distinct_flows`, `client_holder` and `server_holder` (numbers of `seen`),
        `client_label` and `server_label` (numbers of combinations), and `verdict`. The condition speaks of the ends as
        `c` and `s`, with `end`, the address, and `holder`; its parameters begin with $2.
        """
        ends = ", ".join(f"{one}.{column} AS {side}_{column}" for one, side in zip("cs", SIDES, strict=True)
                         for column in ("holder", "label"))  # fmt: skip
        flows = f"SELECT f.*, {ends}, {_GROUP} FROM {_judged(self.window)} WHERE {_JUDGED} AND {where}"
        asked = f"WITH judged AS (SELECT * FROM {_with_verdicts(flows)}) {query}"
        return self.window.connection.execute(asked, [list(verdicts), *parameters]).fetchall()

    def ends_of_nobody(self) -> list[str]:
        """Return the addresses that judged flows have at an end and that no asset holds."""
        query = " UNION ".join(f'SELECT "end" FROM simulated_{side} WHERE holder IS NULL' for side in SIDES)
        return [address for (address,) in self.window.connection.execute(f"{query} ORDER BY 1").fetchall()]

    def refusals(self, limit: int | None = None) -> Iterator[tuple[object, ...]]:
        """Yield the columns of attempts that were refused, the most connections first."""
        most = "" if limit is None else f" LIMIT {limit}"
        chosen = f"SELECT f.* FROM distinct_flows f WHERE NOT ({_JUDGED}) ORDER BY {busiest_first('f')}{most}"
        for row in self.window.chosen(chosen, "flow"):
            yield row[:-1]

    def evidence(self) -> Iterator[Evidence]:
        """Yield each asset that was seen: its judged flows, and when the first and the last of them were."""
        judged = f"o.{_JUDGED.removeprefix('f.')}"
        sides = [
            f'(SELECT DISTINCT "end", end_asset, holder FROM simulated_{side} WHERE holder IS NOT NULL) h'
            f" ON o.{side} = h.end AND o.{side}_asset IS NOT DISTINCT FROM h.end_asset WHERE {judged}"
            for side in SIDES
        ]
        client, server = sides
        # traffic of one host with itself is one flow, not two
        other = (
            ' AND NOT EXISTS (SELECT 1 FROM simulated_client c WHERE c."end" = o.client'
            " AND c.end_asset IS NOT DISTINCT FROM o.client_asset AND c.holder = h.holder)"
        )
        query = (
            "WITH counted AS (SELECT holder, count(*) AS flows, sum(connections) AS connections FROM ("
            f"SELECT h.holder, o.connections FROM distinct_flows o JOIN {client} UNION ALL"
            f" SELECT h.holder, o.connections FROM distinct_flows o JOIN {server}{other}) GROUP BY 1),"
            " timed AS (SELECT holder, min(first_seen) AS first_seen, max(last_seen) AS last_seen FROM ("
            f"SELECT h.holder, first_seen, last_seen FROM observations o JOIN {client} UNION ALL"
            f" SELECT h.holder, first_seen, last_seen FROM observations o JOIN {server}) GROUP BY 1)"
            " SELECT holder, flows, connections, first_seen, last_seen FROM counted JOIN timed USING (holder)"
        )
        for holder, flows, connections, first, last in self.window.connection.execute(query).fetchall():
            times = (first.replace(tzinfo=UTC), last.replace(tzinfo=UTC))
            yield Evidence(self.seen[holder], Count(flows, connections), *times)

    def to_no_asset(self, verdicts: Sequence[int]) -> Iterator[tuple[str, int]]:
        """Yield the servers that no asset was seen to hold and how many flows of some verdicts go there, busiest first.

        An ICMP message whose type nobody said is none of these flows.
        """
        flows = (
            f"SELECT s.end, {_GROUP} FROM {_judged(self.window)}"
            f" WHERE {_JUDGED} AND s.end_asset IS NULL AND f.port IS NOT NULL"
        )
        query = f'SELECT "end", count(*) FROM {_with_verdicts(flows)} f GROUP BY 1 ORDER BY 2 DESC, 1'
        yield from self.window.connection.execute(query, [list(verdicts)]).fetchall()


def judge_groups(window: FlowWindow, places: Places, *, compared: bool) -> Judged:
    """Judge the flows of a window, compared with the tables of now or not."""
    ends = {side: _ends(window, side, places) for side in SIDES}
    placed = [end for of_side in ends.values() for end in of_side.values() if end is not None]
    classes, services = EndClasses(placed), ServiceClasses(placed)
    holders = {name: number for number, name in enumerate(sorted({end.asset for end in placed if end.asset}))}
    for side, of_side in ends.items():
        _keep_ends(window, side, of_side, classes, holders)
    window.connection.execute(
        "CREATE OR REPLACE TABLE simulated_classes AS SELECT unnest($1::INTEGER[]) AS class,"
        " unnest($2::INTEGER[]) AS label",
        [[*range(len(classes.members))], [member.label for member in classes.members]],
    )
    gone, verdicts = _judge(window, classes.members, _services(window, services), Pairs(compared))
    return Judged(window, verdicts, gone, _refused(window), tuple(holders))


def _ends(window: FlowWindow, side: str, places: Places) -> dict[int, PlacedEnd | None]:
    """Make the table of one side's distinct ends and return where each stands, by its row."""
    columns = ", ".join(f"{side}{part} AS end{part}" for part in END)
    said = f"{side}_process IS NOT NULL" if window.distinct.processes else "false"
    window.connection.execute(
        f"CREATE OR REPLACE TABLE simulated_{side}_ends AS SELECT DISTINCT {columns},"
        f" {said} AS end_said FROM distinct_flows f WHERE {_JUDGED} ORDER BY ALL"
    )
    cursor = window.connection.cursor()
    cursor.execute(f"SELECT rowid, * FROM simulated_{side}_ends ORDER BY rowid")
    found: dict[int, PlacedEnd | None] = {}
    while rows := cursor.fetchmany(FETCH):
        found.update((row, places.place(End(*values), SIDES[side])) for row, *values in rows)
    return found


def _keep_ends(
    window: FlowWindow,
    side: str,
    ends: Mapping[int, PlacedEnd | None],
    classes: EndClasses,
    holders: Mapping[str, int],
) -> None:
    """Make the table of one side's ends with their classes, holders and labels; the class of the gone is GONE."""
    numbers: list[int] = []
    held: list[int | None] = []
    labels: list[int | None] = []
    for end in ends.values():
        numbers.append(GONE if end is None else classes.number(end, SIDES[side]))
        held.append(holders[end.asset] if end is not None and end.asset is not None else None)
        labels.append(end.label if end is not None else None)
    window.connection.execute(
        f"CREATE OR REPLACE TABLE simulated_{side} AS SELECT * FROM simulated_{side}_ends POSITIONAL JOIN"
        " (SELECT unnest($1::INTEGER[]) AS class, unnest($2::INTEGER[]) AS holder, unnest($3::INTEGER[]) AS label)",
        [numbers, held, labels],
    )


def _services(window: FlowWindow, classes: ServiceClasses) -> dict[int, tuple[int, int | None]]:
    """Make the table of distinct services with their classes and return one service of each class."""
    services = window.connection.execute("SELECT DISTINCT protocol, port FROM distinct_flows ORDER BY ALL").fetchall()
    numbers = [classes.number(protocol, port) for protocol, port in services]
    window.connection.execute(
        "CREATE OR REPLACE TABLE simulated_services AS SELECT unnest($1::UTINYINT[]) AS protocol,"
        " unnest($2::USMALLINT[]) AS port, unnest($3::INTEGER[]) AS service",
        [[protocol for protocol, _ in services], [port for _, port in services], numbers],
    )
    return dict(zip(numbers, services, strict=True))


def _judge(
    window: FlowWindow, members: Sequence[PlacedEnd], services: Mapping[int, tuple[int, int | None]], pairs: Pairs
) -> tuple[Count, list[Verdict]]:
    """Make the table of groups with their verdicts; return the count of the gone, and every verdict by its number."""
    window.connection.execute(
        f"CREATE OR REPLACE TABLE simulated_groups AS SELECT {_GROUP}, count(*) AS flows,"
        f" sum(f.connections) AS connections FROM {_judged(window)} WHERE {_JUDGED} GROUP BY ALL ORDER BY ALL"
    )
    gone = f"SELECT coalesce(sum(flows), 0), coalesce(sum(connections), 0) FROM simulated_groups WHERE {_IS_GONE}"
    ((flows, connections),) = window.connection.execute(gone).fetchall()
    cursor = window.connection.cursor()
    cursor.execute(f"SELECT client_class, server_class, itself, service FROM simulated_groups WHERE NOT ({_IS_GONE})")
    numbers: dict[Verdict, int] = {}
    known: dict[tuple[int, int], int] = {}
    judged: list[int] = []
    ends, pair = None, None
    while groups := cursor.fetchmany(FETCH):
        for client, server, itself, service in groups:
            if ends != (client, server, itself) or pair is None:
                ends = (client, server, itself)
                pair = pairs.between(members[client], members[server], itself=itself)
            verdict = known.get((id(pair), service))
            if verdict is None:
                found = judge_any(pair, _points(*services[service]))
                verdict = known[id(pair), service] = numbers.setdefault(found, len(numbers))
            judged.append(verdict)
    window.connection.execute(
        "CREATE OR REPLACE TABLE simulated AS SELECT g.*, v.verdict FROM"
        f" (SELECT * FROM simulated_groups WHERE NOT ({_IS_GONE})) g"
        " POSITIONAL JOIN (SELECT unnest($1::INTEGER[]) AS verdict) v",
        [judged],
    )
    return Count(int(flows), int(connections)), list(numbers)


def _refused(window: FlowWindow) -> Count:
    query = f"SELECT count(*), coalesce(sum(connections), 0) FROM distinct_flows f WHERE NOT ({_JUDGED})"
    ((flows, connections),) = window.connection.execute(query).fetchall()
    return Count(int(flows), int(connections))


def _judged(window: FlowWindow) -> str:
    """Return the SQL of all flows with their ends and services."""
    return (
        f"distinct_flows f JOIN simulated_client c ON {_same('client', 'c', window)}"
        f" JOIN simulated_server s ON {_same('server', 's', window)}"
        " JOIN simulated_services v ON v.protocol = f.protocol AND v.port IS NOT DISTINCT FROM f.port"
    )


def _with_verdicts(flows: str) -> str:
    """Return the SQL of flows with their group, and with the verdict where it is one of those of the parameter $1."""
    # apart, or the planner joins the ends to each other first
    return (
        f"(WITH grouped AS MATERIALIZED ({flows}) SELECT grouped.*, g.verdict FROM grouped JOIN simulated g"
        " USING (client_class, server_class, itself, service) WHERE g.verdict IN (SELECT unnest($1::INTEGER[])))"
    )


def _same(side: str, ends: str, window: FlowWindow) -> str:
    same = [f"f.{side} = {ends}.end", f"f.{side}_asset IS NOT DISTINCT FROM {ends}.end_asset"]
    if window.distinct.processes:
        same += [f"f.{side}_{kind} IS NOT DISTINCT FROM {ends}.end_{kind}" for kind in ("unit", "user")]
        same.append(f"(f.{side}_process IS NOT NULL) = {ends}.end_said")
    return " AND ".join(same)


def _points(protocol: int, port: int | None) -> Sequence[int]:
    """Return what a service may have been: every type where nobody said the type of an ICMP message."""
    return range(point_of(protocol), point_of(protocol) + 256) if port is None else (point_of(protocol, port),)
