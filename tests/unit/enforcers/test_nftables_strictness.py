"""Nothing in a listing is passed over: whatever line is lost, doubled or unknown is told, and no text makes it fail."""

from __future__ import annotations

import re
from functools import cache

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.nftables.reader import read_ruleset
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.enforcers.nftables import render
from ringfence.model.addresses import EVERY_ADDRESS, addresses_of
from ringfence.model.rules import Mode
from ringfence.model.tables import Cell, DirectionTable, Effect, Outcome, ProcessClass, VerdictTable

from tests.examples import examples
from tests.table_factory import ALLOW, CONTROL, direction_table, service_map
from tests.unit.enforcers.nft_kernel import Kernel

WATCH = Outcome(Effect.WATCH, "0badcafe", log=True)
OWN = addresses_of(["10.3.0.1", "fd00::1"])
PARTS = [("\t\tsize 4096", "\t\tsize 4097"), ("timeout 3600s", "timeout 60s"), ("flags interval", "flags constant")]
WORDS = [*"{}:,-/.@ \n\t", "table inet ringfence {\n", "chain input {\n", "elements = {", "goto"]


def table_of_all_shapes() -> VerdictTable:
    """A table whose ruleset has every shape there is."""
    peers = direction_table(
        {
            ("10.1.0.0/24", "2001:db8::/64"): service_map("tcp/80-90", "icmp/echo-request", "icmpv6/echo-request"),
            ("10.2.0.7", "fd00::7"): service_map("udp/53", outcome=WATCH, rest=ALLOW),
        }
    ).cells
    cells = [
        Cell(local, ProcessClass(unit, user), cell.remote, cell.services if local is OWN else service_map("tcp/1"))
        for unit in (None, "api.service")
        for user in (None, "backup")
        for local in (OWN, EVERY_ADDRESS - OWN)
        for cell in peers
    ]
    outbound = DirectionTable(Mode.FULL, tuple(cells), ("api.service",), ("backup",))
    inbound = DirectionTable(Mode.FULL, tuple(c for c in cells if not c.process.user), ("api.service",))
    return VerdictTable(inbound, outbound, CONTROL)


@cache
def expected() -> dict[str, object]:
    return table_of_all_shapes().data()


def told(lines: list[str]) -> bool:
    """Return whether any difference is told: all drift is, so where there is some the tables are not compared."""
    found = read_ruleset("\n".join(lines))
    return bool(found["drift"] or differences(expected(), found))


def drift(lines: list[str]) -> object:
    return read_ruleset("\n".join(lines))["drift"]


def test_no_line_can_be_lost_doubled_or_slipped_in_without_being_told(kernel: Kernel) -> None:
    lines = kernel.load(render(table_of_all_shapes())).splitlines()
    assert not told(lines)
    for at, line in enumerate(lines):
        if line.strip():
            assert told(lines[:at] + lines[at + 1 :]), f"lost: {line}"
        if line.startswith("\t\t") and "elements =" not in line:
            assert at % 2 or drift([*lines[: at + 1], *lines[at:]]), f"doubled: {line}"
            assert at % 6 or drift([*lines[:at], "\t\tmeta mark 1 accept", *lines[at:]]), f"before: {line}"


def test_another_property_of_a_set_is_told(kernel: Kernel) -> None:
    listing = kernel.load(render(table_of_all_shapes()))
    for was, becomes in PARTS:
        assert was in listing
        assert told(listing.replace(was, becomes, 1).splitlines())


def test_every_target_of_a_map_matters(kernel: Kernel) -> None:
    listing = kernel.load(render(table_of_all_shapes()))
    for met in re.finditer(r": goto (\S+?)(?=[ ,\n])", listing):
        text = f"{listing[: met.start()]}: goto allow_ffffffff{listing[met.end() :]}"
        assert told(text.splitlines()), met[0]


@settings(max_examples=examples(200), deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(WORDS) | st.text()))
def test_no_text_makes_the_reader_fail(parts: list[str]) -> None:
    assert read_ruleset("".join(parts))["drift"]


def test_a_control_address_that_cannot_be_read_is_told() -> None:
    text = "table inet ringfence {\n\tset control4 {\n\t\telements = { 0 10.9.0.0/16 }\n\t}\n}\n"
    found = read_ruleset(text)
    assert "has no address that can be read" in [entry["problem"] for entry in found["drift"]]  # type: ignore[attr-defined]
    assert found["control"] is None


@pytest.fixture(scope="module")
def listing(kernel: Kernel) -> str:
    """The listing of a table of all shapes."""
    return kernel.load(render(table_of_all_shapes()))


@settings(max_examples=examples(100), deadline=None, derandomize=True)
@given(st.data())
def test_no_damage_to_a_listing_makes_the_reader_or_the_comparer_fail(listing: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(listing)))
    end = data.draw(st.integers(start, min(len(listing), start + 200)))
    damaged = listing[:start] + data.draw(st.text(max_size=5)) + listing[end:]
    assert isinstance(differences(expected(), read_ruleset(damaged)), list)
