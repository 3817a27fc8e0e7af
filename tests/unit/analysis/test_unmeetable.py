"""Statements that no packet can meet are told, and prove nothing."""

from __future__ import annotations

import pytest
from ringfence.analysis.checks import problems
from ringfence.analysis.explain import explain
from ringfence.analysis.lint import lint
from ringfence.compiler import compile_policy
from ringfence.model.errors import InputError, Place
from ringfence.model.problems import Problem, Severity
from ringfence.model.rules import Action, Invariant, Peer, Policy, PolicyTest, Settings
from ringfence.model.selectors import ANY, Selector
from ringfence.model.services import parse_service, union

from tests.unit.estate_factory import SETTINGS, asset, cidr, labelled, policy, rule, snapshot

ESTATE = snapshot(
    asset("both", "10.0.0.1", "2001:db8::1", role="both"),
    asset("old", "10.0.0.2", role="old"),
    asset("new", "2001:db8::3", role="new"),
)
PLACE = Place("policy/tests/shop.yml", 3)


def told(source: Selector, destination: Selector, *services: str) -> list[Problem]:
    """Return the problems of a rule between two ends."""
    made = policy(rule("one", source, destination, *services))
    return problems(compile_policy(ESTATE, made, SETTINGS))


@pytest.mark.parametrize("header", ["ip/0", "ip/43", "ip/44", "ip/60"])
def test_an_extension_header_of_ipv6_is_no_protocol_that_a_rule_could_meet(header: str) -> None:
    (problem,) = told(ANY, labelled(role="both"), header, "tcp/80")
    assert problem.severity is Severity.WARNING
    assert f"is never met in IPv6 on {header}" in problem.message
    (problem,) = told(labelled(role="both"), labelled(role="new"), header)
    assert problem.message == (
        f"no packet can meet rule 'one': its ends have IPv6 addresses alone, where a packet is judged by the protocol "
        f"behind {header}"
    )
    assert told(ANY, labelled(role="old"), header) == []
    made = compile_policy(ESTATE, policy(rule("one", ANY, ANY, header, action=Action.DENY)), SETTINGS)
    with pytest.raises(InputError, match="does not exist in the address family") as raised:
        explain(made, "2001:db8::9", "both", parse_service(header))
    assert "behind its extension headers" in str(raised.value.remedy)
    assert explain(made, "10.9.9.9", "both", parse_service(header)).sides[1].rule == "one"


@pytest.mark.parametrize("number", [50, 51, 59, 135, 139, 140])
def test_what_the_kernel_stops_at_is_a_protocol_in_ipv6_too(number: int) -> None:
    assert told(ANY, labelled(role="new"), f"ip/{number}") == []


@pytest.mark.parametrize(
    ("source", "destination", "service", "why"),
    [
        (labelled(role="old"), labelled(role="new"), "any", "its 'from' has IPv4 addresses alone, its 'to' IPv6"),
        (
            cidr("192.0.2.0/24"),
            cidr("2001:db8::/64"),
            "tcp/80",
            "its 'from' has IPv4 addresses alone, its 'to' IPv6",
        ),
        (labelled(role="new"), ANY, "icmp", "its ends have IPv6 addresses alone, where its services do not exist"),
        (ANY, labelled(role="old"), "icmpv6", "its ends have IPv4 addresses alone, where its services do not exist"),
    ],
)
def test_ends_and_services_that_no_family_has_in_common_are_told(
    source: Selector, destination: Selector, service: str, why: str
) -> None:
    (problem,) = told(source, destination, service)
    assert problem.severity is Severity.WARNING
    assert problem.message == f"no packet can meet rule 'one': {why}"
    full = compile_policy(ESTATE, policy(rule("one", source, destination, service)), SETTINGS, full=True)
    assert [one.message for one in lint(full)] == [problem.message]


def test_a_test_or_an_invariant_that_no_packet_can_meet_is_an_error() -> None:
    ends = (Peer(labelled(role="new")),), (Peer(labelled(role="both")),)
    services = union(map(parse_service, ("ip/43", "icmp")))
    test = PolicyTest("t", PLACE, *ends, services, Action.DENY)
    invariant = Invariant("i", PLACE, Action.DENY, *ends, services)
    made = Policy((), policy().enforcement, (test,), (invariant,))
    found = problems(compile_policy(ESTATE, made, SETTINGS))
    assert [(one.severity, one.message.split(":")[0]) for one in found] == [
        (Severity.ERROR, "no packet can meet test 't'"),
        (Severity.ERROR, "no packet can meet invariant 'i'"),
    ]


def test_what_some_family_can_meet_is_not_told() -> None:
    assert told(labelled(role="both"), labelled(role="both"), "icmp") == []
    assert told(labelled(role="both"), labelled(role="new"), "any") == []


def test_ends_in_realms_that_do_not_see_each_other_are_told() -> None:
    estate = snapshot(
        asset("one", "10.0.0.1", realm="blue", role="one"), asset("two", "10.0.0.1", realm="green", role="two")
    )
    made = policy(rule("one", labelled(role="one"), labelled(role="two"), "tcp/80"))
    for sees, told in ((frozenset({"blue"}), 1), (frozenset({"blue", "green"}), 0)):
        settings = Settings(realms={"blue": sees, "green": frozenset({"green"})})
        found = problems(compile_policy(estate, made, settings))
        assert [one.message for one in found] == [
            "no packet can meet rule 'one': the realms of its ends (blue, green) do not see each other"
        ] * told
