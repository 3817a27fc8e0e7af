"""What the compiler shares, keeps and says; that its verdicts are right is the conformance suite's matter."""

from __future__ import annotations

from ringfence.compiler import compile_policy
from ringfence.model.addresses import point_of
from ringfence.model.rules import Action, Mode, Settings
from ringfence.model.selectors import ANY
from ringfence.model.services import parse_service
from ringfence.model.services import point_of as service_point
from ringfence.model.tables import OTHER, Effect, Outcome, ProcessClass

from tests.unit.estate_factory import SETTINGS, asset, cidr, labelled, policy, rule, snapshot

ESTATE = snapshot(
    asset("web-1", "10.0.0.1", role="web"),
    asset("web-2", "10.0.0.2", role="web"),
    asset("api-1", "10.0.1.1", "fd00::1", role="api"),
    asset("db-1", "10.0.2.1", role="db", workload=False),
)
HTTPS = service_point(6, 443)


def test_equal_workloads_share_one_table() -> None:
    made = compile_policy(ESTATE, policy(rule("web", labelled(role="web"), labelled(role="api"), "https")), SETTINGS)
    assert made.tables["web-1"] is made.tables["web-2"]
    assert made.tables["web-1"] is not made.tables["api-1"]
    assert "db-1" not in made.tables
    assert len(made.distinct()) == 2


def test_a_piece_keeps_the_rule_that_decided_it() -> None:
    made = compile_policy(ESTATE, policy(rule("web", labelled(role="web"), labelled(role="api"), "https")), SETTINGS)
    services = made.tables["api-1"].inbound.services_at(point_of("10.0.1.1"), OTHER, point_of("10.0.0.2"))
    assert services.outcome(HTTPS) == Outcome(Effect.ALLOW, "web00000")
    assert services.outcome(HTTPS + 1) == Outcome(Effect.DENY)
    assert made.tables["api-1"].rule_names == {"web00000": "web"}


def test_observe_lets_pass_and_records_what_full_would_deny() -> None:
    deny = rule("deny", ANY, labelled(role="api"), "tcp/22", action=Action.DENY)
    watched = compile_policy(ESTATE, policy(deny, mode=Mode.OBSERVE), SETTINGS)
    services = watched.tables["api-1"].inbound.services_at(point_of("10.0.1.1"), OTHER, point_of("8.8.8.8"))
    assert services.outcome(service_point(6, 22)) == Outcome(Effect.WATCH, "deny0000")
    assert services.outcome(HTTPS) == Outcome(Effect.WATCH)
    as_full = compile_policy(ESTATE, watched.policy, SETTINGS, full=True)
    assert as_full.tables["api-1"].inbound.mode is Mode.FULL


def test_a_process_of_a_listener_is_seen_for_ports_only() -> None:
    made = compile_policy(ESTATE, policy(rule("all", ANY, labelled(role="api"), "any", to_unit="a.service")), SETTINGS)
    table = made.tables["api-1"].inbound
    services = table.services_at(point_of("10.0.1.1"), ProcessClass("a.service"), point_of("8.8.8.8"))
    assert services.outcome(HTTPS).effect is Effect.ALLOW
    assert services.outcome(service_point(50)).effect is Effect.DENY


def test_a_side_allows_what_some_far_process_may() -> None:
    made = compile_policy(
        ESTATE, policy(rule("one", labelled(role="web"), labelled(role="api"), "https", to_unit="a.service")), SETTINGS
    )
    out = made.tables["web-1"].outbound.services_at(point_of("10.0.0.1"), OTHER, point_of("10.0.1.1"))
    assert out.outcome(HTTPS).effect is Effect.ALLOW
    into = made.tables["api-1"].inbound
    assert into.services_at(point_of("10.0.1.1"), OTHER, point_of("10.0.0.1")).outcome(HTTPS).effect is Effect.DENY


def test_a_realm_meets_only_the_realms_it_sees() -> None:
    estate = snapshot(
        asset("a", "10.0.0.1", realm="one", role="web"),
        asset("b", "10.0.0.2", realm="two", role="api"),
        asset("c", "10.0.0.2", realm="three", role="api"),
    )
    settings = Settings(realms={"one": ("two",)})
    made = compile_policy(estate, policy(rule("r", labelled(role="web"), labelled(role="api"), "https")), settings)
    remote = point_of("10.0.0.2")
    assert made.tables["a"].outbound.services_at(point_of("10.0.0.1"), OTHER, remote).outcome(HTTPS).passes
    blind = compile_policy(estate, made.policy, Settings())
    assert not blind.tables["a"].outbound.services_at(point_of("10.0.0.1"), OTHER, remote).outcome(HTTPS).passes


def test_a_network_on_the_near_side_cuts_local_addresses() -> None:
    estate = snapshot(asset("two", "10.0.0.1", "192.168.0.1", role="x"))
    made = compile_policy(estate, policy(rule("r", ANY, cidr("10.0.0.0/8"), "https")), SETTINGS)
    table = made.tables["two"].inbound
    remote = point_of("8.8.8.8")
    assert table.services_at(point_of("10.0.0.1"), OTHER, remote).outcome(HTTPS).passes
    assert not table.services_at(point_of("192.168.0.1"), OTHER, remote).outcome(HTTPS).passes


def test_a_rule_for_a_multicast_group_speaks_for_every_listener() -> None:
    made = compile_policy(ESTATE, policy(rule("mdns", ANY, cidr("224.0.0.251"), "udp/5353")), SETTINGS)
    services = made.tables["web-1"].inbound.services_at(point_of("224.0.0.251"), OTHER, point_of("10.0.0.2"))
    assert services.outcome(parse_service("udp/5353").v4.intervals[0][0]).passes


def test_a_workload_without_an_address_is_named() -> None:
    made = compile_policy(snapshot(asset("lost", role="web")), policy(), SETTINGS)
    assert made.unaddressed == ("lost",)


def test_the_same_inputs_give_the_same_digests() -> None:
    rules = policy(rule("web", labelled(role="web"), labelled(role="api"), "https"))
    one, other = compile_policy(ESTATE, rules, SETTINGS), compile_policy(ESTATE, rules, SETTINGS)
    assert {n: t.digest for n, t in one.tables.items()} == {n: t.digest for n, t in other.tables.items()}


def test_the_tables_of_some_hosts_alone_are_those_of_all() -> None:
    estate = snapshot(
        *(asset(f"web-{n}", f"10.0.0.{n}", role="web") for n in range(1, 4)),
        *(asset(f"db-{n}", f"10.0.1.{n}", "fd00::1", role="db") for n in range(1, 3)),
        asset("apart", "10.0.0.1", realm="plant", role="web"),
        asset("switch", "10.0.2.1", workload=False),
    )
    rules = policy(
        rule("r", labelled(role="web"), labelled(role="db"), "tcp/1"), rule("n", cidr("10.0.0.2"), ANY, "any")
    )
    whole = compile_policy(estate, rules, SETTINGS)
    some = compile_policy(estate, rules, SETTINGS, only=["web-2", "apart", "switch", "nobody"])
    assert set(some.tables) == {"web-2", "apart"}
    assert all(some.tables[name].digest == whole.tables[name].digest for name in some.tables)
    assert all(some.enforcement[name] is whole.enforcement[name] for name in some.tables)
    assert some.snapshot is estate
