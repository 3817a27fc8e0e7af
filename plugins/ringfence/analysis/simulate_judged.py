"""The judged flows of a window, to be asked: counts by verdict, ends and labels, single flows, evidence, refusals."""

# ruff: noqa: S608 - the SQL is put together from column names of ours and numbers
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from ringfence.analysis.simulate_counts import Count, Evidence, Tallied
from ringfence.analysis.simulate_judge import Verdict
from ringfence.analysis.simulate_sql import GROUP, JUDGED, SIDES, flows_with_classes, is_label, with_verdicts
from ringfence.flows.distinct import KEY, busiest_first, same_key
from ringfence.flows.window import FlowWindow

FLOWS = "count(*) AS flows, sum(connections) AS total"
Between = tuple[int | None, int | None, int]


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
    between: Mapping[Between, Count]

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
            f"SELECT f.*, {GROUP} FROM {flows_with_classes(self.window)}"
            f" WHERE f.{JUDGED} AND {client} AND {server} AND {where}"
        )
        chosen = f"SELECT * FROM ({with_verdicts(flows, verdicts)}) AS f"
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
        flows = f"SELECT f.*, {ends}, {GROUP} FROM {flows_with_classes(self.window)} WHERE f.{JUDGED} AND {where}"
        query = f"SELECT {columns}, {counted} FROM ({with_verdicts(flows, verdicts)}) AS judged GROUP BY {columns}"
        return self.window.engine.rows(query)

    def ends_of_nobody(self) -> list[str]:
        """Return the addresses that judged flows have at an end and that no asset holds."""
        query = " UNION ".join(f"SELECT address FROM simulated_{side} WHERE holder IS NULL" for side in SIDES)
        return [str(address) for (address,) in self.window.engine.rows(f"SELECT * FROM ({query}) AS e ORDER BY 1")]

    def refusals(self, limit: int | None = None) -> Iterator[tuple[object, ...]]:
        """Yield the columns of attempts that were refused, the most connections first."""
        if not self.refused.flows:
            return
        chosen = f"SELECT f.*, 0 AS verdict FROM distinct_flows AS f WHERE NOT (f.{JUDGED})"
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
                f"WITH held AS ({held} WHERE o.{JUDGED})"
                f" SELECT *, client_holder AS holder FROM held WHERE client_holder IS NOT NULL UNION ALL"
                f" SELECT *, server_holder AS holder FROM held WHERE server_holder IS NOT NULL"
                f" AND server_holder IS DISTINCT FROM client_holder"
            )

        counted = f"FROM ({by_holder('distinct_flows', 'o.connections')}) AS counted GROUP BY holder"
        timed = f"FROM ({by_holder('observations', 'o.first_seen, o.last_seen')}) AS timed GROUP BY holder"
        engine = self.window.engine
        counts = cast(
            "list[tuple[int, int, int]]",
            engine.rows(f"SELECT holder, count(*) AS flows, sum(connections) AS connections {counted}"),
        )
        seen_at = cast(
            "list[tuple[int, datetime, datetime]]",
            engine.rows(f"SELECT holder, min(first_seen) AS first_seen, max(last_seen) AS last_seen {timed}"),
        )
        times = {holder: (first, last) for holder, first, last in seen_at}
        for holder, flows, connections in counts:
            first, last = times[holder]
            seen = (first.replace(tzinfo=UTC), last.replace(tzinfo=UTC))
            yield Evidence(self.seen[holder], Count(flows, connections), *seen)

    def last_seen(self) -> dict[int, datetime]:
        """Return when a flow of each verdict was last seen, in UTC, by the verdict's number."""
        if not self.verdicts:
            return {}
        flows = f"SELECT f.*, {GROUP} FROM {flows_with_classes(self.window)} WHERE f.{JUDGED}"
        judged = with_verdicts(flows, range(len(self.verdicts)))
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
        rows = cast("list[tuple[int, datetime]]", self.window.engine.rows(query))
        return {verdict: last.replace(tzinfo=UTC) for verdict, last in rows}

    def to_no_asset(self, verdicts: Sequence[int]) -> Iterator[tuple[str, int]]:
        """Yield the servers that no asset was seen to hold and how many flows of some verdicts go there, busiest first.

        An ICMP message whose type nobody said is none of these flows.
        """
        if not verdicts:
            return
        flows = (
            f"SELECT s.address AS address, {GROUP} FROM {flows_with_classes(self.window)}"
            # of both, or all flows are joined before most are dropped
            f" WHERE f.{JUDGED} AND s.asset IS NULL AND f.server_asset IS NULL AND f.port IS NOT NULL"
        )
        query = f"SELECT address, count(*) AS flows FROM ({with_verdicts(flows, verdicts)}) AS f GROUP BY address"
        rows = self.window.engine.rows(f"{query} ORDER BY 2 DESC, 1")
        yield from cast("list[tuple[str, int]]", rows)
