"""Explain, invariants, policy tests, lint and checks answer as a person would expect."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ringfence.analysis.checks import problems
from ringfence.analysis.explain import explain
from ringfence.analysis.invariants import broken
from ringfence.analysis.lint import lint
from ringfence.analysis.policy_tests import failures
from ringfence.compiler import compile_policy
from ringfence.model.addresses import addresses_of
from ringfence.model.errors import InputError, Place
from ringfence.model.problems import Severity
from ringfence.model.rules import Action, Direction, Enforcement, Invariant, Mode, Peer, Policy, PolicyTest, Process
from ringfence.model.selectors import ANY, AddressIn, FqdnIs, Internet, Not, Selector, Unknown
from ringfence.model.services import parse_service

from tests.unit.estate_factory import SETTINGS, asset, labelled, policy, rule, snapshot

ESTATE = snapshot(
    asset("web-1", "10.0.0.1", role="web", app="shop"),
    asset("api-1", "10.0.0.2", role="api", app="shop"),
    asset("db-1", "10.0.0.3", role="db", app="shop"),
    asset("pay-1", "10.0.0.4", role="api", app="payment"),
)
API_TO_DB = rule("api db", labelled(role="api", app="shop"), labelled(role="db"), "postgresql")
PLACE = Place("policy/tests/shop.yml", 3)
NOTHING = "test 't': nothing in the inventory is chosen by its from and to"


def invariant(source: Selector, destination: Selector, expect: Action, service: str = "any") -> Invariant:
    return Invariant("it holds", PLACE, expect, (Peer(source),), (Peer(destination),), parse_service(service))


def with_invariant(one: Invariant, *rules: object, mode: Mode = Mode.FULL) -> list[str]:
    made = policy(*rules, mode=mode)  # type: ignore[arg-type] # rules come from the factory
    full = compile_policy(ESTATE, Policy(made.rules, made.enforcement, (), (one,)), SETTINGS, full=True)
    return [f"{found.example.client} to {found.example.server} {found.example.service}" for found in broken(full)]


def test_a_denied_connection_names_the_nearest_rule_and_what_it_misses() -> None:
    made = compile_policy(ESTATE, policy(API_TO_DB), SETTINGS)
    answer = explain(made, "web-1", "db-1", parse_service("tcp/5432"))
    assert answer.verdict == "deny"
    assert [side.rule for side in answer.sides] == ["default", "default"]
    assert str(answer.sides[1].place) == "policy/enforcement.yml:2"
    assert answer.nearest is not None
    assert answer.nearest.misses == ("needs role=api, web-1 has role=web (labels.yml:1)",)


def test_an_allowed_connection_names_the_rule_on_each_side() -> None:
    made = compile_policy(ESTATE, policy(API_TO_DB), SETTINGS)
    data = explain(made, "api-1", "10.0.0.3", parse_service("postgresql")).data()
    assert data["verdict"] == "allow"
    assert [(s["side"], s["rule"], s["place"]) for s in data["sides"]] == [  # type: ignore[attr-defined, index] # JSON
        ("from", "api db", "policy/shop.yml:1"),
        ("to", "api db", "policy/shop.yml:1"),
    ]


def test_the_control_path_is_explained_like_any_rule() -> None:
    made = compile_policy(ESTATE, policy(), SETTINGS)
    answer = explain(made, "10.255.0.9", "db-1", parse_service("ssh"))
    assert (answer.verdict, answer.sides[1].rule) == ("allow", "built in: control path")


def test_an_end_that_is_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="neither an asset nor an address"):
        explain(compile_policy(ESTATE, policy(), SETTINGS), "web-9", "db-1", parse_service("ssh"))


def test_an_invariant_that_holds_is_silent() -> None:
    only = invariant(Not(labelled(app="shop")), labelled(role="db"), Action.DENY)
    assert with_invariant(only, API_TO_DB) == []
    assert with_invariant(invariant(Unknown(), ANY, Action.DENY), API_TO_DB) == []


def test_a_broken_invariant_shows_the_smallest_connection() -> None:
    closed = invariant(labelled(app="shop"), labelled(role="db"), Action.DENY)
    assert with_invariant(closed, API_TO_DB) == ["api-1 (10.0.0.2) to db-1 (10.0.0.3) tcp/5432"]
    opened = invariant(labelled(role="web"), labelled(role="db"), Action.ALLOW, "tcp/5432")
    assert with_invariant(opened, API_TO_DB) == ["web-1 (10.0.0.1) to db-1 (10.0.0.3) tcp/5432"]


def test_an_invariant_about_a_process_that_no_rule_names_is_about_what_other_processes_may() -> None:
    peer, db = Peer(labelled(role="api"), Process(units=("stranger.service",))), (Peer(labelled(role="db")),)
    strange = Invariant("no strangers", PLACE, Action.DENY, (peer,), db)
    assert with_invariant(strange, API_TO_DB) == ["api-1 (10.0.0.2) to db-1 (10.0.0.3) tcp/5432"]
    known = rule("api db", labelled(role="api", app="shop"), labelled(role="db"), "postgresql", from_unit="api.service")
    assert with_invariant(strange, known) == []


def test_each_alternative_of_an_invariant_has_its_own_process() -> None:
    known = rule("api db", labelled(role="api", app="shop"), labelled(role="db"), "postgresql", from_unit="api.service")
    web = Peer(labelled(role="web"))
    api = Peer(labelled(role="api"), Process(units=("stranger.service",)))
    assert (
        with_invariant(Invariant("it holds", PLACE, Action.DENY, (web, api), (Peer(labelled(role="db")),)), known) == []
    )


def test_a_windows_program_is_no_process_of_a_linux_host_and_may_be_the_far_process_of_one() -> None:
    program = Process(programs=(r"C:\app.exe",))
    of_program = replace(API_TO_DB, sources=(Peer(labelled(role="api", app="shop"), program),))
    made = compile_policy(ESTATE, policy(of_program), SETTINGS)
    answer = explain(made, "api-1", "db-1", parse_service("postgresql"))
    # the client's side has no such process, the server's side cannot see that
    assert [side.verdict for side in answer.sides] == ["deny", "allow"]
    sources, db, wide = (
        (Peer(labelled(role="web"), program),),
        (Peer(labelled(role="db")),),
        rule("all", ANY, ANY, "any"),
    )
    assert with_invariant(Invariant("no app.exe", PLACE, Action.DENY, sources, db), wide) == []
    test = PolicyTest("no app.exe", PLACE, sources, db, parse_service("tcp/5432"), Action.DENY)
    assert failures(compile_policy(ESTATE, Policy((wide,), (), (test,)), SETTINGS, full=True)) == []


def test_a_hole_for_the_whole_internet_breaks_an_invariant_about_unknown_addresses() -> None:
    hole = rule("hole", ANY, labelled(role="db"), "tcp/1")
    assert with_invariant(invariant(Unknown(), labelled(role="db"), Action.DENY), hole) == [
        "0.0.0.0 to db-1 (10.0.0.3) tcp/1"
    ]


@pytest.mark.parametrize(
    ("source", "service", "expect", "message"),
    [
        ("api", "tcp/5432", Action.ALLOW, None),
        ("web", "tcp/5432", Action.DENY, None),
        ("web", "tcp/5432", Action.ALLOW, "test 't': web-1 to db-1 is denied on tcp/5432"),
        ("api", "tcp/5432", Action.DENY, "test 't': api-1 to db-1 is allowed on tcp/5432"),
        ("weeb", "tcp/5432", Action.DENY, NOTHING),
        ("weeb", "tcp/5432", Action.ALLOW, NOTHING),
    ],
)
def test_policy_tests_judge_every_pair(source: str, service: str, expect: Action, message: str | None) -> None:
    one = PolicyTest(
        *("t", PLACE, (Peer(labelled(role=source, app="shop")),), (Peer(labelled(role="db")),)),
        *(parse_service(service), expect),
    )
    made = policy(API_TO_DB)
    full = compile_policy(ESTATE, Policy(made.rules, made.enforcement, (one,)), SETTINGS, full=True)
    assert [str(failure) for failure in failures(full)] == ([message] if message else [])


def test_a_policy_test_about_addresses_outside_is_about_every_one_of_them() -> None:
    some = rule("to some", labelled(role="web"), AddressIn(addresses_of(["198.51.100.0/24"]), ""), "https")
    rest = rule("to the rest", labelled(role="web"), Internet(), "https")
    test = PolicyTest(
        "t", PLACE, (Peer(labelled(role="web")),), (Peer(Internet()),), parse_service("https"), Action.ALLOW
    )
    for rules, said in (
        ((some,), ["test 't': web-1 to 0.0.0.0-9.255.255.255 is denied on tcp/443"]),
        ((some, rest), []),
    ):
        full = compile_policy(ESTATE, Policy(rules, (), (test,)), SETTINGS, full=True)
        assert [str(failure) for failure in failures(full)] == said
        denied = Policy(rules, (), (replace(test, expect=Action.DENY),))
        assert len(failures(compile_policy(ESTATE, denied, SETTINGS, full=True))) == 1


def test_lint_names_shadowed_redundant_never_matching_and_broad_rules() -> None:
    rules = policy(
        rule("deny", labelled(role="web"), labelled(role="db"), "any", action=Action.DENY, tier="guardrail"),
        rule("late", labelled(role="web"), labelled(role="db"), "tcp/1"),
        API_TO_DB,
        rule("twin", labelled(role="api", app="shop"), labelled(role="db"), "postgresql", priority=200),
        rule("lost", labelled(role="cache"), labelled(role="db"), "tcp/1"),
        rule("wide", ANY, labelled(role="web"), "any"),
    )
    found = [problem.message for problem in lint(compile_policy(ESTATE, rules, SETTINGS, full=True))]
    assert len(found) == 4
    assert any("'late' is shadowed: 'deny'" in message for message in found)
    assert any("'twin' is redundant: 'api db'" in message for message in found)
    assert any("'lost' never matches: its 'from'" in message for message in found)
    assert any("'wide' is broad: it allows from anywhere" in message for message in found)


def test_all_types_of_icmp_are_not_ports_by_which_a_rule_is_broad() -> None:
    every = parse_service("tcp/443") | parse_service("icmp") | parse_service("icmpv6")
    narrow = replace(rule("ping", ANY, labelled(role="web"), "icmp"), services=every)
    assert not any("broad" in one.message for one in lint(compile_policy(ESTATE, policy(narrow), SETTINGS, full=True)))


def test_a_deny_of_a_process_that_its_own_side_does_not_enforce_is_an_error() -> None:
    deny = rule(*("deny", labelled(role="api"), labelled(role="db"), "tcp"), action=Action.DENY, from_unit="a.service")
    observing = Policy(
        (deny,),
        (
            Enforcement(labelled(role="api"), Mode.OBSERVE, Mode.OBSERVE, PLACE),
            Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE),
        ),
    )
    found = problems(compile_policy(ESTATE, observing, SETTINGS))
    assert [problem.severity for problem in found] == [Severity.ERROR]
    assert "denies a process on 'api-1', which does not enforce it" in found[0].message
    assert problems(compile_policy(ESTATE, policy(deny), SETTINGS)) == []
    blind = rule(
        *("deny", labelled(role="api"), labelled(role="db"), "tcp"),
        action=Action.DENY,
        from_unit="a.service",
        sides=frozenset({Direction.IN}),
    )
    assert "speaks for the other" in problems(compile_policy(ESTATE, policy(blind), SETTINGS))[0].message


def test_what_a_rule_with_a_name_cannot_hold_is_told() -> None:
    allow = rule("pay", labelled(role="api"), FqdnIs("pay.example"), "https")
    deny = rule("nope", labelled(role="api"), FqdnIs("pay.example"), "https", action=Action.DENY)
    blind = rule("blind", ANY, FqdnIs("pay.example"), "https", sides=frozenset({Direction.IN}))
    found = problems(compile_policy(ESTATE, policy(allow, deny, blind), SETTINGS))
    assert [(problem.severity, problem.message.split("'")[1]) for problem in found] == [
        (Severity.WARNING, "nope"),
        (Severity.ERROR, "blind"),
    ]


def test_holders_of_one_address_that_answer_differently_are_told() -> None:
    estate = snapshot(asset("a", "10.0.0.1", role="web"), asset("b", "10.0.0.1", role="db"))
    made = compile_policy(estate, policy(rule("r", ANY, labelled(role="db"), "tcp/1")), SETTINGS)
    assert "10.0.0.1 is held by 'a', 'b', whose tables differ" in problems(made)[0].message
