"""The reference itself, against verdicts that a person worked out from the semantics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ringfence.model.addresses import addresses_of, point_of
from ringfence.model.assets import Asset, Label, Snapshot
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Direction, Enforcement, Mode, Peer, Policy, Process, Rule, Settings
from ringfence.model.selectors import ANY, AddressIn, AllOf, Internet, LabelIn, Not, Selector, Unknown
from ringfence.model.services import parse_service
from ringfence.model.tables import Effect

from .reference import Packet, Verdict, judge

HERE = Place("policy/shop.yml")
WEB, API = LabelIn("role", ("web",)), LabelIn("role", ("api",))


def asset(name: str, *addresses: str, realm: str = "default", workload: bool = True, **labels: str) -> Asset:
    """Return an asset with labels of the inventory."""
    points = tuple(sorted(map(point_of, addresses)))
    return Asset(name, points, {key: Label(value, "") for key, value in labels.items()}, realm, workload)


def rule(source: Selector, destination: Selector, action: str, service: str = "any", **fields: object) -> Rule:
    """Return a rule of the application tier unless said."""
    peers = (Peer(source),), (Peer(destination),)
    made = Rule("00000000", action, HERE, *peers, Action(action), parse_service(service))
    return replace(made, **fields)


def verdict(rules: Sequence[Rule], packet: Packet, mode: Mode = Mode.FULL, settings: Settings | None = None) -> Verdict:
    """Return the reference's verdict in a small shop where every workload has one mode."""
    estate = (
        asset("web", "10.0.0.1", "fd00::1", role="web", env="prod"),
        asset("api", "10.0.0.2", "10.0.0.100", role="api", env="prod"),
        asset("api-2", "10.0.0.3", "10.0.0.100", role="api", env="dev"),
        asset("nas", "10.0.0.9", workload=False),
        asset("far", "10.9.0.1", realm="blue"),
    )
    named = tuple(replace(one, id=f"{number:08x}") for number, one in enumerate(rules))
    policy = Policy(named, (Enforcement(ANY, mode, mode, HERE),))
    return judge(Snapshot(estate, datetime(2026, 1, 1, tzinfo=UTC)), policy, settings or Settings(), packet)


def packet(client: str, server: str, port: int = 80, protocol: int = 6, **fields: str) -> Packet:
    """Return a packet between two addresses whose assets are known by their first address."""
    names = {"10.0.0.1": "web", "10.0.0.2": "api", "10.0.0.3": "api-2", "10.0.0.9": "nas", "fd00::1": "web"}
    ends = (point_of(client), point_of(server), protocol, port, names.get(client), names.get(server))
    return Packet(*ends, **fields)


TO_API = packet("10.0.0.1", "10.0.0.2")


def test_a_connection_passes_only_if_both_sides_allow():
    assert verdict([rule(WEB, API, "allow")], TO_API).passes
    assert not verdict([rule(WEB, API, "allow", sides=frozenset({Direction.OUT}))], TO_API).passes


def test_a_side_that_is_no_workload_allows():
    assert verdict([rule(ANY, API, "allow")], packet("10.0.0.9", "10.0.0.2")).passes


def test_deny_beats_pass_beats_allow_among_equals():
    assert not verdict([rule(WEB, API, "allow"), rule(ANY, ANY, "pass"), rule(WEB, API, "deny")], TO_API).passes
    passed = [rule(WEB, API, "allow"), rule(ANY, ANY, "pass"), rule(ANY, ANY, "allow", tier="baseline")]
    found = verdict(passed, TO_API)
    assert found.passes
    assert found.sides[Direction.IN].rules == {"00000002"}


def test_a_smaller_priority_decides_first():
    assert verdict([rule(ANY, ANY, "deny"), rule(WEB, API, "allow", priority=50)], TO_API).passes


def test_an_emergency_deny_bites_while_observing_and_others_are_recorded():
    quarantine = rule(ANY, ANY, "deny", tier="emergency")
    assert not verdict([quarantine], TO_API, Mode.OBSERVE).passes
    found = verdict([rule(ANY, ANY, "deny")], TO_API, Mode.OBSERVE)
    assert found.passes
    assert found.sides[Direction.IN].effect is Effect.WATCH


def test_selective_denies_what_a_rule_denies_and_nothing_else():
    assert verdict([], TO_API, Mode.SELECTIVE).passes
    assert not verdict([rule(ANY, ANY, "deny")], TO_API, Mode.SELECTIVE).passes


def test_not_means_other_assets_and_never_an_unknown_address():
    rules = [rule(Not(API), API, "allow")]
    assert verdict(rules, TO_API).passes
    assert not verdict(rules, packet("10.0.0.77", "10.0.0.2")).passes


def test_unknown_is_an_address_of_no_asset_and_internet_is_outside_the_private_ranges():
    assert verdict([rule(Unknown(), ANY, "allow")], packet("10.0.0.77", "10.0.0.2")).passes
    assert not verdict([rule(Unknown(), ANY, "allow")], TO_API).passes
    assert not verdict([rule(Internet(), ANY, "allow")], packet("10.0.0.77", "10.0.0.2")).passes
    assert verdict([rule(Internet(), ANY, "allow")], packet("192.0.2.1", "10.0.0.2")).passes


def test_a_shared_address_matches_if_one_holder_does_with_the_whole_selector():
    dev_api = AllOf((API, LabelIn("env", ("dev",))))
    assert verdict([rule(WEB, dev_api, "allow")], packet("10.0.0.1", "10.0.0.100")).passes
    dev_web = AllOf((WEB, LabelIn("env", ("dev",))))
    assert not verdict([rule(ANY, dev_web, "allow")], packet("10.0.0.1", "10.0.0.100")).passes


def test_ranges_choose_the_local_address_and_labels_do_not():
    vip = AddressIn(addresses_of(["10.0.0.100"]), "10.0.0.100")
    at_vip = replace(TO_API, server_address=point_of("10.0.0.100"))
    assert verdict([rule(ANY, vip, "allow"), rule(WEB, ANY, "allow", sides=frozenset({Direction.OUT}))], at_vip).passes
    assert verdict([rule(ANY, vip, "allow")], TO_API).sides[Direction.IN].effect is not Effect.ALLOW
    assert verdict([rule(ANY, API, "allow")], at_vip).sides[Direction.IN].effect is Effect.ALLOW


def test_addresses_of_a_realm_that_is_not_seen_are_unknown():
    rules = [rule(Unknown(), API, "allow")]
    assert verdict(rules, packet("10.9.0.1", "10.0.0.2")).passes
    assert not verdict(rules, packet("10.9.0.1", "10.0.0.2"), settings=Settings(realms={"default": ("blue",)})).passes


def test_icmp_is_of_ipv4_and_icmpv6_of_ipv6():
    rules = [rule(ANY, ANY, "allow", "icmp"), rule(ANY, ANY, "allow", "tcp")]
    assert verdict(rules, packet("10.0.0.1", "10.0.0.2", 8, 1)).passes
    assert not verdict(rules, packet("fd00::1", "fd00::9", 8, 1)).passes


def test_a_process_decides_for_itself_at_home_and_for_somebody_far_away():
    mine = replace(rule(WEB, API, "allow", "tcp"), sources=(Peer(WEB, Process(units=("a.service",))),))
    assert verdict([mine], replace(TO_API, client_unit="a.service")).passes
    other = verdict([mine], replace(TO_API, client_unit="b.service"))
    assert other.sides[Direction.OUT].effect is Effect.DENY
    assert other.sides[Direction.IN].effect is Effect.ALLOW


def test_a_far_process_is_let_in_only_if_all_tiers_together_allow_it():
    a_service = (Peer(WEB, Process(units=("a.service",))),)
    denied = replace(rule(WEB, API, "deny", tier="guardrail"), sources=a_service)
    allowed = replace(rule(WEB, API, "allow"), sources=a_service)
    assert verdict([denied, allowed], TO_API).sides[Direction.IN].effect is Effect.DENY
    assert verdict([denied, rule(WEB, API, "allow")], TO_API).sides[Direction.IN].effect is Effect.ALLOW
