"""The ruleset text: a pure function of the table whose rules do not grow with the estate."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.compiler import compile_policy
from ringfence.enforcers import Enforcer, enforcer
from ringfence.enforcers.nftables import ENFORCER, Features, process_elements, render, unsupported
from ringfence.enforcers.service_runs import strictest
from ringfence.language import load_policy
from ringfence.model.addresses import EVERY_ADDRESS, addresses_of
from ringfence.model.errors import RingfenceError
from ringfence.model.rules import Mode, Settings
from ringfence.model.tables import Cell, DirectionTable, Effect, Outcome, ProcessClass, ServiceMap, VerdictTable

from tests.table_factory import ALLOW, DENY, direction_table, service_map, shop_table
from tests.unit.estate_factory import asset, snapshot

MODERN = Features(nft=(1, 0, 6), kernel=(6, 1))


def of_classes(units: tuple[str, ...], users: tuple[str, ...], services: ServiceMap) -> DirectionTable:
    """Return a direction in which named processes have a map of their own and all others nothing."""
    cells = tuple(
        Cell(EVERY_ADDRESS, ProcessClass(unit, user), EVERY_ADDRESS, services if unit or user else service_map())
        for unit in (None, *units)
        for user in (None, *users)
    )
    return DirectionTable(Mode.FULL, cells, units, users)


def rules_of(text: str) -> list[str]:
    """Return the lines that are rules."""
    chains = text.split("\tchain ")[1:]
    return [line.strip() for chain in chains for line in chain.splitlines()[1:] if line.startswith("\t\t")]


def test_equal_tables_give_equal_texts() -> None:
    assert render(shop_table()) == render(shop_table())


def test_the_table_is_replaced_in_one_transaction_and_carries_its_digest() -> None:
    text = render(shop_table())
    assert text.startswith("table inet ringfence {}\ndelete table inet ringfence\ntable inet ringfence {\n")
    assert f"chain plan_{shop_table().digest[:16]} {{\n\t}}\n" in text


def test_a_thousand_peers_need_no_rule_more_than_one() -> None:
    def count(peers: int) -> int:
        networks = tuple(f"10.{n // 200}.{n % 200}.0/25" for n in range(peers))
        return len(rules_of(render(shop_table(direction_table({networks: service_map("tcp/80")})))))

    assert count(1_000) == count(1)


def test_the_control_path_comes_first_and_before_anything_that_asks_conntrack() -> None:
    for chain in render(shop_table()).split("\tchain ")[-2:]:
        rules = chain.splitlines()[2:]
        assert all(" @control" in rule and " accept" in rule for rule in rules[:2])
        assert "ct state" in chain
        assert "ct state" not in "".join(rules[:2])


def test_without_processes_no_text_needs_a_newer_nft() -> None:
    assert "cgroup" not in render(shop_table())
    assert "skuid" not in render(shop_table())


def test_equal_service_maps_share_their_chains_between_processes_and_addresses() -> None:
    services = service_map("tcp/80", "tcp/443")
    one = render(shop_table(of_classes(("a.service",), (), services)))
    many = render(shop_table(of_classes(("a.service", "b.service", "c.service"), (), services)))
    assert one.count("tcp dport vmap") == many.count("tcp dport vmap")


def test_processes_are_filled_in_for_both_directions_and_every_combination() -> None:
    inbound = of_classes(("a.service",), (), service_map("tcp/80"))
    outbound = of_classes(("a.service", "b.service"), ("backup",), service_map("tcp/80"))
    assert process_elements(VerdictTable(inbound, outbound)) == [
        {"unit": "a.service", "elements": [["units_in", "goto in_u0"], ["units_out", "goto out_u0"]]},
        {"unit": "b.service", "elements": [["units_out", "goto out_u1"]]},
        {
            "user": "backup",
            "elements": [
                ["users_out", "goto out_x0"],
                ["users_out_u0", "goto out_u0_x0"],
                ["users_out_u1", "goto out_u1_x0"],
            ],
        },
    ]


def test_a_packet_without_the_header_meets_the_strictest_outcome_it_could_lead_to() -> None:
    watch = Outcome(Effect.WATCH, "0badcafe")
    assert strictest([ALLOW, watch, DENY]) == DENY
    assert strictest([ALLOW, watch]) == watch
    text = render(shop_table(direction_table({("10.0.0.1",): service_map("tcp/80", rest=watch)})))
    assert "allow_5f3a9c01, 81-65535 : goto watch_0badcafe_in }\n\t\tgoto watch_0badcafe_in\n" in text


def test_a_listeners_user_is_refused() -> None:
    table = VerdictTable(of_classes((), ("backup",), service_map("tcp/80")), direction_table({}))
    with pytest.raises(RingfenceError, match="cannot see the user of a listener: backup"):
        render(table)
    assert unsupported(table, MODERN) == ["the user of a listener cannot be matched: backup"]


def test_what_a_host_lacks_is_named() -> None:
    table = shop_table(of_classes(("api.service",), (), service_map("tcp/80")))
    assert unsupported(table, MODERN) == []
    assert unsupported(shop_table(), Features((0, 9, 8), (5, 10), cgroup2=False, socket_cgroup=False)) == []
    assert unsupported(table, Features((0, 9, 8), (5, 10), socket_cgroup=False)) == [
        "units cannot be matched, nft 0.9.8 on kernel 5.10 knows no `socket cgroupv2`: api.service"
    ]
    assert unsupported(table, Features((0, 8), (3, 10), cgroup2=False)) == [
        "nft 0.8 is older than 0.9.3",
        "kernel 3.10 is older than 4.18",
        "units cannot be matched, /sys/fs/cgroup holds no cgroup2 hierarchy: api.service",
    ]


def test_the_unit_of_an_sctp_listener_is_refused_where_it_would_make_a_difference() -> None:
    (told,) = unsupported(shop_table(of_classes(("api.service",), (), service_map("sctp/9"))), MODERN)
    assert told.endswith("(the kernel looks up TCP and UDP listeners only): api.service")
    alike = VerdictTable(direction_table({}), of_classes(("api.service",), (), service_map("sctp/9")))
    assert unsupported(alike, MODERN) == []


def test_the_enforcer_is_what_its_entry_point_brings() -> None:
    assert enforcer("nftables") is ENFORCER
    assert isinstance(ENFORCER, Enforcer)


def test_local_addresses_are_asked_only_where_they_make_a_difference() -> None:
    own = addresses_of(["10.3.0.1"])
    cells = tuple(
        Cell(local, ProcessClass(), EVERY_ADDRESS, service_map("tcp/80")) for local in (own, EVERY_ADDRESS - own)
    )
    assert "vmap @in_l" not in render(shop_table(DirectionTable(Mode.FULL, cells)))


def test_a_deny_of_an_address_mapped_into_ipv6_is_rendered_for_the_packets_there_are(tmp_path: Path) -> None:
    path = tmp_path / "policy.yml"
    path.write_text(
        "lists: {scanners: ['::ffff:10.7.0.0/120']}\n"
        "rules:\n"
        "  - {name: one, from: {cidr: '::ffff:10.6.0.7'}, to: {role: db}, deny: any, priority: 10}\n"
        "  - {name: many, from: {list: scanners}, to: {role: db}, deny: any, priority: 10}\n"
        "  - {name: lan, from: {cidr: 10.0.0.0/8}, to: {role: db}, allow: postgresql}\n",
        encoding="utf-8",
    )
    estate = snapshot(asset("db-1", "10.0.0.3", role="db"))
    ruleset = render(compile_policy(estate, load_policy([path], Settings()), Settings(), full=True).tables["db-1"])
    assert "10.6.0.7" in ruleset
    assert "10.7.0.0-10.7.0.255" in ruleset
    assert "ffff:10." not in ruleset
