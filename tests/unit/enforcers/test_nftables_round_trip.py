"""What is rendered is what the kernel holds: listings read back equal the table, exactly."""

from __future__ import annotations

from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.nftables.reader import read_ruleset
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from hypothesis import HealthCheck, given, settings
from ringfence.enforcers.nftables import render
from ringfence.model.tables import VerdictTable

from tests.examples import examples
from tests.table_factory import direction_table, service_map, shop_table, tables
from tests.unit.enforcers.nft_kernel import Kernel

LIVELY = settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def texts(table: VerdictTable, listing: str) -> list[object]:
    return [difference["text"] for difference in differences(table.data(), read_ruleset(listing))]


@LIVELY
@given(tables())
def test_every_table_comes_back_from_the_kernel_as_it_went_in(kernel: Kernel, table: VerdictTable) -> None:
    assert texts(table, kernel.load(render(table))) == []


@LIVELY
@given(tables(), tables())
def test_two_tables_compare_equal_through_the_kernel_exactly_if_they_are(
    kernel: Kernel, one: VerdictTable, other: VerdictTable
) -> None:
    listed = read_ruleset(kernel.load(render(one)))
    del listed["plan"]
    told = differences(other.data(), listed)
    assert bool(told) == bool(differences(other.data(), one.data()))


def test_loading_twice_replaces_the_table_and_leaves_others_alone(kernel: Kernel) -> None:
    kernel.nft("add", "table", "inet", "neighbour")
    kernel.load(render(shop_table(direction_table({("10.0.0.1",): service_map("tcp/1")}))))
    listing = kernel.load(render(shop_table()))
    assert texts(shop_table(), listing) == []
    assert "table inet neighbour" in kernel.nft("list", "tables")
    kernel.nft("delete", "table", "inet", "neighbour")


def test_a_control_path_and_its_absence_come_back(kernel: Kernel) -> None:
    table = shop_table()
    without = VerdictTable(table.inbound, table.outbound, None, table.rule_names)
    assert texts(without, kernel.load(render(without))) == []
    (told,) = differences(table.data(), {**read_ruleset(kernel.listing()), "plan": table.digest[:16]})
    assert told["change"] == "control"
    assert "is none, but should be tcp/22 from 10.9.0.0-10.9.255.255" in str(told["text"])
