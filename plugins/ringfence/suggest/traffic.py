"""What was seen, counted by groups of ends and service in SQL; and what of it no rule is for, with the reason."""

# ruff: noqa: S608 - the SQL is put together from column names of ours and numbers
from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ringfence.flows.engine import quoted
from ringfence.flows.records import flow_point
from ringfence.flows.window import FlowWindow
from ringfence.flows.window_files import reading_files
from ringfence.model.flows import ANSWERED, REFUSED, UNANSWERED
from ringfence.model.services import ICMP, ICMPV6, PORT_PROTOCOLS, SCTP, TCP, UDP
from ringfence.suggest.cover import Service
from ringfence.suggest.groups import EVERYBODY, GONE, Groups

# Where Linux takes the ports of clients from (ip_local_port_range): a server's port there was given to it when it ran.
EPHEMERAL = 32768
# A scan: so many services of one server, tried a few times each; or so many servers of which half did not answer.
SCANNED_SERVICES, SCAN_TRIES, SCANNED_SERVERS = 15, 3, 20
HELD_OUT = 0.25
PROCESSES = ("client_unit", "client_user", "server_unit")
_KEY = ("client", "client_asset", "server", "server_asset", "protocol", "port", "outcome", *PROCESSES)
WHY = {
    "gone": "of assets that are no more",
    "itself": "of a host with itself",
    "many": "to multicast and broadcast addresses: decide by hand",
    "refused": "refused when it was tried",
    "unanswered": "nobody answered",
    "message": "messages about other traffic, and of a type that nobody said",
    "scan": "looks like a scan",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """Flows between two groups on one service by the same processes.

    `pairs` counts the pairs of hosts between the groups on this service, whatever their processes, `clients` and
    `servers` the hosts at either end; `flows` and `connections` are of these processes, a flow for each pair of
    addresses. `why` is a key of WHY where no rule is for them, else None. Times are UTC.
    """

    client: int
    server: int
    protocol: int
    port: int
    client_unit: str | None
    client_user: str | None
    server_unit: str | None
    why: str | None
    pairs: int
    clients: int
    servers: int
    flows: int
    connections: int
    first: datetime
    last: datetime


class Traffic:
    """The flows of a window by groups; it keeps tables on the window's connection."""

    def __init__(self, window: FlowWindow, groups: Groups) -> None:
        self._connection = window.connection
        with reading_files():
            self._gather(window)
            self._place(groups)
            self._sort_out()
            times = "SELECT min(first_seen), max(last_seen), count(*) FROM suggest_talk"
            ((first, last, self.flows),) = self._connection.execute(times).fetchall()
        self.first: datetime | None = first and first.replace(tzinfo=UTC)
        self.last: datetime | None = last and last.replace(tzinfo=UTC)

    @property
    def split(self) -> datetime | None:
        """Return when the last part of the window begins; None where the window is but a moment."""
        if self.first is None or self.last is None or self.first == self.last:
            return None
        return self.last - (self.last - self.first) * HELD_OUT

    def seen(self, before: datetime | None = None) -> list[Seen]:
        """Return what was seen, or had begun before a moment, in a fixed order."""
        ends = ("client_group", "server_group", "protocol", "port", "why")
        where = f" WHERE first_seen < TIMESTAMP '{_stamp(before)}'" if before else ""
        same = " AND ".join(f"one.{name} IS NOT DISTINCT FROM whole.{name}" for name in ends)
        key = ", ".join(f"one.{name}" for name in (*ends[:-1], *PROCESSES, "why"))
        rows = self._connection.execute(
            f"WITH chosen AS (SELECT * FROM suggest_talk{where}), whole AS (SELECT {', '.join(ends)},"
            " count(DISTINCT (client_holder, server_holder)) AS pairs, count(DISTINCT client_holder) AS clients,"
            " count(DISTINCT server_holder) AS servers FROM chosen GROUP BY ALL), one AS ("
            f"SELECT {', '.join((*ends, *PROCESSES))}, count(*) AS flows, sum(connections)::BIGINT AS connections,"
            " min(first_seen) AS first_seen, max(last_seen) AS last_seen FROM chosen GROUP BY ALL)"
            f" SELECT {key}, whole.pairs, whole.clients, whole.servers, one.flows, one.connections, one.first_seen,"
            f" one.last_seen FROM one JOIN whole ON {same} ORDER BY ALL"
        ).fetchall()
        found = (Seen(*row) for row in rows)
        return [replace(one, first=one.first.replace(tzinfo=UTC), last=one.last.replace(tzinfo=UTC)) for one in found]

    def held_out(
        self, split: datetime, named: Collection[str] = ()
    ) -> Iterator[tuple[int, int, int, int, str, str, int, int]]:
        """Yield what was wanted since a moment: both groups, protocol, port, addresses, flows, how many began before.

        Addresses are told of the `named` alone; others are empty.
        """
        those = ", ".join(map(quoted, sorted(named))) or "NULL"
        ends = ", ".join(f"if({side} IN ({those}), {side}, '') AS {side}" for side in ("client", "server"))
        query = (
            f"SELECT client_group, server_group, protocol, port, {ends}, count(*),"
            f" count(*) FILTER (first_seen < TIMESTAMP '{_stamp(split)}') FROM suggest_talk"
            f" WHERE why IS NULL AND last_seen >= TIMESTAMP '{_stamp(split)}' GROUP BY ALL ORDER BY ALL"
        )
        yield from self._connection.execute(query).fetchall()

    def addresses(
        self, client: int, server: int, service: Service, side: str, before: datetime | None = None
    ) -> list[str]:
        """Return up to nine addresses of one side of what was wanted between two groups, the busiest first."""
        known = f" AND first_seen < TIMESTAMP '{_stamp(before)}'" if before else ""
        query = (
            f"SELECT {side}, sum(connections) FROM suggest_talk WHERE why IS NULL AND client_group = ?"
            f" AND server_group = ? AND protocol = ? AND port = ?{known} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 9"
        )
        return [
            row[0]
            for row in self._connection.execute(query, [client, server, service.protocol, service.low]).fetchall()
        ]

    def _gather(self, window: FlowWindow) -> None:
        """Make the table of distinct flows, each with its times."""
        processes = window.distinct.processes
        if processes:
            window.rows("SELECT 1 FROM flows LIMIT 0")  # makes the table
        named = ", ".join(name if processes else f"NULL::VARCHAR AS {name}" for name in PROCESSES)
        key = ", ".join((*_KEY[: -len(PROCESSES)], named))
        counts = "min(first_seen) AS first_seen, max(last_seen) AS last_seen"
        counted = f"sum(connections)::BIGINT AS connections, {counts} FROM {'flows' if processes else 'observations'}"
        query = f"SELECT {key}, {counted} GROUP BY ALL"
        if not processes and self._several_sources():
            # what two sources report of one flow is counted once
            by_source = f"SELECT {key}, coalesce(source, '') AS source, {counted} GROUP BY ALL"
            largest = f"max(connections)::BIGINT AS connections, {counts}"
            query = f"SELECT {', '.join(_KEY)}, {largest} FROM ({by_source}) GROUP BY ALL"
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE suggest_flows AS {query}")

    def _several_sources(self) -> bool:
        query = "SELECT count(*) > 1 FROM (SELECT DISTINCT coalesce(source, '') FROM observations LIMIT 2)"
        ((several,),) = self._connection.execute(query).fetchall()
        return bool(several)

    def _place(self, groups: Groups) -> None:
        """Make the table of flows between groups; a holder is an asset, or an address that none holds."""
        ends = self._connection.execute(
            "SELECT client, client_asset FROM suggest_flows UNION SELECT server, server_asset FROM suggest_flows"
            " ORDER BY ALL"
        ).fetchall()
        hosts = self._hosts([one for one, asset in ends if asset is None and groups.is_broadcast(flow_point(one))])
        holders: dict[str, int] = {}
        numbers: list[int] = []
        held: list[int] = []
        for row, (address, asset) in enumerate(ends):
            group, holder = groups.place(address, asset, host=address in hosts)
            numbers.append(group)
            held.append(-1 - row if holder is None else holders.setdefault(holder, len(holders)))
        self._connection.execute(
            'CREATE OR REPLACE TEMP TABLE suggest_ends AS SELECT unnest($1::VARCHAR[]) AS "end",'
            " unnest($2::VARCHAR[]) AS asset, unnest($3::INTEGER[]) AS number, unnest($4::INTEGER[]) AS holder",
            [[address for address, _ in ends], [asset for _, asset in ends], numbers, held],
        )
        same = ' ON f.{0} = {1}."end" AND f.{0}_asset IS NOT DISTINCT FROM {1}.asset'
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE suggest_placed AS SELECT c.number AS client_group,"
            " s.number AS server_group, c.holder AS client_holder, s.holder AS server_holder, f.client, f.server,"
            f" f.protocol, coalesce(f.port, 0) AS port, {', '.join(PROCESSES)}, f.outcome, f.connections,"
            f" f.first_seen, f.last_seen, {_reason()} AS why FROM suggest_flows f"
            f" JOIN suggest_ends c{same.format('client', 'c')} JOIN suggest_ends s{same.format('server', 's')}"
        )

    def _hosts(self, addresses: Sequence[str]) -> set[str]:
        """Return those of some addresses that are of one host: a connection of TCP or SCTP was answered."""
        one_to_one = f"protocol IN ({TCP}, {SCTP}) AND outcome = '{ANSWERED}'"
        query = (
            f"SELECT unnest([client, server]) AS one FROM suggest_flows WHERE {one_to_one}"
            " AND (client IN (SELECT unnest($1::VARCHAR[])) OR server IN (SELECT unnest($1::VARCHAR[])))"
        )
        return {one for (one,) in self._connection.execute(query, [addresses]).fetchall()} if addresses else set()

    def _sort_out(self) -> None:
        """Make the table of all flows with the reason why no rule is for some, scans among them."""
        ported = f"protocol IN ({', '.join(map(str, PORT_PROTOCOLS.values()))})"
        unheard = f"outcome <> 'answered' AND (protocol <> {UDP} OR outcome = '{REFUSED}')"
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE suggest_talk AS WITH deep AS ("
            f"SELECT client_holder, server_holder FROM suggest_placed WHERE {ported} AND port < {EPHEMERAL}"
            f" GROUP BY ALL HAVING count(DISTINCT (protocol, port)) >= {SCANNED_SERVICES}), wide AS ("
            f"SELECT client_holder, protocol, port FROM suggest_placed WHERE {ported} GROUP BY ALL"
            f" HAVING count(DISTINCT server_holder) >= {SCANNED_SERVERS}"
            f" AND 2 * count(DISTINCT server_holder) FILTER ({unheard}) >= count(DISTINCT server_holder))"
            " SELECT p.* REPLACE (CASE WHEN coalesce(p.why, '') NOT IN ('', 'refused', 'unanswered') THEN p.why"
            f" WHEN w.port IS NOT NULL OR (d.client_holder IS NOT NULL AND p.connections <= {SCAN_TRIES}) THEN 'scan'"
            " ELSE p.why END AS why) FROM suggest_placed p"
            " LEFT JOIN deep d ON d.client_holder = p.client_holder AND d.server_holder = p.server_holder"
            " LEFT JOIN wide w ON w.client_holder = p.client_holder AND w.protocol = p.protocol AND w.port = p.port"
        )


def _reason() -> str:
    """Return the SQL that says why no rule is for a flow, as far as the flow itself tells it."""
    return (
        f"CASE WHEN c.number = {GONE} OR s.number = {GONE} THEN 'gone'"
        f" WHEN s.number <= {EVERYBODY} OR c.number <= {EVERYBODY} THEN 'many'"
        " WHEN c.holder = s.holder THEN 'itself'"
        f" WHEN f.outcome = '{REFUSED}' THEN 'refused'"
        f" WHEN f.outcome = '{UNANSWERED}' AND f.protocol <> {UDP} THEN 'unanswered'"
        f" WHEN f.protocol = {ICMP} AND f.port IS DISTINCT FROM 8 THEN 'message'"
        f" WHEN f.protocol = {ICMPV6} AND f.port IS DISTINCT FROM 128 THEN 'message' END"
    )


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
