"""What is rendered for iptables is what the kernel holds: listings of both variants read back equal the table."""

from __future__ import annotations

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.iptables.reader import read_ruleset
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from hypothesis import HealthCheck, given, settings
from ringfence.enforcers.iptables import DEFAULT_MASK, Marks, render, ruleset
from ringfence.model.tables import VerdictTable

from tests.table_factory import direction_table, service_map, shop_table
from tests.unit.enforcers.iptables_kernel import IptablesKernel
from tests.unit.enforcers.iptables_tables import iptables_tables

LIVELY = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
SPREAD = Marks(0x01010F00)


def texts(table: VerdictTable, listing: str) -> list[object]:
    return [difference["text"] for difference in differences(table.data(), read_ruleset(listing))]


@LIVELY
@given(iptables_tables())
def test_every_table_comes_back_with_a_rule_for_each_class(iptables: IptablesKernel, table: VerdictTable) -> None:
    assert texts(table, iptables.load(render(table))) == []


@LIVELY
@given(iptables_tables())
def test_every_table_comes_back_with_classes_told_apart_by_marks(iptables: IptablesKernel, table: VerdictTable) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ruleset, "MOST_IN_LINE", 1)
        text = render(table, SPREAD)
    assert texts(table, iptables.load(text)) == []


@LIVELY
@given(iptables_tables(), iptables_tables())
def test_two_tables_compare_equal_through_the_kernel_exactly_if_they_are(
    iptables: IptablesKernel, one: VerdictTable, other: VerdictTable
) -> None:
    listed = read_ruleset(iptables.load(render(one)))
    del listed["plan"]
    assert bool(differences(other.data(), listed)) == bool(differences(other.data(), one.data()))


def test_a_thousand_classes_come_back(iptables: IptablesKernel) -> None:
    peers = {
        (f"10.{n // 200}.{n % 200}.0/24", f"2001:db8:{n:x}::/48"): service_map(f"tcp/{n + 1}") for n in range(1000)
    }
    table = shop_table(direction_table(peers))
    text = render(table, Marks(DEFAULT_MASK))
    assert text.count("--map-mark") == 2
    assert texts(table, iptables.load(text)) == []
