"""Whatever is changed by hand in the kernel's table is found, and told as what is open or closed."""

from __future__ import annotations

import os
import re

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.nft_reader import read_ruleset
from ansible_collections.ringfence.core.plugins.plugin_utils.table_compare import differences
from nft_kernel import Kernel
from ringfence.enforcers.nftables import render
from ringfence.model.addresses import EVERY_ADDRESS
from ringfence.model.rules import Mode
from ringfence.model.tables import Cell, DirectionTable, ProcessClass, VerdictTable
from table_factory import CONTROL, direction_table, service_map, shop_table

TABLE = "inet ringfence"


def told(kernel: Kernel, table: VerdictTable) -> list[tuple[object, object]]:
    """Return change and words of every difference between a table and what the kernel holds."""
    return [(one["change"], one["text"]) for one in differences(table.data(), read_ruleset(kernel.listing()))]


def map_of_peers(kernel: Kernel, address: str) -> tuple[str, str]:
    """Return the name of the map that holds a peer, and where the peer is led."""
    for block in read_maps(kernel.listing()):
        for element in block[1].split(","):
            key, _, verdict = element.strip().partition(" : ")
            if key == address:
                return block[0], verdict
    raise LookupError(address)


def read_maps(listing: str) -> list[tuple[str, str]]:
    maps = []
    for part in listing.split("\tmap ")[1:]:
        name = part.split(" ", 1)[0]
        if "elements = {" in part.split("\n\t}", 1)[0]:
            maps.append((name, part.split("elements = {", 1)[1].split("}", 1)[0]))
    return maps


@pytest.fixture
def table(kernel: Kernel) -> VerdictTable:
    """A table of ten thousand peers and some others, loaded."""
    if os.geteuid() != 0:
        pytest.skip("needs root: without it ten thousand elements do not fit into one transaction")
    many = {
        tuple(f"10.{100 + n // 250 // 2}.{n // 2 % 250}.{n % 2 * 100 + 1}" for n in range(10_000)): service_map(
            "tcp/5432"
        )
    }
    table = shop_table(direction_table({**many, ("10.1.0.0/24", "2001:db8:1::/64"): service_map("tcp/8443", "icmp")}))
    kernel.load(render(table))
    assert told(kernel, table) == []
    return table


def test_one_element_added_among_ten_thousand_is_told_as_open(kernel: Kernel, table: VerdictTable) -> None:
    name, verdict = map_of_peers(kernel, "10.100.0.1")
    kernel.nft("add", "element", *TABLE.split(), name, f"{{ 203.0.113.9 : {verdict} }}")
    assert told(kernel, table) == [
        (
            "open",
            "inbound from 203.0.113.9, tcp/5432, is open and should not be: "
            "allowed by rule 'web to api', expected denied by default",
        )
    ]


def test_one_element_removed_among_ten_thousand_is_told_as_closed(kernel: Kernel, table: VerdictTable) -> None:
    name, _ = map_of_peers(kernel, "10.100.0.1")
    kernel.nft("delete", "element", *TABLE.split(), name, "{ 10.100.0.1 }")
    assert told(kernel, table) == [
        (
            "closed",
            "inbound from 10.100.0.1, tcp/5432, is closed and should not be: "
            "denied by default, expected allowed by rule 'web to api'",
        )
    ]


def test_one_element_widened_among_ten_thousand_is_told_with_the_addresses_gained(
    kernel: Kernel, table: VerdictTable
) -> None:
    name, verdict = map_of_peers(kernel, "10.100.0.1")
    wider = f"add element {TABLE} {name} {{ 10.100.0.1-10.100.0.7 : {verdict} }}"
    change = f"delete element {TABLE} {name} {{ 10.100.0.1 }}\n{wider}\n"
    kernel.nft("-f", "-", text=change)
    assert [text for _, text in told(kernel, table)] == [
        "inbound from 10.100.0.2-10.100.0.7, tcp/5432, is open and should not be: "
        "allowed by rule 'web to api', expected denied by default"
    ]


def test_an_element_that_accepts_everything_is_told_with_every_service(kernel: Kernel, table: VerdictTable) -> None:
    name, _ = map_of_peers(kernel, "10.100.0.1")
    kernel.nft("add", "element", *TABLE.split(), name, "{ 203.0.113.9 : accept }")
    assert told(kernel, table) == [
        (
            "open",
            "inbound from 203.0.113.9, every service, is open and should not be: "
            "allowed by no rule of the policy, expected denied by default",
        )
    ]


@pytest.mark.parametrize(
    ("command", "change", "words"),
    [
        (
            "insert rule {t} input ip saddr 203.0.113.9 tcp dport 23 accept",
            "open",
            "makes open inbound what it matches",
        ),
        ("insert rule {t} output ip daddr 203.0.113.9 drop", "closed", "makes closed outbound what it matches"),
        ("insert rule {t} output meta mark 7 return", "shape", "may change what is decided behind it"),
        ("add rule {t} deny_default_in accept", "open", "is no rule of ours in chain deny_default_in"),
        ("chain {t} input {{ policy drop; }}", "shape", "policy drop; is no head of ours for chain input"),
        ("add table {t} {{ flags dormant; }}", "open", "the table sleeps: everything is open"),
        ("flush table {t}", "open", "does not lead to the policy: what reaches its end passes"),
        ("delete table {t}", "open", "table inet ringfence is not there: everything is open"),
        ("flush chain {t} output", "open", "does not lead to the policy"),
        ("add set {t} evil {{ type ipv4_addr; }}", "shape", "set evil is nothing that we render"),
        ("add chain {t} evil {{ type filter hook forward priority 0; }}", "shape", "chain evil is nothing"),
        ("add counter {t} c1", "shape", "counter c1"),
        ("add chain {t} in", "shape", "chain in is nothing that we render"),
        ("flush chain {t} deny_default_in", "open", "is open and should not be"),
        ("flush chain {t} allow_5f3a9c01", "shape", "chain allow_5f3a9c01 misses its rule 'counter'"),
        ("add rule {t} plan_{plan} counter", "shape", "is no rule of ours in chain plan_"),
        ("add element {t} control4 {{ 203.0.113.0/24 }}", "control", "the control path is tcp/22 from"),
    ],
)
def test_drift_is_told(kernel: Kernel, command: str, change: str, words: str) -> None:
    table = shop_table()
    kernel.load(render(table))
    text = command.format(t=TABLE, plan=table.digest[:16])
    kernel.nft("-f", "-", text=text + "\n")
    listing = kernel.nft("-nn", "-y", "list", "ruleset")  # succeeds also where our table is gone
    found = [(one["change"], str(one["text"])) for one in differences(table.data(), read_ruleset(listing))]
    assert [text for changed, text in found if changed == change and words in text], found


def test_the_rule_that_makes_everything_open_is_named_by_its_line(kernel: Kernel) -> None:
    table = shop_table()
    kernel.load(render(table))
    kernel.nft("insert", "rule", *TABLE.split(), "input", "counter", "accept")
    listing = kernel.listing()
    (found,) = differences(table.data(), read_ruleset(listing))
    assert listing.splitlines()[int(str(found["line"])) - 1].strip().startswith("counter packets")


@pytest.mark.parametrize("was", ["priority 0; policy accept;", "hook input"])
def test_another_priority_or_hook_of_a_base_chain_is_told(kernel: Kernel, was: str) -> None:
    table = shop_table()
    becomes = {"priority 0; policy accept;": "priority 10; policy accept;", "hook input": "hook prerouting"}[was]
    found = differences(table.data(), read_ruleset(kernel.load(render(table).replace(was, becomes))))
    assert all("is no head of ours for chain" in str(one["text"]) for one in found)
    assert found


def test_a_renamed_table_is_a_missing_one(kernel: Kernel) -> None:
    table = shop_table()
    kernel.load(render(table))
    listing = kernel.listing().replace("table inet ringfence {", "table inet ringfenced {")
    (found,) = differences(table.data(), read_ruleset(listing))
    assert found["text"] == "table inet ringfence is not there: everything is open"


def table_of_units() -> VerdictTable:
    """A table whose unit may be asked on 8443 by all, and others by nobody."""
    classes = ((None, service_map()), ("api.service", service_map("tcp/8443")))
    cells = tuple(Cell(EVERY_ADDRESS, ProcessClass(unit), EVERY_ADDRESS, services) for unit, services in classes)
    return VerdictTable(DirectionTable(Mode.FULL, cells, ("api.service",)), direction_table({}), CONTROL)


def test_another_cgroup_level_is_told(kernel: Kernel) -> None:
    table = table_of_units()
    listing = kernel.load(render(table))
    assert differences(table.data(), read_ruleset(listing)) == []
    changed = kernel.load(render(table).replace("level 2 vmap @units_in_2", "level 3 vmap @units_in_2"))
    texts = [str(one["text"]) for one in differences(table.data(), read_ruleset(changed))]
    assert any("socket cgroupv2 level 3 vmap @units_in_2 is no rule of ours in chain input" in text for text in texts)
    lost = "level 2 vmap @units_in_2' in its place: units at depth 2 are judged as any other process"
    assert any(lost in text for text in texts)


def test_a_unit_led_elsewhere_is_told_and_planned_processes_are_reported_apart() -> None:
    table = table_of_units()
    text = render(table).split("table inet ringfence {", 2)[2]
    element = 'type cgroupsv2 : verdict\n\t\telements = {{ "system.slice/api.service" : goto {} }}'
    for verdict, drifts in (("in_u0", 0), ("allow_5f3a9c01", 1)):
        listing = "table inet ringfence {" + text.replace("type cgroupsv2 : verdict", element.format(verdict), 1)
        found = read_ruleset(listing)
        assert found["filled"]["processes"] == [  # type: ignore[index]
            {"map": "units_in_6", "key": "system.slice/api.service", "verdict": f"goto {verdict}"}
        ]
        assert len([one for one in differences(table.data(), found) if "leads a process" in str(one["text"])]) == drifts


def test_chains_that_lead_in_a_circle_are_told() -> None:
    table = shop_table()
    text = "table inet ringfence {" + render(table).split("table inet ringfence {", 2)[2]
    start = text.rsplit("goto ", 2)[1].split()[0]
    circle = re.sub(rf"(chain {start} \{{).*?\t\}}", rf"\1\n\t\tgoto {start}\n\t}}", text, flags=re.DOTALL)
    assert any("leads in a circle" in str(one["text"]) for one in differences(table.data(), read_ruleset(circle)))
