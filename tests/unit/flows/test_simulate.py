"""A simulation says of every flow what a plain loop over the tables says, and counts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.analysis.builtins import built_in, from_port
from ringfence.analysis.simulate import Simulation, simulate
from ringfence.analysis.simulate_counts import Count
from ringfence.analysis.simulate_judge import Category
from ringfence.flows.store import FlowStore
from ringfence.flows.window import FlowWindow
from ringfence.model.addresses import addresses_of
from ringfence.model.assets import Control, Snapshot
from ringfence.model.flows import Flow
from ringfence.model.rules import Direction
from ringfence.model.services import point_of
from ringfence.model.tables import Cell, Effect, ProcessClass, VerdictTable

from tests.examples import examples
from tests.unit.flows import flow_factory as factory

WEB, DB, OUTSIDE = "10.0.0.1", "10.0.0.2", "192.0.2.1"
ESTATE = factory.snapshot(
    factory.asset("web-1", WEB, "fd00::1", app="shop", role="web"), factory.asset("db-1", DB, app="shop", role="db")
)
POSTGRES = factory.service_map((point_of(6, 5432), point_of(6, 5432), "0000000a"))
NOTHING = factory.service_map()
CLOSED_DB = factory.table(factory.direction(([WEB], POSTGRES), otherwise=NOTHING))


def counts(simulation: Simulation) -> dict[str, int]:
    return {str(category): count.flows for category, count in simulation.categories.items() if count.flows}


def test_flows_are_judged_against_what_is_enforced_now() -> None:
    flows = [
        factory.flow(WEB, DB, 5432),
        factory.flow(WEB, DB, 22, connections=4),
        factory.flow(OUTSIDE, DB, 5432),
        factory.flow(WEB, OUTSIDE),
    ]
    only_ssh = factory.service_map((point_of(6, 22), point_of(6, 22), "0000000b"))
    current = {"db-1": factory.table(factory.direction(([WEB], only_ssh), otherwise=NOTHING))}
    simulation = simulate({"db-1": CLOSED_DB}, ESTATE, flows, current)
    assert counts(simulation) == {"newly_allowed": 1, "newly_denied": 1, "still_denied": 1, "still_allowed": 1}
    assert simulation.categories[Category.NEWLY_DENIED] == Count(1, 4)
    assert simulation.summary() == "2 allowed, 1 denied that were allowed, 1 newly allowed, 1 denied as before"
    (denied,) = simulation.flows([Category.NEWLY_DENIED])
    assert (denied.flow.port, denied.client_asset, denied.server_asset) == (22, "web-1", "db-1")
    assert denied.data()["sides"] == [
        {"side": "from", "verdict": "allow", "rule": None, "would_deny": False},
        {"side": "to", "verdict": "deny", "rule": "default", "would_deny": False},
    ]


def test_where_nothing_is_enforced_now_every_denied_flow_is_newly_denied() -> None:
    flows = [factory.flow(WEB, DB, 5432), factory.flow(OUTSIDE, DB, 5432)]
    simulation = simulate({"db-1": CLOSED_DB}, ESTATE, flows)
    assert counts(simulation) == {"still_allowed": 1, "newly_denied": 1}


def test_counts_are_told_by_rule_and_by_labels_down_to_the_flow() -> None:
    table = replace(CLOSED_DB, rule_names={"0000000a": "web to database"})
    flows = [factory.flow(WEB, DB, 5432), factory.flow(WEB, DB, 80), factory.flow(OUTSIDE, DB, 80)]
    simulation = simulate({"db-1": table}, ESTATE, flows, keys=("role",))
    rows = {(row.name, row.direction): row for row in simulation.by_rule}
    assert rows["web to database", Direction.IN].categories[Category.STILL_ALLOWED].flows == 1
    assert rows["default", Direction.IN].categories[Category.NEWLY_DENIED].flows == 2
    pairs = {(str(row.source), str(row.destination)): row for row in simulation.by_labels}
    web_db = pairs["{'role': 'web'}", "{'role': 'db'}"]
    assert web_db.categories[Category.NEWLY_DENIED].flows == web_db.categories[Category.STILL_ALLOWED].flows == 1
    assert {one.flow.port for one in simulation.flows(labels=web_db)} == {5432, 80}
    assert [one.flow.port for one in simulation.flows(rule="0000000a")] == [5432]
    assert [one.client_asset for one in simulation.flows(labels=pairs["None", "{'role': 'db'}"])] == [None]


def test_what_passes_only_because_of_the_mode_is_counted_as_watched() -> None:
    watching = factory.service_map(otherwise=Effect.WATCH)
    table = factory.table(factory.direction(otherwise=watching))
    simulation = simulate({"db-1": table}, ESTATE, [factory.flow(WEB, DB), factory.flow(DB, WEB)])
    assert counts(simulation) == {"still_allowed": 2}
    assert simulation.watched.flows == 1
    assert [one.flow.server for one in simulation.flows(watched=True)] == list(addresses_of([DB]).intervals[0][:1])


def unit_table() -> VerdictTable:
    allowed, other = factory.direction(), factory.direction(otherwise=NOTHING)
    named = (Cell(cell.local, ProcessClass("api.service"), cell.remote, cell.services) for cell in allowed.cells)
    cells = (*named, *other.cells)
    return factory.table(outbound=replace(allowed, cells=cells, units=("api.service",)))


def test_a_flow_whose_process_is_not_known_says_that_its_verdict_depends_on_it() -> None:
    tables = {"web-1": unit_table()}
    known = factory.flow(WEB, DB, 1, client_unit="api.service")
    another = factory.flow(WEB, DB, 2, client_unit="cron.service")
    no_unit = factory.flow(WEB, DB, 3, client_process="nc")
    unknown = factory.flow(WEB, DB, 4)
    simulation = simulate(tables, ESTATE, [known, another, no_unit, unknown])
    verdicts = {one.flow.port: (one.verdict.allowed, one.verdict.depends) for one in simulation.flows()}
    assert verdicts == {1: (True, False), 2: (False, False), 3: (False, False), 4: (False, True)}
    assert [one.flow.port for one in simulation.flows(depends=True)] == [4]
    assert simulation.depends.flows == 1


def test_the_control_path_and_loopback_pass_whatever_the_table_says() -> None:
    closed = factory.table(
        factory.direction(otherwise=NOTHING), factory.direction(otherwise=NOTHING), Control((f"{OUTSIDE}/32",), 22)
    )
    flows = [
        factory.flow(OUTSIDE, DB, 22),
        factory.flow(OUTSIDE, DB, 23),
        factory.flow(WEB, DB, 22),
        factory.flow(DB, DB, 80),
    ]
    simulation = simulate({"db-1": closed}, ESTATE, flows)
    assert [one.flow.port for one in simulation.flows([Category.STILL_ALLOWED])] == [80, 22]
    assert ("built-in: control path", Direction.IN) in {(row.rule, row.direction) for row in simulation.by_rule}


def test_an_asset_that_moved_is_judged_where_it_is_now_and_a_gone_one_not_at_all(tmp_path: Path) -> None:
    then = factory.snapshot(
        factory.asset("web-1", "10.0.0.3"), factory.asset("old-1", "10.0.0.4"), taken=factory.NOON - timedelta(days=1)
    )
    store = FlowStore(tmp_path)
    store.add([factory.flow("10.0.0.3", DB, 5432), factory.flow("10.0.0.4", DB, 5432, connections=9)], [then])
    with store.window() as window:
        simulation = simulate({"db-1": CLOSED_DB}, ESTATE, window)
        assert counts(simulation) == {"still_allowed": 1}
        assert simulation.gone == Count(1, 9)
        assert "gone" in simulation.summary()


def test_refused_attempts_are_listed_apart_and_in_no_other_count() -> None:
    scan = [factory.flow(OUTSIDE, DB, port, outcome="refused", connections=port) for port in (21, 22, 23)]
    flows = [*scan, factory.flow(WEB, DB, 5432), factory.flow(WEB, DB, 22, outcome="unanswered")]
    simulation = simulate({"db-1": CLOSED_DB}, ESTATE, flows)
    assert counts(simulation) == {"still_allowed": 1, "newly_denied": 1}
    assert simulation.refused == Count(3, 66)
    assert [one.flow.port for one in simulation.flows()] == [22, 5432]
    assert [(row["port"], row["server_asset"]) for row in simulation.refusals(2)] == [(23, "db-1"), (22, "db-1")]
    assert simulation.data()["refused"] == {"flows": 3, "connections": 66}
    assert "3 refused, not judged" in simulation.summary()


def test_what_was_seen_of_each_workload_is_told_and_which_never_was() -> None:
    closed = factory.table(factory.direction(otherwise=NOTHING))
    flows = [
        factory.flow(WEB, DB, 5432, connections=3),
        factory.flow(DB, DB, 80, at=factory.NOON + timedelta(hours=1)),
        factory.flow(OUTSIDE, WEB, 22, outcome="refused", at=factory.NOON - timedelta(hours=1)),
    ]
    simulation = simulate(dict.fromkeys(("db-1", "web-1", "old-1"), closed), ESTATE, flows)
    evidence = {one.asset: one for one in simulation.evidence()}
    assert list(evidence) == ["old-1", "web-1", "db-1"]
    assert (evidence["web-1"].count, evidence["db-1"].count) == (Count(1, 3), Count(2, 4))
    assert (evidence["web-1"].first_seen, evidence["db-1"].first_seen) == (factory.NOON, factory.NOON)
    assert evidence["db-1"].last_seen == factory.NOON + timedelta(hours=1)
    assert evidence["old-1"].data() == {
        "asset": "old-1", "flows": 0, "connections": 0, "first_seen": None, "last_seen": None
    }  # fmt: skip
    assert simulation.unseen == ("old-1",)
    assert "no flow of 1 workload was seen: old-1" in simulation.unseen_words()


def test_a_simulation_of_nothing_is_empty() -> None:
    simulation = simulate({"db-1": CLOSED_DB}, ESTATE, [])
    assert list(simulation.flows()) == []
    assert simulation.data()["by_rule"] == []


ASSETS = ("one", "two", "three")
HOLDINGS = st.lists(st.sampled_from([*ASSETS, None]), min_size=len(factory.ADDRESSES), max_size=len(factory.ADDRESSES))


def estate_of(holdings: list[str | None]) -> Snapshot:
    held = {
        name: [a for a, holder in zip(factory.ADDRESSES, holdings, strict=True) if holder == name] for name in ASSETS
    }
    return factory.snapshot(*(factory.asset(name, *addresses, role=name[0]) for name, addresses in held.items()))


def naive(tables: Mapping[str, VerdictTable], holder: dict[int, str], flow: Flow) -> tuple[bool, bool, bool]:
    """Return whether a flow passes, would be denied in full mode, and depends on a process that it does not name."""
    point = point_of(flow.protocol, flow.port)
    answers: list[list[Effect]] = []
    for direction, local, remote in (
        (Direction.OUT, flow.client, flow.server),
        (Direction.IN, flow.server, flow.client),
    ):
        end = "client" if direction is Direction.OUT else "server"
        unit, user, process = (getattr(flow, f"{end}_{name}") for name in ("unit", "user", "process"))
        table = tables.get(holder.get(local, ""))
        inbound = direction is Direction.IN
        itself = flow.client in holder and holder[flow.client] == holder.get(flow.server)
        ends = (flow.client, flow.server, point)
        if table is None or built_in(*ends, control=table.control, inbound=inbound, itself=itself):
            answers.append([Effect.ALLOW])
            continue
        directed = table.direction(direction)
        units = [unit] if unit or process else [None, *directed.units]
        users = [user] if user or process else [None, *directed.users]
        classes = [ProcessClass(one, other) for one, other in product(units, users)]
        effects = [directed.services_at(local, one, remote).outcome(point).effect for one in classes]
        answers.append(effects + [Effect.ALLOW] * (from_port(*ends, inbound=inbound) is not None))
    seen = [answer[0] for answer in answers]
    passing = Effect.DENY not in seen
    possible = {Effect.DENY not in pair for pair in product(*answers)}
    return passing, passing and Effect.WATCH in seen, len(possible) > 1


@settings(deadline=None, max_examples=examples(40))
@given(
    HOLDINGS,
    st.dictionaries(st.sampled_from(ASSETS), factory.verdict_tables()),
    st.none() | st.dictionaries(st.sampled_from(ASSETS), factory.verdict_tables(), max_size=2),
    st.lists(factory.flows(), max_size=12),
)
def test_it_equals_a_plain_loop_over_the_flows(
    holdings: list[str | None],
    tables: dict[str, VerdictTable],
    current: dict[str, VerdictTable] | None,
    flows: list[Flow],
) -> None:
    estate = estate_of(holdings)
    holder = {point: asset.name for asset in estate.assets for point in asset.addresses}
    with FlowWindow.of_flows(flows, [estate]) as window:
        expected = Counter()
        for one in window:
            passing, watched, depends = naive(tables, holder, one)
            before = current is None or naive(current, holder, one)[0]
            expected[one, Category.of(before=before, after=passing), watched, depends] += 1
        simulation = simulate(tables, estate, window, current)
        judged = Counter(
            (one.flow, one.verdict.category, one.verdict.watched, one.verdict.depends) for one in simulation.flows()
        )
        assert judged == expected
        by_category = Counter(key[1] for key in expected.elements())
        assert {
            category: count.flows for category, count in simulation.categories.items() if count.flows
        } == by_category
        assert simulation.watched.flows == sum(key[2] for key in expected.elements())
        assert simulation.depends.flows == sum(key[3] for key in expected.elements())
        assert sum(sum(c.flows for c in row.categories.values()) for row in simulation.by_labels) == len(window)
        assert simulation.data() == simulate(tables, estate, list(reversed(flows)), current).data()
