"""Explain answers for every port that it was asked for, ports that are decided alike together."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.analysis.explain import Explanation, explain
from ringfence.analysis.stretches import stretches
from ringfence.compiler import compile_policy
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.rules import Action, Rule
from ringfence.model.services import ANY_SERVICE, BLOCK, ICMP, Services, parse_service, service_texts
from ringfence.model.services import union as services_of
from ringfence.model.tables import ProcessClass

from tests.unit.estate_factory import SETTINGS, asset, labelled, policy, rule, snapshot

ESTATE = snapshot(
    asset("web-1", "10.0.0.1", "2001:db8::1", role="web"),
    asset("db-1", "10.0.0.3", "2001:db8::3", role="db"),
    asset("old-1", "10.0.0.4", role="db"),
)
WEB, DB = labelled(role="web"), labelled(role="db")
SOME = rule("some", WEB, DB, "udp/53", "tcp/8000-8004")


def explained(service: str, *rules: Rule, server: str = "old-1") -> Explanation:
    services = services_of(parse_service(one.strip()) for one in service.split(","))
    return explain(compile_policy(ESTATE, policy(*rules or (SOME,)), SETTINGS), "web-1", server, services)


def told(explanation: Explanation) -> list[tuple[str, str]]:
    """Return the verdicts with the services they hold for."""
    return [(one.verdict, ", ".join(service_texts(one.services))) for one in explanation.answers]


@pytest.mark.parametrize(
    ("service", "answers"),
    [
        ("tcp/8000-8010", [("allow", "tcp/8000-8004"), ("deny", "tcp/8005-8010")]),
        ("tcp/7999-8004", [("deny", "tcp/7999"), ("allow", "tcp/8000-8004")]),
        ("tcp/8000-8004", [("allow", "tcp/8000-8004")]),
        ("dns", [("deny", "tcp/53"), ("allow", "udp/53")]),
        ("udp/53, tcp/22", [("deny", "tcp/22"), ("allow", "udp/53")]),
        ("tcp", [("deny", "tcp/0-7999, tcp/8005-65535"), ("allow", "tcp/8000-8004")]),
        ("ip/47", [("deny", "ip/47")]),
        ("icmp", [("deny", "icmp")]),
    ],
)
def test_every_port_of_a_service_is_answered_for(service: str, answers: list[tuple[str, str]]) -> None:
    assert told(explained(service)) == answers


def test_one_port_has_one_answer_with_the_fields_it_always_had() -> None:
    data = explained("tcp/8001").data()
    assert (data["verdict"], data["service"]) == ("allow", ["tcp/8001"])
    assert [side["rule"] for side in data["sides"]] == ["some", "some"]  # type: ignore[attr-defined]  # JSON
    assert data["answers"] == [
        {key: data[key] for key in ("verdict", "service", "from", "to", "sides", "nearest")},
    ]


def test_ports_that_differ_make_a_verdict_that_is_neither() -> None:
    data = explained("tcp/8004-8005").data()
    assert (data["verdict"], data["sides"], data["nearest"]) == ("mixed", [], None)
    assert data["service"] == ["tcp/8004-8005"]


def test_any_is_answered_for_everything() -> None:
    answers = explained("any").answers
    assert union(one.services for one in answers) == ANY_SERVICE.v4
    allowed = [one for one in answers if one.verdict == "allow"]
    by_rule = {one.sides[0].rule: ", ".join(service_texts(one.services)) for one in allowed}
    assert by_rule["some"] == "tcp/8000-8004, udp/53"


def test_message_types_are_told_apart_and_what_is_no_type_is_not() -> None:
    pings = rule("pings", WEB, DB, "icmp/0-255")
    assert told(explained("icmp", pings)) == [("allow", "icmp")]
    echo = rule("echo", WEB, DB, "icmp/echo-request")
    assert told(explained("icmp", echo)) == [("deny", "icmp/0-7, icmp/9-255"), ("allow", "icmp/echo-request")]


def test_a_service_that_differs_by_family_is_answered_for_both() -> None:
    assert told(explained("ping", server="db-1")) == [("deny", "icmp/echo-request"), ("deny", "icmpv6/echo-request")]
    only_v4 = rule("v4", WEB, DB, "icmp/echo-request")
    found = explained("ping", only_v4, server="db-1")
    assert told(found) == [("allow", "icmp/echo-request"), ("deny", "icmpv6/echo-request")]
    assert found.verdict == "mixed"
    assert [(one.client, one.server) for one in found.answers] == [
        ("10.0.0.1", "10.0.0.3"),
        ("2001:db8::1", "2001:db8::3"),
    ]


def test_families_that_answer_alike_are_answered_once() -> None:
    assert len(explained("tcp/8000", server="db-1").answers) == 1


def test_each_answer_names_the_nearest_rule_for_its_own_ports() -> None:
    near = rule("near", labelled(role="api"), DB, "tcp/9000")
    found = explained("tcp/8000-9000", SOME, near).answers
    assert [(one.verdict, one.nearest and one.nearest.rule) for one in found] == [("allow", None), ("deny", "near")]


def test_the_control_path_within_a_range_is_told_apart() -> None:
    made = compile_policy(ESTATE, policy(), SETTINGS)
    found = explain(made, "10.255.0.9", "old-1", parse_service("tcp/20-24"))
    assert told(found) == [("deny", "tcp/20-21, tcp/23-24"), ("allow", "tcp/22")]


ports = st.integers(0, 12)
ranges = st.tuples(ports, ports).map(lambda ends: f"tcp/{min(ends)}-{max(ends)}")
rules = st.lists(
    st.builds(
        lambda number, service, action, at: rule(f"rule{number}", WEB, DB, service, action=action, priority=at),
        st.integers(0, 9),
        ranges,
        st.sampled_from([Action.ALLOW, Action.DENY]),
        st.sampled_from([10, 100]),
    ),
    max_size=4,
    unique_by=lambda one: one.name,
)


@given(rules, ranges)
def test_what_is_said_of_a_range_is_what_is_said_of_each_of_its_ports(rules: list[Rule], service: str) -> None:
    made = compile_policy(ESTATE, policy(*rules), SETTINGS)
    asked = parse_service(service)
    whole = explain(made, "web-1", "old-1", asked, ProcessClass())
    for low, high in asked.v4:
        for point in range(low, high + 1):
            one = IntervalSet(((point, point),))
            single = explain(made, "web-1", "old-1", Services(one, one), ProcessClass())
            (holding,) = (answer for answer in whole.answers if point in answer.services)
            assert (holding.verdict, holding.sides) == (single.verdict, single.sides)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5))), st.lists(st.integers(0, 40)))
def test_stretches_are_what_was_asked_cut_at_every_edge(asked: list[tuple[int, int]], edges: list[int]) -> None:
    wanted = IntervalSet.of((low, low + more) for low, more in asked)
    found = list(stretches(wanted, edges))
    assert IntervalSet.of(found) == wanted
    assert found == sorted(found)
    assert not any(low < edge <= high for (low, high), edge in product(found, edges))


def test_behind_the_last_message_type_nothing_is_cut() -> None:
    block = IntervalSet(((ICMP * BLOCK, ICMP * BLOCK + BLOCK - 1),))
    assert len(list(stretches(block, [ICMP * BLOCK + 8, ICMP * BLOCK + 256]))) == 2
