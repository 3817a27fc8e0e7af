"""Lint says which rules really decide, and never advises what lets through more than is let through now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.analysis.explain import explain
from ringfence.analysis.lint import lint
from ringfence.compiler import Compilation, compile_policy
from ringfence.language import load_policy
from ringfence.model.addresses import point_of
from ringfence.model.errors import Place
from ringfence.model.intervals import IntervalSet
from ringfence.model.problems import Problem
from ringfence.model.rules import Action, Direction, Invariant, Peer, Policy, Rule
from ringfence.model.selectors import ANY, AllOf, AnyOf, Selector, Unknown
from ringfence.model.services import parse_service
from ringfence.model.tables import OTHER

from tests.unit.estate_factory import SETTINGS, asset, cidr, labelled, policy, rule, snapshot

ESTATE = snapshot(
    asset("web-1", "10.0.0.1", role="web"),
    asset("web-2", "10.0.0.2", role="web"),
    asset("db-1", "10.0.0.3", role="db"),
)
WEB, DB = labelled(role="web"), labelled(role="db")


def compiled(*rules: Rule) -> Compilation:
    return compile_policy(ESTATE, policy(*rules), SETTINGS, full=True)


def said(*rules: Rule) -> list[tuple[str, str | None]]:
    return [(problem.message, problem.remedy) for problem in lint(compiled(*rules))]


NO_TELNET = rule("telnet", WEB, DB, "tcp/23", action=Action.DENY)
LOW = rule("low", WEB, DB, "tcp/20-30")


def test_a_copy_of_an_allow_beside_a_deny_is_redundant_and_only_removed() -> None:
    assert said(NO_TELNET, LOW, rule("copy", WEB, DB, "tcp/20-30")) == [
        (
            "rule 'copy' is redundant: 'low' (policy/shop.yml:1) already says it, "
            "and the rest is decided by 'telnet' (policy/shop.yml:1)",
            "remove it",
        )
    ]


def test_an_allow_that_is_denied_altogether_is_not_advised_to_override_the_deny() -> None:
    ((message, remedy),) = said(NO_TELNET, rule("late", WEB, DB, "tcp/23", priority=200))
    assert message == "rule 'late' is shadowed: 'telnet' (policy/shop.yml:1) decides first"
    assert remedy == "remove it: it lets nothing through"


def test_a_deny_that_an_allow_overrides_may_decide_first() -> None:
    wide = rule("wide", WEB, DB, "tcp/23", priority=50)
    assert said(wide, NO_TELNET) == [
        (
            "rule 'telnet' is shadowed: 'wide' (policy/shop.yml:1) decides first",
            "give it a smaller priority if it must hold, or remove it",
        )
    ]
    earlier = replace(wide, tier="guardrail")
    assert said(earlier, NO_TELNET)[0][1] == "put it into the tier 'guardrail' if it must hold, or remove it"


def test_a_rule_that_a_pass_keeps_from_deciding_names_the_pass() -> None:
    passing = rule("passing", WEB, DB, "tcp/23", action=Action.PASS, tier="guardrail")
    late = rule("late", WEB, DB, "tcp/23", tier="guardrail", priority=200)
    ((message, remedy),) = said(passing, late)
    assert message == "rule 'late' is shadowed: 'passing' (policy/shop.yml:1) decides first"
    assert remedy == "remove it: it lets nothing through"


@pytest.mark.parametrize(
    ("others", "idle"),
    [
        ([], True),
        ([rule("later tier", WEB, DB, "tcp/23")], True),
        ([rule("elsewhere", WEB, DB, "tcp/24", tier="guardrail", priority=200)], True),
        ([rule("first", WEB, DB, "tcp/23", tier="guardrail", priority=50, action=Action.DENY)], True),
        ([rule("beside", WEB, DB, "tcp/23", tier="guardrail", action=Action.DENY)], True),
        ([rule("behind", WEB, DB, "tcp/20-30", tier="guardrail", priority=200, action=Action.DENY)], False),
        ([rule("below", WEB, DB, "tcp/20-30", tier="guardrail")], False),
    ],
    ids=lambda value: value[0].name if isinstance(value, list) and value else "",
)
def test_a_pass_that_ends_nothing_is_told(others: list[Rule], idle: bool) -> None:
    passing = rule("passing", WEB, DB, "tcp/23", action=Action.PASS, tier="guardrail")
    told = [message for message, _ in said(passing, *others) if "passing' never" in message]
    assert told == ["rule 'passing' never decides: with and without it every decision is the same"] * idle


def test_of_two_equal_passes_one_is_needed() -> None:
    one, other = (rule(name, WEB, DB, "tcp/23", action=Action.PASS, tier="guardrail") for name in ("one", "other"))
    behind = rule("behind", WEB, DB, "tcp/20-30", tier="guardrail", priority=200, action=Action.DENY)
    assert [message for message, _ in said(one, other, behind)] == [
        "rule 'one' never decides: with and without it every decision is the same"
    ]


def test_the_rules_that_decide_are_named_and_not_those_that_only_might() -> None:
    """Many rules meet the same hosts on other ports; the one that decides stands last."""
    others = [rule(f"other{number}", WEB, DB, f"tcp/{100 + number}") for number in range(8)]
    far = [rule(f"far{number}", cidr(f"10.9.{number}.0/24"), DB, "tcp/20-30", priority=10) for number in range(4)]
    ((message, _),) = said(*others, *far, LOW, rule("copy", WEB, DB, "tcp/25"))
    assert message == "rule 'copy' is redundant: 'low' (policy/shop.yml:1) already says it"


def test_what_many_rules_decide_names_some_and_counts_the_rest() -> None:
    parts = [rule(f"part{number}", WEB, DB, f"tcp/{20 + number}") for number in range(5)]
    ((message, _),) = said(*parts, rule("all", WEB, DB, "tcp/20-24", priority=200))
    names = ", ".join(f"'part{number}' (policy/shop.yml:1)" for number in range(3))
    assert message == f"rule 'all' is redundant: {names} and 2 more already say it"


@pytest.mark.parametrize(
    ("destination", "named"),
    [
        (cidr("10.0.0.100"), "10.0.0.100"),
        (cidr("10.0.0.3", "10.0.0.100"), "10.0.0.100"),
        (cidr("10.0.0.100-10.0.0.109"), "10.0.0.100-10.0.0.109"),
        (cidr("10.0.7.0/24"), "10.0.7.0-10.0.7.255"),
        (cidr("10.0.0.255"), "10.0.0.255"),
        (cidr("192.168.1.10", "203.0.113.9"), "192.168.1.10"),
        (AnyOf((DB, cidr("10.0.0.100"))), "10.0.0.100"),
    ],
)
def test_an_address_near_at_hand_that_no_asset_holds_is_told(destination: Selector, named: str) -> None:
    """A floating address that only the policy knows: the host that holds it would drop what the rule allows."""
    ((message, remedy),) = said(rule("vip", WEB, destination, "https"))
    assert message == f"rule 'vip' names addresses that no asset holds, and no host will let it in there: {named}"
    assert remedy == (
        "add them to ringfence_addresses of those that may hold them; 'at: from' where nothing of yours does"
    )


@pytest.mark.parametrize(
    "destination",
    [
        *(cidr("10.0.0.0/24"), cidr("10.0.0.3"), cidr("8.8.8.8"), cidr("203.0.113.0/24"), cidr("10.50.0.0/16")),
        *(cidr("224.0.0.18"), cidr("255.255.255.255"), cidr("ff02::1"), cidr("169.254.169.254"), cidr("fe80::1")),
        AllOf((WEB, cidr("10.0.0.1"))),
    ],
)
def test_networks_of_others_groups_and_what_is_held_are_not(destination: Selector) -> None:
    told = [message for message, _ in said(rule("fine", WEB, destination, "https"))]
    assert not [message for message in told if "no asset holds" in message]


def test_a_rule_for_the_clients_side_alone_says_that_nobody_here_holds_the_address() -> None:
    out = frozenset({Direction.OUT})
    assert said(rule("printer", WEB, cidr("10.0.0.100"), "tcp/9100", sides=out)) == []


def test_a_deny_to_an_address_that_no_asset_holds_is_told_as_what_it_is() -> None:
    ((message, _),) = said(rule("vip", WEB, cidr("10.0.0.100"), "https", action=Action.DENY))
    assert "no host will refuse it there" in message


def test_a_rule_between_ends_without_a_workload_does_nothing() -> None:
    ((message, _),) = said(rule("far", cidr("192.0.2.0/24"), cidr("198.51.100.7"), "https"))
    assert message == "rule 'far' does nothing: no workload is in 'from' or 'to', so no host enforces it"
    blind = rule("blind", cidr("192.0.2.0/24"), DB, "https", sides=frozenset({Direction.OUT}))
    ((message, _),) = said(blind)
    assert message == "rule 'blind' does nothing: no workload is in 'from', so no host enforces it"


def test_explain_says_that_nobody_holds_an_address_near_at_hand() -> None:
    made = compiled(rule("vip", WEB, cidr("10.0.0.100", "8.8.8.8"), "https"))
    asked = ("10.0.0.100", "8.8.8.8")
    near, far = (explain(made, "web-1", name, parse_service("https")).sides[1].rule for name in asked)
    assert near == "no workload: no asset holds 10.0.0.100; a host of yours that does has no rule for it"
    assert far == "no workload: nothing is enforced here"
    client = explain(made, "10.0.0.100", "db-1", parse_service("https")).sides[0].rule
    assert client == "no workload: nothing is enforced here"


@pytest.mark.parametrize("to", ["{cidr: [10.0.0.3, 10.0.0.4]}", "{list: vips}"])
def test_each_address_of_a_list_is_looked_at_alone(to: str, tmp_path: Path) -> None:
    """Neighbouring addresses are one range to the tables, and may be of two hosts."""
    path = tmp_path / "policy.yml"
    rule_text = f"{{name: vip, from: {{role: web}}, to: {to}, allow: https}}"
    path.write_text(f"lists: {{vips: [10.0.0.3, 10.0.0.4]}}\nrules: [{rule_text}]\n", encoding="utf-8")
    made = compile_policy(ESTATE, load_policy([path], SETTINGS), SETTINGS, full=True)
    assert [problem.message.rpartition(": ")[2] for problem in lint(made)] == ["10.0.0.4"]


ends = st.sampled_from([WEB, DB, ANY, Unknown(), cidr("10.0.0.0/31"), cidr("10.0.0.2/31", "192.0.2.0/24")])
ranges = st.tuples(st.integers(20, 25), st.integers(0, 3)).map(lambda one: f"tcp/{one[0]}-{one[0] + one[1]}")


@st.composite
def policies(draw: st.DrawFn) -> list[Rule]:
    def one(number: int) -> Rule:
        source: Selector = draw(ends)
        return rule(
            f"r{number}",
            source,
            draw(ends),
            draw(ranges),
            action=draw(st.sampled_from(Action)),
            tier=draw(st.sampled_from(["guardrail", "application", "baseline"])),
            priority=draw(st.sampled_from([50, 100, 200])),
        )

    return [one(number) for number in range(draw(st.integers(2, 6)))]


def followed(problem: Problem, rules: list[Rule]) -> list[list[Rule]]:
    """Return what a policy may become when a person does what a remedy says."""
    name = problem.message.split("'")[1]
    idle = next(one for one in rules if one.name == name)
    rest = [one for one in rules if one is not idle]
    remedy = str(problem.remedy)
    made = []
    if "remove it" in remedy:
        made.append(rest)
    if "smaller priority" in remedy:
        made.append([*rest, replace(idle, priority=1)])
    if "into the tier" in remedy:
        made.append([*rest, replace(idle, tier=remedy.split("'")[1], priority=1)])
    return made


REMOTES = [point_of(text) for text in ("10.0.0.1", "10.0.0.2", "10.0.0.3", "192.0.2.7", "203.0.113.9", "2001:db8::9")]


def allowed(compilation: Compilation) -> dict[tuple[str, Direction, int], IntervalSet]:
    """Return what each side lets through to one address of every kind that the policies tell apart."""
    return {
        (one.name, direction, remote): compilation.tables[one.name]
        .direction(direction)
        .services_at(one.addresses[0], OTHER, remote)
        .passing()
        for one in ESTATE.assets
        for direction in Direction
        for remote in REMOTES
    }


@given(policies())
def test_doing_what_lint_says_opens_nothing(rules: list[Rule]) -> None:
    before = compiled(*rules)
    for problem in lint(before):
        if "is shadowed" not in problem.message and "is redundant" not in problem.message:
            continue
        for made in followed(problem, rules):
            opened, now = allowed(compiled(*made)), allowed(before)
            assert all(not services - now[where] for where, services in opened.items()), problem
            if len(made) < len(rules):
                assert opened == now, "a rule that decides nothing was removed"


def proved(source: Selector, destination: Selector) -> list[str]:
    one = Invariant("i", Place("policy/tests.yml", 1), Action.DENY, (Peer(source),), (Peer(destination),))
    made = policy(LOW)
    full = compile_policy(ESTATE, Policy(made.rules, made.enforcement, (), (one,)), SETTINGS, full=True)
    return [problem.message for problem in lint(full)]


@pytest.mark.parametrize(
    ("source", "destination", "why"),
    [
        (labelled(role="gone"), DB, "its 'from' chooses nothing"),
        (WEB, AllOf((cidr("10.0.0.0/31"), cidr("10.9.0.0/31"))), "its 'to' chooses nothing"),
        (Unknown(), cidr("8.8.8.8"), "no workload is at either end"),
    ],
)
def test_an_invariant_that_meets_no_workload_proves_nothing(source: Selector, destination: Selector, why: str) -> None:
    assert proved(source, destination) == [f"invariant 'i' proves nothing: {why}"]


def test_an_invariant_with_a_workload_at_one_end_proves_something() -> None:
    assert proved(Unknown(), DB) == proved(WEB, cidr("8.8.8.8")) == proved(WEB, DB) == []
