"""Whatever is changed by hand in the kernel's table is found, and told as what is open or closed."""

from __future__ import annotations

import os
import re

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.nftables.reader import read_ruleset
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from ringfence.enforcers.nftables import render
from ringfence.model.addresses import EVERY_ADDRESS
from ringfence.model.rules import Mode
from ringfence.model.tables import Cell, DirectionTable, ProcessClass, VerdictTable

from tests.table_factory import CONTROL, direction_table, service_map, shop_table
from tests.unit.enforcers.nft_kernel import Kernel

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
        ("add rule {t} deny_default_in accept", "open", "is not a rule of ours in chain deny_default_in"),
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
        ("add rule {t} plan_{plan} counter", "shape", "is not a rule of ours in chain plan_"),
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


@pytest.mark.parametrize(
    ("head", "change", "words"),
    [
        ("type filter hook input priority 10; policy accept;", "shape", "before or after other tables than it should"),
        ("type filter hook input priority -300; policy accept;", "closed", "inbound replies are judged as if they"),
        ("type filter hook prerouting priority 0; policy accept;", "closed", "what this host forwards meets it too"),
        ("type nat hook input priority 0; policy accept;", "open", "a chain of type nat may not meet every packet"),
        ("type filter hook input priority 0; policy drop;", "shape", "a packet that no rule decides is dropped"),
    ],
)
def test_another_head_of_a_base_chain_is_told_with_what_follows(
    kernel: Kernel, head: str, change: str, words: str
) -> None:
    table = shop_table()
    kernel.load(render(table).replace("type filter hook input priority 0; policy accept;", head))
    ((told_change, text),) = told(kernel, table)
    assert told_change == change
    assert f"{head} is not a head of ours for chain input, which is 'type filter hook input priority 0" in str(text)
    assert words in str(text)


@pytest.mark.parametrize("head", ["type filter hook forward priority 0; policy accept;", ""])
def test_a_chain_that_its_direction_does_not_meet_is_told_as_all_that_is_open(kernel: Kernel, head: str) -> None:
    table = shop_table()
    kernel.load(render(table).replace("type filter hook input priority 0; policy accept;", head))
    found = told(kernel, table)
    assert {change for change, _ in found} == {"open", "record"}
    assert any("nothing is enforced inbound" in str(text) for _, text in found)
    assert (
        "inbound from 10.2.0.7, every protocol but icmp, is open and should not be: "
        "allowed by no rule of the policy, expected denied by default"
    ) in [text for _, text in found]


def test_a_policy_that_drops_what_falls_through_is_told_as_all_that_is_closed(kernel: Kernel) -> None:
    table = shop_table()
    kernel.load(render(table))
    for command in ("chain {} input {{ policy drop; }}", "flush chain {} input"):
        kernel.nft("-f", "-", text=command.format(TABLE) + "\n")
    closed = [str(text) for change, text in told(kernel, table) if change == "closed"]
    assert any("does not lead to the policy: what reaches its end is dropped" in text for text in closed)
    assert (
        "inbound from 10.1.0.0-10.1.0.255, tcp/8443, is closed and should not be: "
        "denied by no rule of the policy, expected allowed by rule 'web to api'"
    ) in closed


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
    assert any(
        "socket cgroupv2 level 3 vmap @units_in_2 is not a rule of ours in chain input" in text for text in texts
    )
    lost = "level 2 vmap @units_in_2' in its place: units at depth 2 are judged as any other process"
    assert any(lost in text for text in texts)


def with_elements(table: VerdictTable, elements: dict[str, str]) -> str:
    """Return a ruleset as a listing, with elements in some maps of processes."""
    text = "table inet ringfence {" + render(table).split("table inet ringfence {", 2)[2]
    for name, element in elements.items():
        head = f"map {name} {{\n\t\ttype cgroupsv2 : verdict\n"
        text = text.replace(head, f"{head}\t\telements = {{ {element} }}\n")
    return text


def test_a_unit_that_is_asked_for_at_another_depth_is_told_with_what_it_loses() -> None:
    table = table_of_units()
    listing = with_elements(table, {"units_in_2": '"system.slice/api.service" : goto in_u0'})
    assert differences(table.data(), read_ruleset(listing)) == []
    changed = listing.replace("level 2 vmap @units_in_2", "level 3 vmap @units_in_2")
    told = [str(one["text"]) for one in differences(table.data(), read_ruleset(changed)) if one["change"] == "closed"]
    assert told == [
        f"inbound from every IPv{family} address (unit api.service), tcp/8443, is closed and should not be: "
        "denied by default, expected allowed by rule 5f3a9c01"
        for family in (4, 6)
    ]


def test_a_unit_inside_another_is_judged_as_the_outer_one_where_its_depth_is_not_asked_for() -> None:
    classes = ((None, service_map()), ("api.service", service_map("tcp/8443")), ("apps.slice", service_map("tcp/9")))
    cells = tuple(Cell(EVERY_ADDRESS, ProcessClass(unit), EVERY_ADDRESS, services) for unit, services in classes)
    units = ("api.service", "apps.slice")
    table = VerdictTable(DirectionTable(Mode.FULL, cells, units), direction_table({}), CONTROL)
    maps = {"units_in_1": '"apps.slice" : goto in_u1', "units_in_2": '"apps.slice/api.service" : goto in_u0'}
    changed = with_elements(table, maps).replace("level 2 vmap @units_in_2", "level 6 vmap @units_in_2")
    told = [str(one["text"]) for one in differences(table.data(), read_ruleset(changed)) if "IPv4" in str(one["text"])]
    assert [text.split(":")[0] for text in told] == [
        "inbound from every IPv4 address (unit api.service), tcp/9, is open and should not be",
        "inbound from every IPv4 address (unit api.service), tcp/8443, is closed and should not be",
    ]


def test_users_that_no_rule_asks_for_are_told_with_what_they_lose() -> None:
    classes = ((None, service_map()), ("backup", service_map("tcp/873")))
    cells = tuple(Cell(EVERY_ADDRESS, ProcessClass(None, user), EVERY_ADDRESS, services) for user, services in classes)
    table = VerdictTable(direction_table({}), DirectionTable(Mode.FULL, cells, (), ("backup",)), CONTROL)
    listing = with_elements(table, {}).replace("\t\tmeta skuid vmap @users_out\n", "")
    told = [str(one["text"]) for one in differences(table.data(), read_ruleset(listing)) if one["change"] == "closed"]
    assert told[0].startswith("outbound to every IPv4 address (user backup), tcp/873, is closed and should not be")


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


@pytest.mark.parametrize(
    ("held", "change"),
    [
        ("ct state established,related accept", "open"),
        ("ct state established,related udp sport . udp dport != { 68 . 67 } accept", "open"),
        ("", "shape"),
    ],
)
def test_a_table_that_takes_other_packets_for_replies_is_told_and_replaced(
    kernel: Kernel, held: str, change: str
) -> None:
    table = shop_table()
    ours = next(line for line in render(table).splitlines() if "udp sport . udp dport" in line).strip()
    kernel.load(render(table).replace(ours, held))
    assert change in {one for one, _ in told(kernel, table)}
    kernel.load(render(table))
    assert told(kernel, table) == []


def test_the_order_in_which_a_kernel_lists_a_set_is_no_drift(kernel: Kernel) -> None:
    table = shop_table()
    listing = kernel.load(render(table))
    pairs = ("68 . 67", "546 . 547")
    for order in (pairs, pairs[::-1]):
        shown = re.sub(r"udp dport != \{[^}]*\}", f"udp dport != {{ {', '.join(order)} }}", listing)
        assert differences(table.data(), read_ruleset(shown)) == []
