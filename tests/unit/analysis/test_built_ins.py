"""Built-ins in answers: as narrow as what a kernel lets through, and told where a question cannot say enough."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ringfence.analysis.explain import Explanation, explain
from ringfence.analysis.simulate import simulate
from ringfence.compiler import compile_policy
from ringfence.model.addresses import point_of
from ringfence.model.flows import Flow
from ringfence.model.rules import Settings
from ringfence.model.services import parse_service

from tests.unit.estate_factory import SETTINGS, asset, policy, snapshot

ESTATE = snapshot(
    asset("relay-1", "10.0.0.4", "fe80::4"),
    asset("web-1", "10.0.0.1", "fe80::1", "2001:db8::1"),
    asset("dhcp-1", "10.0.0.50"),
)
SEEN = datetime(2026, 11, 24, 7, tzinfo=UTC)


def asked(source: str, destination: str, service: str) -> Explanation:
    return explain(compile_policy(ESTATE, policy(), SETTINGS), source, destination, parse_service(service))


@pytest.mark.parametrize(
    ("source", "destination", "service", "port"),
    [
        ("relay-1", "255.255.255.255", "udp/67", 68),
        ("fe80::4", "ff02::1:2", "udp/547", 546),
        ("10.9.9.9", "web-1", "udp/68", 67),
        ("fe80::9", "fe80::1", "udp/546", 547),
    ],
)
def test_a_dhcp_client_is_let_through_by_a_port_that_no_question_names(
    source: str, destination: str, service: str, port: int
) -> None:
    answer = asked(source, destination, service)
    assert answer.verdict == "deny"
    notes = [note for side in answer.data()["sides"] for note in side.get("notes", ())]  # type: ignore[attr-defined]
    assert notes == [f"built in: DHCP client, from source port {port} alone"]


def test_dhcp_to_one_servers_address_is_the_policys() -> None:
    answer = asked("relay-1", "dhcp-1", "udp/67")
    assert answer.verdict == "deny"
    assert not any(side.notes for side in answer.sides)


@pytest.mark.parametrize(
    ("source", "destination", "service", "verdict"),
    [
        ("2001:db8::9", "2001:db8::1", "icmpv6/nd-neighbor-solicit", "allow"),
        ("2001:db8::9", "2001:db8::1", "icmpv6/nd-router-advert", "deny"),
        ("fe80::9", "fe80::1", "icmpv6/nd-router-advert", "allow"),
        ("2001:db8::1", "ff02::16", "icmpv6/mld2-listener-report", "deny"),
        ("fe80::1", "ff02::16", "icmpv6/mld2-listener-report", "allow"),
        ("fe80::9", "fe80::1", "icmpv6/mld-listener-query", "deny"),
        ("web-1", "224.0.0.22", "ip/2", "allow"),
        ("web-1", "10.0.0.9", "ip/2", "deny"),
    ],
)
def test_discovery_and_group_membership_pass_between_the_addresses_of_their_protocols(
    source: str, destination: str, service: str, verdict: str
) -> None:
    assert asked(source, destination, service).verdict == verdict


def test_what_a_host_sends_itself_is_loopback_whatever_address_it_has() -> None:
    answer = asked("web-1", "web-1", "tcp/9999")
    assert [side.rule for side in answer.sides] == ["built in: loopback"] * 2


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_a_host_reaches_its_own_loopback_and_nobody_comes_in_from_one_by_that(address: str) -> None:
    for client in ("web-1", "dhcp-1", "10.0.0.1"):
        answer = asked(client, address, "tcp/443")
        assert (answer.verdict, [side.verdict for side in answer.sides]) == ("allow", ["allow", "allow"])
        assert answer.sides[0].rule == "built in: loopback"
    assert asked(address, "web-1", "tcp/443").verdict == "deny", "over a wire it is the policy's"
    assert asked(address, address, "tcp/443").verdict == "allow"


def test_a_flow_to_a_loopback_address_stays_in_its_host_and_one_from_there_is_the_policys() -> None:
    ends = [(point_of("10.0.0.1"), point_of("127.0.0.1")), (point_of("127.0.0.1"), point_of("10.0.0.1"))]
    seen = [Flow(*one, 443, 6, SEEN, SEEN) for one in ends]
    result = simulate(compile_policy(ESTATE, policy(), SETTINGS).tables, ESTATE, seen)
    assert [flow.verdict.allowed for flow in sorted(result.flows(), key=lambda one: one.flow.client)] == [True, False]


def test_equal_addresses_of_two_hosts_are_no_loopback_and_realms_that_do_not_see_each_other_are_told() -> None:
    settings = Settings(realms={"blue": frozenset({"blue"}), "green": frozenset({"green"})})
    estate = snapshot(asset("one", "10.0.0.1", realm="blue"), asset("two", "10.0.0.1", realm="green"))
    made = compile_policy(estate, policy(), settings)
    answer = explain(made, "one", "two", parse_service("tcp/22"))
    assert answer.verdict == "deny"
    assert [side.rule for side in answer.sides] == ["default", "default"]
    assert answer.sides[0].notes == (
        "realm 'blue' does not see realm 'green': to one 10.0.0.1 is an address of no asset",
    )
    flow = Flow(point_of("10.0.0.1"), point_of("10.0.0.1"), 22, 6, SEEN, SEEN)
    simulation = simulate(made.tables, estate, [flow])
    assert simulation.categories


def test_flows_to_the_ports_of_dhcp_are_judged_by_the_policy_and_counted_as_undecided() -> None:
    made = compile_policy(ESTATE, policy(), SETTINGS)
    ends = (("10.0.0.4", "10.0.0.50"), ("10.0.0.4", "255.255.255.255"))
    flows = [Flow(point_of(client), point_of(server), 67, 17, SEEN, SEEN) for client, server in ends]
    simulation = simulate(made.tables, ESTATE, flows)
    told = {one.flow.server: (one.verdict.allowed, one.verdict.depends) for one in simulation.flows()}
    assert told == {flows[0].server: (False, False), flows[1].server: (False, True)}
