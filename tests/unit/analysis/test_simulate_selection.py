"""A selection of judged flows counts what a plain loop over all of them counts."""

from __future__ import annotations

from collections import Counter

from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.simulate import JudgedFlow, Simulation, simulate
from ringfence.analysis.simulate_judge import Category
from ringfence.analysis.simulate_selection import ChosenEnds, Selection, Wanted
from ringfence.compiler import compile_policy
from ringfence.model.rules import Settings
from ringfence.model.selectors import ANY, Unknown

from tests.unit import estate_factory as factory
from tests.unit.flows.flow_factory import flow

ESTATE = factory.snapshot(
    factory.asset("web-1", "10.0.0.1", role="web"),
    factory.asset("web-2", "10.0.0.2", role="web"),
    factory.asset("db-1", "10.0.0.3", role="db"),
    factory.asset("db-2", "10.0.0.4", role="db"),
)
WEB, DB = factory.labelled(role="web"), factory.labelled(role="db")
NOW = factory.policy(factory.rule("old", WEB, DB, "tcp/5432"), factory.rule("gone", WEB, DB, "tcp/22"))
DRAFT = factory.policy(factory.rule("old", WEB, DB, "tcp/5432"), factory.rule("new", DB, WEB, "tcp/80"))
FLOWS = [
    flow("10.0.0.1", "10.0.0.3", 5432, connections=7),
    flow("10.0.0.2", "10.0.0.3", 5432),
    flow("10.0.0.1", "10.0.0.3", 22),
    flow("10.0.0.3", "10.0.0.1", 80),
    flow("192.0.2.1", "10.0.0.3", 443),
    flow("10.0.0.1", "192.0.2.9", 443),
    flow("10.0.0.3", "10.0.0.3", 81),
]


def simulation() -> Simulation:
    draft, now = (compile_policy(ESTATE, one, Settings()).tables for one in (DRAFT, NOW))
    return simulate(draft, ESTATE, FLOWS, now, keys=("role",))


def keys(flows: list[JudgedFlow]) -> set[tuple[int, int, int | None]]:
    return {(one.flow.client, one.flow.server, one.flow.port) for one in flows}


def ends_of(*selectors: object) -> ChosenEnds | None:
    return ChosenEnds.of(selectors, Ends(ESTATE, Settings()))  # type: ignore[arg-type]  # selectors


def test_every_kind_of_choice_is_that_of_a_plain_loop() -> None:
    result = simulation()
    every = list(result.flows())
    web, db, unknown = ends_of(WEB), ends_of(DB), ends_of(Unknown())
    choices = {
        Wanted(categories=frozenset({Category.NEWLY_DENIED})): lambda one: (
            one.verdict.category is Category.NEWLY_DENIED
        ),
        Wanted(client=web, server=db): lambda one: (
            one.client_asset in ("web-1", "web-2") and one.server_asset == "db-1"
        ),
        Wanted(client=unknown): lambda one: one.client_asset is None,
        Wanted(either=unknown): lambda one: one.client_asset is None or one.server_asset is None,
        Wanted(either=db, categories=frozenset({Category.STILL_ALLOWED})): lambda one: (
            "db-1" in (one.client_asset, one.server_asset) and one.verdict.category is Category.STILL_ALLOWED
        ),
        Wanted(rules=frozenset({"gone0000"})): lambda one: one.flow.port == 22,
        Wanted(rules=frozenset({"new00000"}), client=web): lambda _one: False,
    }
    for wanted, meets in choices.items():
        selection, expected = Selection(result, wanted), [one for one in every if meets(one)]
        assert keys(list(selection.flows())) == keys(expected)
        counted = Counter(one.verdict.category for one in expected)
        assert {one: count.flows for one, count in selection.categories.items() if count.flows} == counted
        assert sum(c.flows for row in selection.by_labels() for c in row.categories.values()) == len(expected)
    assert ends_of(ANY) is None


def test_a_rule_that_is_gone_still_finds_the_flows_that_it_allowed_and_its_ruleset_counts_them() -> None:
    result = simulation()
    selection = Selection(result, Wanted(rules=frozenset({"gone0000"})))
    assert [(one.flow.port, one.verdict.category) for one in selection.flows()] == [(22, Category.NEWLY_DENIED)]
    assert {one.name for one in selection.by_rule()} == {"default"}
    (row, *_) = Selection(result).by_ruleset(NOW)
    assert row.categories[Category.NEWLY_DENIED].flows == 1


def test_assets_come_with_what_was_seen_of_them_the_worst_first_and_the_unseen_are_named() -> None:
    rows = Selection(simulation()).by_asset()
    assert [one.asset for one in rows] == ["web-1", "db-1", "db-2", "web-2"]
    denied = {one.asset: one.categories[Category.NEWLY_DENIED].flows for one in rows}
    assert denied == {"web-1": 1, "db-1": 1, "db-2": 0, "web-2": 0}
    db = rows[1]
    assert sum(count.flows for count in db.categories.values()) == db.evidence.count.flows == 6
    assert rows[2].data()["first_seen"] is None
    alone = Selection(simulation(), Wanted(either=ends_of(factory.labelled(role="db")))).by_asset()
    assert [one.asset for one in alone] == ["db-1", "db-2"]
