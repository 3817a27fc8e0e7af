"""Names in questions: what holds for an answer and for any other address, and which name decides it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ringfence.analysis.difference import difference
from ringfence.analysis.explain import explain
from ringfence.analysis.invariants import broken
from ringfence.analysis.lint import lint
from ringfence.analysis.policy_tests import failures
from ringfence.analysis.reach import reach
from ringfence.analysis.simulate import simulate
from ringfence.compiler import compile_policy
from ringfence.compiler.compilation import Compilation
from ringfence.model.addresses import addresses_of, point_of
from ringfence.model.errors import InputError, Place
from ringfence.model.flows import Flow
from ringfence.model.rules import Action, Invariant, Mode, Peer, Policy, PolicyTest
from ringfence.model.selectors import ANY, AddressIn, AllOf, AnyOf, FqdnIs, Selector, Unknown
from ringfence.model.services import parse_service
from ringfence.model.tables import Effect

from tests.unit.estate_factory import SETTINGS, asset, labelled, policy, rule, snapshot

HERE = Place("policy/shop.yml", 1, 1)
PAY, CDN = FqdnIs("pay.example"), FqdnIs("cdn.example")
ESTATE = snapshot(asset("api-1", "10.0.0.1", role="api"), asset("db-1", "10.0.0.2", role="db"))
API, DB = labelled(role="api"), labelled(role="db")
TCP_443 = parse_service("tcp/443")
PAYING = rule("pay", API, PAY, "tcp/443")
WALL = rule("wall", API, AddressIn(addresses_of(["198.51.100.0/24"]), "198.51.100.0/24"), "any", action=Action.DENY)


def compiled(*rules: object, invariants: tuple[Invariant, ...] = (), tests: tuple[PolicyTest, ...] = ()) -> Compilation:
    """Return a policy in which every mode is full, with invariants and tests."""
    made = policy(*rules, mode=Mode.FULL)  # type: ignore[arg-type] # rules of the factory
    return compile_policy(ESTATE, Policy(made.rules, made.enforcement, tests, invariants), SETTINGS)


def never(source: Selector, destination: Selector, service: str = "any") -> Invariant:
    return Invariant("never", HERE, Action.DENY, (Peer(source),), (Peer(destination),), parse_service(service))


def test_an_address_is_denied_and_what_a_name_would_change_is_told() -> None:
    told = explain(compiled(PAYING), "api-1", "192.0.2.7", TCP_443)
    assert told.verdict == "deny"
    assert told.nearest
    assert told.nearest.misses == ("needs 192.0.2.7 to be an answer to pay.example",)
    (other,) = told.others
    assert (other.verdict, other.server, other.members) == (
        "allow",
        "192.0.2.7 if it is in fqdn:pay.example",
        ("fqdn:pay.example",),
    )
    assert other.sides[0].rule == "pay"


def test_a_name_can_be_asked_for_like_an_address() -> None:
    for words in ("pay.example", "fqdn:pay.example"):
        told = explain(compiled(PAYING), "api-1", words, TCP_443)
        assert (told.verdict, told.server, told.sides[0].rule) == ("allow", "fqdn:pay.example", "pay")
    with pytest.raises(InputError, match="neither an asset nor an address"):
        explain(compiled(PAYING), "api-1", "other.example", TCP_443)


def test_reach_has_a_row_for_a_name_and_none_for_an_address_that_may_be_its_answer() -> None:
    rows = [row.data() for row in reach(compiled(PAYING))]
    assert rows == [{"from": "api-1", "to": "fqdn:pay.example", "allow": ["tcp/443"]}]
    assert [row.server for row in reach(compiled(PAYING), destinations=[PAY])] == ["fqdn:pay.example"]
    assert list(reach(compiled(PAYING), destinations=[CDN])) == []
    by_address = [row.data()["from"] for row in reach(compiled(PAYING), by_address=True)]
    assert by_address == ["10.0.0.1"]


def test_a_guardrail_holds_for_every_answer() -> None:
    walled = AddressIn(addresses_of(["198.51.100.0/24"]), "198.51.100.0/24")
    held = never(API, walled)
    assert broken(compiled(PAYING, WALL, invariants=(held,))) == []
    (found,) = broken(compiled(PAYING, invariants=(held,)))
    assert found.example.server == "198.51.100.0 and in fqdn:pay.example"
    assert found.example.decisions[0].rule == "pay"


def test_an_invariant_about_unknown_addresses_is_broken_by_a_name() -> None:
    assert broken(compiled(PAYING, invariants=(never(API, Unknown(), "tcp/443"),)))
    assert broken(compiled(PAYING, invariants=(never(API, Unknown(), "tcp/80"),))) == []
    assert broken(compiled(PAYING, invariants=(never(labelled(role="db"), Unknown()),))) == []


def test_an_invariant_about_a_name_is_broken_by_another_that_may_have_the_same_answers() -> None:
    (found,) = broken(compiled(PAYING, invariants=(never(API, CDN),)))
    assert found.example.server.endswith("and in fqdn:cdn.example and in fqdn:pay.example")
    refused = rule("refused", API, CDN, "any", action=Action.DENY)
    assert broken(compiled(PAYING, refused, invariants=(never(API, CDN),))) == []


@pytest.mark.parametrize(("name", "expect", "holds"), [
    (PAY, Action.ALLOW, True), (CDN, Action.ALLOW, False), (PAY, Action.DENY, False), (CDN, Action.DENY, True),
])  # fmt: skip
def test_a_policy_test_may_expect_something_of_a_name(name: FqdnIs, expect: Action, holds: bool) -> None:
    test = PolicyTest("t", HERE, (Peer(API),), (Peer(name),), TCP_443, expect)
    assert (failures(compiled(PAYING, tests=(test,))) == []) is holds


def failing(expect: Action, *destinations: Selector, rules: tuple[object, ...]) -> list[str]:
    """Return the servers at which a policy test of the API to some destinations fails."""
    ends = tuple(map(Peer, destinations))
    test = PolicyTest("t", HERE, (Peer(API),), ends, TCP_443, expect)
    return [failure.server for failure in failures(compiled(*rules, tests=(test,)))]


def test_a_policy_test_judges_the_labels_that_stand_beside_a_name() -> None:
    into = rule("into", API, DB, "tcp/443")
    assert failing(Action.ALLOW, AnyOf((PAY, DB)), rules=(PAYING,)) == ["db-1"]
    assert failing(Action.ALLOW, AnyOf((PAY, DB)), rules=(PAYING, into)) == []
    assert failing(Action.DENY, AnyOf((CDN, DB)), rules=(PAYING, into)) == ["db-1"]
    assert failing(Action.DENY, AnyOf((CDN, DB)), rules=(PAYING,)) == []


def test_a_policy_test_judges_answers_in_the_networks_that_are_anded_to_a_name() -> None:
    network = AddressIn(addresses_of(["203.0.113.0/24"]), "203.0.113.0/24")
    inside = AllOf((PAY, network))
    ranged = rule("ranged", API, inside, "tcp/443")
    assert failing(Action.ALLOW, inside, rules=(ranged,)) == []
    assert failing(Action.DENY, inside, rules=(ranged,)) == ["203.0.113.0 and in fqdn:pay.example"]
    assert failing(Action.ALLOW, network, rules=(ranged,)) == ["203.0.113.0-203.0.113.255"]
    assert failing(Action.ALLOW, PAY, rules=(ranged,)) == ["fqdn:pay.example"]


def test_a_policy_test_of_a_name_and_of_labels_that_nobody_has_is_about_the_name() -> None:
    assert failing(Action.ALLOW, labelled(role="none"), PAY, rules=(PAYING,)) == []


def test_a_flow_to_an_address_that_may_be_an_answer_depends_on_it() -> None:
    seen = datetime(2026, 1, 1, tzinfo=UTC)
    made = compiled(PAYING, WALL)
    for server, port, depends in (("192.0.2.7", 443, 1), ("192.0.2.7", 80, 0), ("198.51.100.9", 443, 0)):
        flow = Flow(
            point_of("10.0.0.1"), point_of(server), port, 6, seen, seen, client_process="api", client_user="api"
        )
        assert simulate(made.tables, ESTATE, [flow]).depends.flows == depends


def test_a_change_for_the_answers_to_a_name_says_so() -> None:
    (group,) = difference(compiled().tables, compiled(PAYING).tables)
    (change,) = group.changes
    assert change.after.effect is Effect.ALLOW
    assert change.data()["members"] == "in fqdn:pay.example"


def test_rules_about_names_alone_are_not_taken_for_rules_that_choose_nothing() -> None:
    either = rule("either", API, AnyOf((PAY, CDN)), "tcp/443")
    assert lint(compiled(either)) == []


def test_many_names_with_equal_services_are_few_questions() -> None:
    names = [rule(f"n{number}", API, FqdnIs(f"n{number}.example"), "tcp/443") for number in range(40)]
    table = compiled(*names).tables["api-1"]
    assert len(table.outbound.cells) == 41
    assert len(table.dynamic_sets) == 40


def test_names_that_combine_in_too_many_ways_are_refused_at_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.compiler.decisions.MOST_QUESTIONS", 500)
    names = [rule(f"n{number}", API, FqdnIs(f"n{number}.example"), f"tcp/{number + 1}") for number in range(20)]
    with pytest.raises(InputError, match="too many combinations"):
        compiled(*names)


def test_a_server_is_not_asked_whether_it_is_an_answer_itself() -> None:
    table = compiled(rule("pay", ANY, PAY, "tcp/443")).tables["db-1"]
    assert table.inbound.dynamic_sets == ()
