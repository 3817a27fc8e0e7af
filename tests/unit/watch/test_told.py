"""What a host tells is of known shape, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.model.addresses import address_text, point_of
from ringfence.model.rules import Direction
from ringfence.model.tables import Effect
from ringfence.watch.told import DenialTold, FlowTold, Hello, LookEnd, Missed, Unnamed, parse


def test_a_flow_has_its_ends_and_whether_it_was_answered() -> None:
    assert parse("F 6 10.0.0.1 10.0.0.2 5432 a") == FlowTold(6, point_of("10.0.0.1"), point_of("10.0.0.2"), 5432, True)
    assert parse("F 1 10.0.0.1 10.0.0.2 - u") == FlowTold(1, point_of("10.0.0.1"), point_of("10.0.0.2"), None, False)
    assert parse("F 47 10.0.0.1 10.0.0.2 - a").port == 0  # type: ignore[union-attr]


def test_a_socket_is_read_in_the_order_of_bytes_of_its_host() -> None:
    line = "S 4 in 0100000A:1538 0200000A:0000 a"
    assert parse(line) == FlowTold(6, point_of("10.0.0.2"), point_of("10.0.0.1"), 5432, True)
    swapped = "S 4 out 0A000001:0000 0A000002:1538 u"
    assert parse(swapped, little=False) == FlowTold(6, point_of("10.0.0.1"), point_of("10.0.0.2"), 5432, False)


def test_an_ipv4_address_within_ipv6_is_the_ipv4_address() -> None:
    told = parse("S 6 in 0000000000000000FFFF00000100000A:1538 0000000000000000FFFF00000200000A:0000 a")
    assert isinstance(told, FlowTold)
    assert address_text(told.client) == "10.0.0.2"


def test_denials_are_told_under_the_rule_of_the_kernel() -> None:
    told = parse("D watched ab12cd34 in 17 fd00:0000:0000:0000:0000:0000:0000:0001 53 7")
    assert told == DenialTold(Effect.WATCH, "ab12cd34", Direction.IN, 17, point_of("fd00::1"), 53, 7)
    assert parse("D denied default out icmp 10.0.0.1 - 1").port is None  # type: ignore[union-attr]
    assert parse("D denied default out tcp 10.0.0.1 80 1").protocol == 6  # type: ignore[union-attr]


def test_the_rest_is_counts() -> None:
    assert parse("U denied ab12cd34 in 900") == Unnamed(Effect.DENY, "ab12cd34", 900)
    assert parse("M 18000") == Missed(18000)
    assert parse("T 3 27") == LookEnd(3, 27)
    assert parse("H 2 1 proc 1") == Hello(True, "proc", True)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "F 6 10.0.0.1 10.0.0.2 65536 a",
        "F 256 10.0.0.1 10.0.0.2 1 a",
        "F 6 10.0.0.1%eth0 10.0.0.2 1 a",
        "F 6 \x1b[2J 10.0.0.2 1 a",
        "F 6 10.0.0.1 10.0.0.2 1 x",
        "D denied $(reboot) in 6 10.0.0.1 1 1",
        "D denied ab in 6 10.0.0.1 1 -1",
        "D denied ab sideways 6 10.0.0.1 1 1",
        "S 4 in 0100000A:1538 zz:0000 a",
        "T 99999999999999999999 1",
        "H 3 1 proc 1",
        "F " + "6" * 500,
    ],
)
def test_any_other_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(line)


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_no_line_does_anything_but_parse_or_be_refused(line: str) -> None:
    for head in ("", "F 6 ", "D denied ab in ", "S 4 in "):
        try:
            parse(head + line)
        except ValueError:
            continue
