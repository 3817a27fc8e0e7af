"""A picture of who talks to whom: groups, signs, sums, cells and neighbours, for a small shop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from ringfence.analysis.picture import JudgedPicture, PolicyTables
from ringfence.compiler import compile_policy
from ringfence.flows.window import FlowWindow
from ringfence.model.flows import REFUSED
from ringfence.model.picture import GroupKind, Picture, PictureGroup, PolicyState, Sign, SignCount
from ringfence.model.rules import Action, Mode, Policy, Settings
from ringfence.model.selectors import ANY

from tests.unit import estate_factory as factory
from tests.unit.flows.flow_factory import flow

HELD, FILES = PolicyState.HELD, PolicyState.FILES
ESTATE = factory.snapshot(
    factory.asset("web-1", "10.0.0.1", env="prod", role="web"),
    factory.asset("web-2", "10.0.0.2", env="prod", role="web"),
    factory.asset("db-1", "10.0.0.3", env="prod", role="db"),
    factory.asset("dev-1", "10.0.0.9", env="dev", role="web"),
    factory.asset("lone", "10.0.0.7", workload=False),
)
WEB, DB, DEV = factory.labelled(role="web"), factory.labelled(role="db"), factory.labelled(env="dev")
POLICY = factory.policy(
    factory.rule("web-db", WEB, DB, "tcp/5432"),
    factory.rule("no-dev", DEV, DB, "tcp/5432", action=Action.DENY),
    factory.rule("metrics", ANY, WEB, "tcp/9100", to_unit="node.service"),
)
FLOWS = [
    flow("10.0.0.1", "10.0.0.3", 5432, connections=7),
    flow("10.0.0.2", "10.0.0.3", 5432, connections=2),
    flow("10.0.0.9", "10.0.0.3", 5432, connections=5),
    flow("10.0.0.3", "10.0.0.1", 9100),
    flow("10.0.0.1", "192.0.2.9", 443, connections=3),
    flow("10.9.9.9", "10.0.0.7", 80),
    flow("10.0.0.1", "10.0.0.7", 81, outcome=REFUSED, connections=4),
]


def tables(policy: Policy) -> PolicyTables:
    made = compile_policy(ESTATE, policy, Settings())
    return PolicyTables(made.tables, {"web-db00": "policy/shop.yml:4"})


@pytest.fixture
def judged() -> Iterator[JudgedPicture]:
    states = {HELD: PolicyTables({}, {}), FILES: tables(POLICY)}
    with JudgedPicture(FlowWindow.of_flows(FLOWS, [ESTATE]), ESTATE, Settings(), states) as picture:
        yield picture


def named(group: PictureGroup) -> str:
    return " ".join(value or "-" for value in group.labels) or group.name or group.kind


def signs(picture: Picture, state: PolicyState) -> dict[str, Mapping[Sign, SignCount]]:
    names = [named(one) for one in picture.groups]
    return {f"{names[one.client]} > {names[one.server]}": one.signs[state] for one in picture.edges}


def test_groups_stand_in_the_order_of_their_labels_with_unknown_and_the_internet_last(judged: JudgedPicture) -> None:
    groups = judged.at(("env", "role")).groups
    assert [named(one) for one in groups] == ["dev web", "prod db", "prod web", "- -", "unknown", "internet"]
    assert [one.assets for one in groups] == [1, 1, 2, 1, 0, 0]


def test_an_edge_has_a_sign_for_what_becomes_of_each_flow(judged: JudgedPicture) -> None:
    assert signs(judged.at(("env", "role")), FILES) == {
        "prod web > prod db": {Sign.ALLOWED: SignCount(2, 9)},
        "dev web > prod db": {Sign.DENIED: SignCount(1, 5)},
        "prod db > prod web": {Sign.NOT_JUDGED: SignCount(1, 1)},  # which process of web-1 listened?
        "prod web > internet": {Sign.DENIED: SignCount(1, 3)},
        "unknown > - -": {Sign.NOT_JUDGED: SignCount(1, 1)},  # no table, and nobody knows who it is
        "prod web > - -": {},
    }


def test_what_nothing_enforces_passes_because_nothing_decides(judged: JudgedPicture) -> None:
    held = signs(judged.at(("env", "role")), HELD)
    assert held["dev web > prod db"] == {Sign.UNDECIDED: SignCount(1, 5)}
    assert judged.at(("env", "role")).edges[0].worst(HELD) is Sign.UNDECIDED


def test_in_mode_observe_a_denial_passes_only_because_of_the_mode_and_an_unseen_process_is_not_judged() -> None:
    policy = factory.policy(*POLICY.rules, mode=Mode.OBSERVE)
    with JudgedPicture(FlowWindow.of_flows(FLOWS, [ESTATE]), ESTATE, Settings(), {FILES: tables(policy)}) as picture:
        found = signs(picture.at(("env", "role")), FILES)
    assert found["dev web > prod db"] == {Sign.WOULD_BE_DENIED: SignCount(1, 5)}
    assert found["prod db > prod web"] == {Sign.WOULD_BE_DENIED: SignCount(1, 1)}
    assert found["prod web > prod db"] == {Sign.ALLOWED: SignCount(2, 9)}


def test_processes_are_the_finest_level() -> None:
    seen = [*FLOWS, flow("10.0.0.3", "10.0.0.2", 9100, server_unit="node.service", server_process="node")]
    with JudgedPicture(FlowWindow.of_flows(seen, [ESTATE]), ESTATE, Settings(), {FILES: tables(POLICY)}) as picture:
        found = signs(picture.at(("role", "process")), FILES)
    assert found["db - > web node.service"] == {Sign.ALLOWED: SignCount(1, 1)}
    assert found["db - > web -"] == {Sign.NOT_JUDGED: SignCount(1, 1)}


def test_refused_attempts_have_no_sign_and_are_counted_apart(judged: JudgedPicture) -> None:
    picture = judged.at(("role",))
    assert picture.refused == SignCount(1, 4)
    edge = picture.edge(*(next(g for g in picture.groups if named(g) == name) for name in ("web", "-")))
    assert edge is not None
    assert (edge.refused, edge.worst(FILES)) == (SignCount(1, 4), Sign.NOTHING)


@pytest.mark.parametrize("levels", [("env",), ("env", "role"), ("role", "asset"), ("env", "role", "asset", "process")])
def test_the_sum_over_all_edges_is_the_window_at_every_level(judged: JudgedPicture, levels: tuple[str, ...]) -> None:
    picture = judged.at(levels)
    for state in (HELD, FILES):
        total: dict[Sign, SignCount] = {}
        for edge in picture.edges:
            for sign, count in edge.signs[state].items():
                total[sign] = total.get(sign, SignCount()) + count
        assert total == picture.totals[state]
        assert sum(count.flows for count in total.values()) + picture.refused.flows == len(FLOWS)


def test_services_are_the_busiest_first_and_the_others_are_counted(judged: JudgedPicture) -> None:
    picture = judged.at(("env",), services=1)
    prod = next(number for number, one in enumerate(picture.groups) if named(one) == "prod")
    edge = next(one for one in picture.edges if one.client == one.server == prod)
    assert [(one.protocol, one.port) for one in edge.services] == [(6, 5432)]
    assert edge.more_services == 1


def test_inside_a_group_its_parts_are_shown_and_the_others_as_wholes(judged: JudgedPicture) -> None:
    prod = next(one for one in judged.at(("env",)).groups if named(one) == "prod")
    picture = judged.at(("env", "role"), prod)
    assert [named(one) for one in picture.groups] == ["dev", "prod db", "prod web", "-", "internet"]
    assert "dev > prod db" in signs(picture, FILES)


def test_inside_of_the_internet_addresses_stand_as_networks(judged: JudgedPicture) -> None:
    internet = judged.at(("env",)).groups[-1]
    assert internet.kind is GroupKind.INTERNET
    assert signs(judged.at(("env",), internet), FILES) == {"prod > 192.0.2.0/24": {Sign.DENIED: SignCount(1, 3)}}


def test_a_cell_tells_its_flows_and_the_rules_that_decide(judged: JudgedPicture) -> None:
    levels = ("env", "role")
    groups = {named(one): one for one in judged.at(levels).groups}
    cell = judged.cell(levels, groups["prod web"], groups["prod db"], limit=1)
    assert (cell.clients, cell.servers, cell.more) == (2, 1, 1)
    (first,) = cell.flows
    assert (first.client.asset, first.connections, first.signs[FILES]) == ("web-1", 7, Sign.ALLOWED)
    assert first.rules == {HELD: (), FILES: ("web-db00",)}
    assert {(one.rule, one.place, one.side, one.count) for one in cell.rules[FILES]} == {
        ("web-db00", "policy/shop.yml:4", side, SignCount(2, 9)) for side in ("in", "out")
    }


def test_a_cell_of_nothing_has_no_edge(judged: JudgedPicture) -> None:
    groups = {named(one): one for one in judged.at(("env",)).groups}
    cell = judged.cell(("env",), groups["dev"], groups["internet"])
    assert (cell.edge, cell.flows) == (None, ())


def test_each_rule_has_the_flows_that_it_decides(judged: JudgedPicture) -> None:
    found = judged.traffic_of_rules(FILES)
    assert found["web-db00"].count == SignCount(2, 9)
    assert found["no-dev00"].signs == {Sign.DENIED: SignCount(1, 5)}
    assert found["default"].signs[Sign.DENIED] == SignCount(1, 3)
    assert judged.traffic_of_rules(HELD) == {}


def test_where_another_engine_counts_flows_the_picture_is_made_here(judged: JudgedPicture) -> None:
    class Elsewhere:
        def close(self) -> None:
            """Nothing is held; nothing else may be asked."""

    window = FlowWindow.of_flows(FLOWS, [ESTATE])
    window.engine = Elsewhere()  # type: ignore[assignment]  # no engine at all
    with JudgedPicture(window, ESTATE, Settings(), {FILES: tables(POLICY)}) as picture:
        assert picture.at(("role",)).totals[FILES] == judged.at(("role",)).totals[FILES]


def test_neighbours_are_who_talks_to_a_group_and_whom_it_talks_to(judged: JudgedPicture) -> None:
    levels = ("env", "role")
    db = next(one for one in judged.at(levels).groups if named(one) == "prod db")
    found = judged.neighbours(levels, db)
    assert [(named(one.group), one.ends) for one in found.clients] == [("prod web", 2), ("dev web", 1)]
    assert [named(one.group) for one in found.servers] == ["prod web"]


def test_in_the_middle_of_its_neighbours_a_group_tells_modes_what_listens_and_the_rules_that_decide() -> None:
    named_node = flow("10.0.0.3", "10.0.0.2", 9100, server_unit="node.service", server_process="node")
    policy = factory.policy(*POLICY.rules, mode=Mode.OBSERVE)
    states = {HELD: PolicyTables({}, {}), FILES: tables(policy)}
    with JudgedPicture(FlowWindow.of_flows([*FLOWS, named_node], [ESTATE]), ESTATE, Settings(), states) as picture:
        levels = ("env", "role")
        groups = {named(one): one for one in picture.at(levels).groups}
        web = picture.neighbours(levels, groups["prod web"]).middle
        db = picture.neighbours(levels, groups["prod db"]).middle
    assert web is not None
    assert db is not None
    assert [(one.inbound, one.hosts) for one in web.modes[FILES]] == [("observe", 2)]
    assert [(one.inbound, one.hosts) for one in web.modes[HELD]] == [("", 2)]
    assert [(one.port, one.process, one.hosts) for one in web.listening] == [(9100, "node.service", 1)]
    assert [(one.port, one.hosts, one.connections) for one in db.listening] == [(5432, 1, 14)]
    deciding = {(one.name, one.side, one.sign, one.count.flows) for one in db.rules[FILES] if one.side == "in"}
    assert deciding == {("web-db", "in", Sign.ALLOWED, 2), ("no-dev", "in", Sign.WOULD_BE_DENIED, 1)}
    assert db.rules[HELD] == ()


def test_neighbours_in_a_group_are_counted_too(judged: JudgedPicture) -> None:
    prod = next(one for one in judged.at(("env",)).groups if named(one) == "prod")
    levels = ("env", "role")
    db = next(one for one in judged.at(levels, prod).groups if named(one) == "prod db")
    found = judged.neighbours(levels, db, inside=prod)
    assert [(named(one.group), one.ends) for one in found.clients] == [("prod web", 2), ("dev", 1)]
