"""Simulate: what a draft would do to the flows that were seen, by rule, by labels, down to the single flow."""

# ruff: noqa: S608 - the SQL is put together from column names of ours and numbers
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ringfence.analysis.simulate_counts import Count, LabelCount, RuleCount, Tally
from ringfence.analysis.simulate_ends import End, Pairs, PlacedEnd, Places
from ringfence.analysis.simulate_judge import Category, Verdict, judge_any
from ringfence.flows.columns import COLUMNS, flow_at
from ringfence.flows.records import record_of
from ringfence.flows.window import FlowWindow, name_labels
from ringfence.model.assets import Snapshot
from ringfence.model.flows import Flow
from ringfence.model.rules import Direction
from ringfence.model.services import point_of
from ringfence.model.tables import Effect, Outcome, VerdictTable

DEFAULT_KEYS = ("app", "role", "env", "loc")
SIDES = {"client": Direction.OUT, "server": Direction.IN}
END = ("", "_asset", "_unit", "_user")
FETCH = 50_000


@dataclass(frozen=True, slots=True)
class JudgedFlow:
    """One flow with its verdict; the assets are those that the flow was seen of, None for none."""

    flow: Flow
    client_asset: str | None
    server_asset: str | None
    verdict: Verdict

    def data(self) -> dict[str, object]:
        """Return the flow's fields, `client_asset`, `server_asset`, and what each side says, for `--json`."""
        verdict = self.verdict
        return {
            **record_of(self.flow),
            "client_asset": self.client_asset,
            "server_asset": self.server_asset,
            "verdict": "allow" if verdict.allowed else "deny",
            "category": str(verdict.category),
            "would_be_denied": verdict.watched,
            "depends_on_process": verdict.depends,
            "sides": _sides(verdict.draft),
            "sides_now": _sides(verdict.current) if verdict.current else None,
        }


@dataclass(frozen=True)
class Simulation:
    """What became of all flows of a window under a draft; single flows are read from the window while it is open.

    `watched` pass only because a mode does not bite; `depends` would be judged otherwise for another process at an end
    that did not say its own, for another ICMP type where nobody said it, if its server was an answer to a name of the
    policy, or for a DHCP client; `gone` are flows of assets that are no more, not judged and in no other count.
    """

    categories: Mapping[Category, Count]
    watched: Count
    depends: Count
    gone: Count
    by_rule: tuple[RuleCount, ...]
    by_labels: tuple[LabelCount, ...]
    window: FlowWindow = field(repr=False, compare=False)
    verdicts: Sequence[Verdict] = field(repr=False, compare=False)

    def summary(self) -> str:
        """Return one line for people: what the plan's command prints of it."""
        counts = {category: count.flows for category, count in self.categories.items()}
        allowed = counts[Category.STILL_ALLOWED] + counts[Category.NEWLY_ALLOWED]
        parts = [
            f"{allowed:,} allowed",
            f"{counts[Category.NEWLY_DENIED]:,} denied that were allowed",
            f"{counts[Category.NEWLY_ALLOWED]:,} newly allowed",
        ]
        if counts[Category.STILL_DENIED]:
            parts.append(f"{counts[Category.STILL_DENIED]:,} denied as before")
        if self.watched.flows:
            parts.append(f"{self.watched.flows:,} would be denied in full mode")
        if self.depends.flows:
            unseen = "a process, an ICMP type, the answers to a name or a DHCP client's port, which were not seen"
            parts.append(f"{self.depends.flows:,} depend on {unseen}")
        if self.gone.flows:
            parts.append(f"{self.gone.flows:,} of assets that are gone, not judged")
        return ", ".join(parts)

    def flows(
        self,
        categories: Iterable[Category] | None = None,
        *,
        rule: str | None = None,
        labels: LabelCount | None = None,
        watched: bool | None = None,
        depends: bool | None = None,
    ) -> Iterator[JudgedFlow]:
        """Yield single flows, the busiest first; without arguments all judged flows.

        The arguments choose: a category, the rule (its id) that decided, the two ends of an entry of `by_labels`,
        watched or not, dependent on a process or not.
        """
        wanted = None if categories is None else set(categories)
        chosen = [
            str(number)
            for number, verdict in enumerate(self.verdicts)
            if (wanted is None or verdict.category in wanted)
            and (rule is None or any(outcome.rule == rule for _, outcome in verdict.deciding()))
            and (labels is None or verdict.labels == labels.numbers)
            and (watched is None or verdict.watched == watched)
            and (depends is None or verdict.depends == depends)
        ]
        if not chosen:
            return
        cursor = self.window.connection.cursor()
        cursor.execute(
            f"SELECT {', '.join(f'f.{name}' for name in COLUMNS)}, v.verdict FROM flows f"
            " JOIN simulated_keys k ON k.flow = f.rowid"
            " JOIN simulated_pairs p ON p.client_end = k.client_end AND p.server_end = k.server_end"
            " JOIN simulated v ON v.pair = p.pair AND v.protocol = f.protocol AND v.port IS NOT DISTINCT FROM f.port"
            f" WHERE v.verdict IN ({', '.join(chosen)})"
            " ORDER BY f.connections DESC, f.client, f.server, f.protocol, f.port, f.client_unit, f.server_unit,"
            " f.client_user, f.server_user, f.client_process, f.server_process"
        )
        while rows := cursor.fetchmany(FETCH):
            for row in rows:
                client, server, number = row[len(COLUMNS) - 2 :]
                yield JudgedFlow(flow_at(row), client, server, self.verdicts[number])

    def data(self, pairs: int | None = None) -> dict[str, object]:
        """Return all counts as plain data, the same for the same flows and tables.

        With `pairs`, `by_labels` holds that many of its rows, what changes most first, and `by_labels_more` the number
        of the others.
        """
        shown = self.by_labels[:pairs]
        return {
            "categories": {str(category): count.data() for category, count in self.categories.items()},
            "would_be_denied": self.watched.data(),
            "depends_on_process": self.depends.data(),
            "gone": self.gone.data(),
            "by_rule": [rule.data() for rule in self.by_rule],
            "by_labels": [labels.data() for labels in shown],
            **({} if pairs is None else {"by_labels_more": len(self.by_labels) - len(shown)}),
        }


def simulate(
    tables: Mapping[str, VerdictTable],
    snapshot: Snapshot,
    flows: FlowWindow | Iterable[Flow],
    current: Mapping[str, VerdictTable] | None = None,
    keys: Sequence[str] = DEFAULT_KEYS,
) -> Simulation:
    """Judge flows under a draft: `tables` by asset name, compared with `current` (None: nothing is enforced now).

    Assets without a table are no workloads and allow. `keys` are the labels that `by_labels` tells ends apart by. A
    window keeps the tables of its last simulation; ask the earlier ones for single flows before.
    """
    window = flows if isinstance(flows, FlowWindow) else FlowWindow.of_flows(flows, [snapshot])
    names = name_labels(window.connection, snapshot, keys)
    numbers = {str(asset): int(str(label)) for asset, label in window.rows("SELECT asset, label FROM asset_labels")}
    pairs = Pairs(current is not None)
    gone = _number_pairs(window, Places(snapshot, tables, current, numbers), pairs)
    verdicts: dict[Verdict, int] = {}
    judged: list[tuple[int, int, int | None, int]] = []
    tally = Tally()
    for row in window.rows(
        "SELECT p.pair, k.protocol, k.port, count(*), sum(k.connections) FROM simulated_keys k"
        " JOIN simulated_pairs p ON p.client_end = k.client_end AND p.server_end = k.server_end"
        " WHERE p.pair IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    ):
        pair, protocol, count, connections = (int(str(row[column])) for column in (0, 1, 3, 4))
        port = None if row[2] is None else int(str(row[2]))
        verdict = judge_any(pairs.alike[pair], _points(protocol, port))
        judged.append((pair, protocol, port, verdicts.setdefault(verdict, len(verdicts))))
        tally.add(verdict, Count(count, connections))
    _keep(window, judged)
    rule_names = {rule: name for table in tables.values() for rule, name in table.rule_names.items()}
    return Simulation(
        tally.categories,
        tally.watched,
        tally.depends,
        gone,
        tally.by_rule(rule_names),
        tally.by_labels(names),
        window,
        list(verdicts),
    )


def _number_pairs(window: FlowWindow, places: Places, pairs: Pairs) -> Count:
    """Make `simulated_pairs`, every pair of ends with its number in `pairs`, NULL for the gone, and count those.

    `simulated_keys` tells which ends each flow has, so that all later joins are joins of numbers.
    """
    clients, servers = (_ends(window, side, places) for side in SIDES)
    window.rows(
        "CREATE OR REPLACE TABLE simulated_keys AS SELECT f.rowid AS flow, c.rowid AS client_end,"
        " s.rowid AS server_end, f.protocol, f.port, f.connections FROM flows f"
        f" JOIN simulated_client c ON {_same('client', 'c')}"
        f" JOIN simulated_server s ON {_same('server', 's')}"
    )
    cursor = window.connection.cursor()
    cursor.execute("SELECT DISTINCT client_end, server_end FROM simulated_keys ORDER BY ALL")
    client_ends: list[int] = []
    server_ends: list[int] = []
    numbers: list[int | None] = []
    while batch := cursor.fetchmany(FETCH):
        for client_end, server_end in batch:
            client, server = clients[client_end], servers[server_end]
            client_ends.append(client_end)
            server_ends.append(server_end)
            numbers.append(pairs.number(client, server) if client and server else None)
    window.rows(
        "CREATE OR REPLACE TABLE simulated_pairs AS SELECT unnest($1::BIGINT[]) AS client_end,"
        " unnest($2::BIGINT[]) AS server_end, unnest($3::BIGINT[]) AS pair",
        [client_ends, server_ends, numbers],
    )
    ((count, connections),) = window.rows(
        "SELECT count(*), coalesce(sum(k.connections), 0) FROM simulated_keys k JOIN simulated_pairs p"
        " ON p.client_end = k.client_end AND p.server_end = k.server_end WHERE p.pair IS NULL"
    )
    return Count(int(str(count)), int(str(connections)))


def _ends(window: FlowWindow, side: str, places: Places) -> dict[int, PlacedEnd | None]:
    """Make the table of one side's distinct ends and return where each stands, by its row."""
    columns = ", ".join(f"{side}{part} AS end{part}" for part in END)
    window.rows(
        f"CREATE OR REPLACE TABLE simulated_{side} AS SELECT DISTINCT {columns},"
        f" {side}_process IS NOT NULL AS end_said FROM flows ORDER BY ALL"
    )
    cursor = window.connection.cursor()
    cursor.execute(f"SELECT rowid, * FROM simulated_{side} ORDER BY rowid")
    return {row: places.place(End(*values), SIDES[side]) for row, *values in cursor.fetchall()}


def _points(protocol: int, port: int | None) -> Sequence[int]:
    """Return what a service may have been: every type where nobody said the type of an ICMP message."""
    return range(point_of(protocol), point_of(protocol) + 256) if port is None else (point_of(protocol, port),)


def _keep(window: FlowWindow, judged: Sequence[tuple[int, int, int | None, int]]) -> None:
    columns = [list(column) for column in zip(*judged, strict=True)] or [[], [], [], []]
    window.rows(
        "CREATE OR REPLACE TABLE simulated AS SELECT unnest($1::BIGINT[]) AS pair, unnest($2::UTINYINT[]) AS protocol,"
        " unnest($3::USMALLINT[]) AS port, unnest($4::BIGINT[]) AS verdict",
        columns,
    )


def _same(side: str, ends: str) -> str:
    nullable = [f"f.{side}{part} IS NOT DISTINCT FROM {ends}.end{part}" for part in END]
    return " AND ".join([*nullable, f"(f.{side}_process IS NOT NULL) = {ends}.end_said"])


def _sides(outcomes: tuple[Outcome | None, Outcome | None]) -> list[dict[str, object]]:
    return [
        {
            "side": side,
            "verdict": "allow" if outcome is None or outcome.passes else "deny",
            "rule": outcome.rule if outcome else None,
            "would_deny": outcome is not None and outcome.effect is Effect.WATCH,
        }
        for side, outcome in zip(("from", "to"), outcomes, strict=True)
    ]
