"""The comparer against brute force: for every address and service near a cut, in every process class."""

from __future__ import annotations

from itertools import product
from time import process_time

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.nftables.reader import read_ruleset
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.service_line import piece_differences, pieces_of
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_lookup import Lookup
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.address_line import interval_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.enforcers.nftables import render
from ringfence.model.addresses import V6_BASE, address_text, family_of
from ringfence.model.rules import Direction
from ringfence.model.services import BLOCK, ICMP, ICMPV6, SCTP, TCP, UDP
from ringfence.model.tables import Outcome, ProcessClass, ServiceMap, VerdictTable

from tests.table_factory import (
    ADDRESS_CUTS,
    CONTROL,
    LAST_SERVICE,
    LAST_V4,
    SERVICE_CUTS,
    direction_table,
    service_map,
    service_maps,
    shop_table,
    tables,
)

THOROUGH = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
REPRESENTATIVES = sorted({0, LAST_V4, V6_BASE, *ADDRESS_CUTS, *(cut - 1 for cut in ADDRESS_CUTS if cut != V6_BASE)})
LOCALS = REPRESENTATIVES[::4]
POINTS = sorted({0, LAST_SERVICE - BLOCK + 1, *SERVICE_CUTS, *(cut - 1 for cut in SERVICE_CUTS)})
UNITS, USERS = (None, "api.service", "web@1.service"), (None, "backup", "deploy")


def is_met(point: int, family: int) -> bool:
    """Return whether a packet of a family can be at a point of the service line."""
    protocol, port = divmod(point, BLOCK)
    if protocol == (ICMP if family == 4 else ICMPV6):
        return port < 256
    return port == 0 or protocol in (TCP, UDP, SCTP)


def at(table: VerdictTable, direction: Direction, who: ProcessClass, local: int, remote: int, point: int) -> Outcome:
    return table.direction(direction).services_at(local, who, remote).outcome(point)


@THOROUGH
@given(tables(), tables())
def test_two_tables_differ_exactly_where_brute_force_sees_them_differ(one: VerdictTable, other: VerdictTable) -> None:
    told = differences(one.data(), other.data())
    seen: set[tuple[object, ...]] = set()
    for direction, unit, user, local, remote in product(Direction, UNITS, USERS, LOCALS, REPRESENTATIVES):
        family = family_of(local)
        if family != family_of(remote) or (user and direction is Direction.IN):
            continue
        who = ProcessClass(unit, user)
        maps = [table.direction(direction).services_at(local, who, remote) for table in (one, other)]
        for point in POINTS if maps[0] != maps[1] else ():
            expected, found = (services.outcome(point) for services in maps)
            if is_met(point, family) and expected != found:
                seen.add((direction, family, unit, user, local, remote, expected.effect, expected.rule, found.rule))
    claimed = {
        (direction, family, unit, user, local, remote, *rest)
        for difference in told
        if difference["change"] != "control"
        for direction, family, *rest in [claim(difference)]
        for local, remote in product(
            within(difference["local"], LOCALS, family), within(difference["remote"], REPRESENTATIVES, family)
        )
        for unit, user in product(UNITS, USERS)
        if not (user and direction == "in") and names(difference, unit, user, one, other)
    }
    assert seen == claimed


def claim(difference: dict) -> tuple[object, ...]:
    return (
        difference["direction"],
        difference["family"],
        difference["expected"]["effect"],
        difference["expected"]["rule"],
        difference["found"]["rule"],
    )


def names(difference: dict, unit: str | None, user: str | None, *both: VerdictTable) -> bool:
    if difference["processes"] == ["any"]:
        return True
    sides = [table.direction(Direction(difference["direction"])) for table in both]
    unit = unit if any(unit in side.units for side in sides) else None
    user = user if any(user in side.users for side in sides) else None
    words = [f"unit {unit}" if unit else "", f"user {user}" if user else ""]
    return (" ".join(word for word in words if word) or "any other process") in difference["processes"]


def within(ranges: list[str], points: list[int], family: int) -> list[int]:
    """Return which of some points are in ranges of a family."""
    intervals = [(0, REPRESENTATIVES[-1])] if ranges == ["any"] else [interval_of(text) for text in ranges]
    return [
        point for point in points if family_of(point) == family and any(low <= point <= high for low, high in intervals)
    ]


@given(service_maps(), service_maps(), st.sampled_from([4, 6]))
def test_two_service_maps_differ_exactly_at_the_points_that_can_be_met(
    one: ServiceMap, other: ServiceMap, family: int
) -> None:
    told = piece_differences(pieces_of(one.data()), pieces_of(other.data()), family)
    for point in POINTS:
        expected, found = ((o.effect, o.rule, o.log) for o in (one.outcome(point), other.outcome(point)))
        claimed = [(piece.expected, piece.found) for piece in told if piece.low <= point <= piece.high]
        assert claimed == ([(expected, found)] if is_met(point, family) and expected != found else [])


@THOROUGH
@given(tables())
def test_a_table_never_differs_from_itself_and_is_looked_up_as_the_model_does(table: VerdictTable) -> None:
    data = table.data()
    assert differences(data, data) == []
    lookup = Lookup(data)
    for direction, remote, point in product(Direction, REPRESENTATIVES[::3], POINTS[::4]):
        local = REPRESENTATIVES[0] if family_of(remote) == 4 else V6_BASE
        who = ProcessClass("api.service", "backup" if direction is Direction.OUT else None)
        found = lookup.outcomes(
            direction, *divmod(point, BLOCK), address_text(local), address_text(remote), who.unit, who.user
        )[0]
        expected = at(table, direction, who, local, remote, point)
        assert found == {"effect": expected.effect, "rule": expected.rule, "log": expected.log}


def test_a_wider_peer_is_told_with_its_addresses_services_and_rule() -> None:
    wider = shop_table(direction_table({("10.1.0.0/23", "2001:db8:1::/64"): service_map("tcp/8443")}))
    told = differences(shop_table().data(), wider.data())
    assert [one["change"] for one in told] == ["open", "closed"]
    assert told[0]["text"] == (
        "inbound from 10.1.1.0-10.1.1.255, tcp/8443, is open and should not be: "
        "allowed by rule 'web to api', expected denied by default"
    )
    assert told[1]["text"] == (
        "inbound from 10.2.0.7, icmp, is closed and should not be: "
        "denied by default, expected allowed by rule 'web to api'"
    )


@pytest.mark.parametrize(("remote", "port", "effect"), [("10.1.0.9", 8443, "allow"), ("10.1.0.9", 8444, "deny")])
def test_one_packet_is_looked_up(remote: str, port: int, effect: str) -> None:
    data = shop_table().data()
    assert Lookup(data).outcomes("in", TCP, port, "10.3.0.1", remote)[0]["effect"] == effect


def test_the_control_path_is_known() -> None:
    lookup = Lookup(shop_table().data())
    assert lookup.in_control("10.9.1.2", CONTROL.port)
    assert not lookup.in_control("10.9.1.2", 80)
    assert not lookup.in_control("10.8.1.2", CONTROL.port)


def test_ten_times_the_peers_cost_no_more_than_in_proportion() -> None:
    def compared(peers: int) -> float:
        networks = tuple(f"{10 + n // 50_000}.{n // 200 % 250}.{n % 200}.0/25" for n in range(peers))
        table = shop_table(direction_table({networks: service_map("tcp/5432")}))
        data = table.data()
        listing = "table inet ringfence {" + render(table).split("table inet ringfence {", 2)[2]
        wider = listing.replace("10.7.9.0-", "10.7.8.200-", 1)
        start = process_time()
        (told,) = differences(data, read_ruleset(wider))
        spent = process_time() - start
        assert told["remote"] == ["10.7.8.200-10.7.8.255"]
        return spent

    assert compared(100_000) < 40 * compared(
        10_000
    )  # ten times, with room for what else the machine does; a square is 100
