"""The inventory plugin netbox against a server that replays documented answers of NetBox and Nautobot."""

from __future__ import annotations

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.json_over_http import Endpoint
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox.api import Wanted, ask_netbox
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox.transform import Shape, hosts

from tests.sources.inventory_run import configured, documentation, listed, run_inventory
from tests.sources.netbox_answers import address, device, nautobot, netbox, pages
from tests.sources.replay_server import replaying


def found(answers, shape=None, **options):
    with replaying(answers) as replay:
        endpoint = Endpoint(replay.url, {"Authorization": "Token t0k3n"})
        return hosts(ask_netbox(Wanted(endpoint, **options)), shape or Shape()), replay


def test_devices_and_machines_come_page_by_page_with_the_addresses_of_all_their_interfaces():
    result, replay = found(netbox(), page_size=2, interfaces=True)
    known = dict(result.hosts)
    assert set(known) == {"web-1", "sw-1", "device-3", "vm-1"}
    assert known["web-1"]["ringfence_addresses"] == ["10.0.0.5", "2001:db8::5"]
    assert known["vm-1"]["ringfence_addresses"] == ["10.0.0.6"]
    labels = known["web-1"]["ringfence_labels"]
    assert (labels["netbox_site"], labels["netbox_role"], labels["netbox_status"]) == ("fra", "server", "active")
    fact = known["web-1"]["ringfence_netbox"]
    assert (fact["serial"], fact["tags"], fact["mac"]) == (
        "S1",
        ["pci"],
        [f"00:11:22:33:44:{last}" for last in (55, 66, 77)],
    )
    assert "bmc_password" not in fact["custom_fields"]
    paths = [path for _, path, *_ in replay.asked]
    assert paths.count("/api/ipam/ip-addresses/") == 4


def test_switches_are_no_workloads_and_windows_has_its_enforcer():
    known = dict(found(netbox())[0].hosts)
    assert (known["sw-1"]["ringfence_workload"], "ringfence_workload" in known["web-1"]) == (False, False)
    assert (known["device-3"]["ringfence_enforcer"], known["device-3"]["ansible_connection"]) == ("windows", "psrp")


def bmc(**more):
    """A server with an iDRAC, whose address, MAC and DNS name are not the server's."""
    told = {
        "primary_ip": {"id": 1, "address": "10.1.0.11/24"},
        "oob_ip": {"id": 2, "address": "10.200.0.11/24"},
        **more,
    }
    custom = {"pci": True, "spare": False, "rate": 1.5, "empty": None, "team": "Team\u00a0Nord"}
    rows = [device(1, "db-1", custom_fields=custom, **told)]
    held = [address(1, "10.1.0.11/24", device=(1, "db-1")), address(2, "10.200.0.11/24", device=(1, "db-1"))]
    held[1]["assigned_object"]["name"] = "idrac"
    flagged = {"id": 902, "name": "port-9", "mgmt_only": True, "mac_address": "00:11:22:33:44:99", "device": {"id": 1}}
    usual = {"id": 901, "name": "eth0", "mgmt_only": False, "mac_address": "00:11:22:33:44:55", "device": {"id": 1}}
    return {
        **netbox(),
        "/api/dcim/devices/": pages(rows),
        "/api/virtualization/virtual-machines/": pages([]),
        "/api/ipam/ip-addresses/": pages(held),
        "/api/dcim/interfaces/": pages([flagged, usual]),
    }


@pytest.mark.parametrize("interfaces", [True, False])
@pytest.mark.parametrize("tells", ["field", "flag", "name"])
def test_the_out_of_band_controller_is_a_machine_of_its_own_and_not_the_server(tells, interfaces):
    answers = bmc(**({} if tells == "field" else {"oob_ip": None}))
    if tells != "flag":
        answers["/api/dcim/interfaces/"] = pages([])
    if tells != "name":
        answers["/api/ipam/ip-addresses/"]({})["results"][1]["assigned_object"]["name"] = "port-9"
    known = dict(found(answers, interfaces=interfaces)[0].hosts)
    assert {name: host["ringfence_addresses"] for name, host in known.items()} == {
        "db-1": ["10.1.0.11"],
        "db-1-oob": ["10.200.0.11"],
    }
    controller = known["db-1-oob"]
    assert (controller["ringfence_workload"], controller["ringfence_kind"]) == (False, "controller")
    assert controller["ringfence_labels"] == {"netbox_site": "fra"}
    assert "a2.example.com" not in known["db-1"]["ringfence_netbox"]["names"]
    if interfaces and tells == "flag":
        assert known["db-1"]["ringfence_netbox"]["mac"] == ["00:11:22:33:44:55"]
        assert controller["ringfence_netbox"]["mac"] == ["00:11:22:33:44:99"]


def test_a_switch_keeps_its_primary_address_on_the_interface_for_management_alone():
    known = dict(found(bmc(role="switch", primary_ip={"id": 2, "address": "10.200.0.11/24"}))[0].hosts)
    assert known["db-1"]["ringfence_addresses"] == ["10.200.0.11", "10.1.0.11"]
    assert "db-1-oob" not in known


def test_truth_values_and_numbers_are_labels_as_tables_write_them():
    fields = {key: f"custom_fields.{key}" for key in ("pci", "spare", "rate", "empty", "team")}
    known = dict(found(bmc(), Shape(labels=fields))[0].hosts)
    labels = {key: value for key, value in known["db-1"]["ringfence_labels"].items() if key in fields}
    assert labels == {"pci": "true", "spare": "false", "rate": "1.5", "team": "Team Nord"}


def test_a_device_of_a_groups_name_is_a_host_and_the_groups_stay_as_they_are(tmp_path):
    answers = {**netbox(), "/api/dcim/devices/": pages([device(1, "web"), device(2, "web-2")])}
    with replaying(answers) as replay:
        configured(tmp_path, "netbox", url=replay.url, token="t", keyed_groups=[{"key": "site", "prefix": "site"}])
        (tmp_path / "inventory/05-static.ini").write_text("[web]\nold-1\n")
        inventory, warnings = listed(tmp_path)
    assert inventory["_meta"]["hostvars"]["web_10-netbox"]["ringfence_name"] == "web"
    assert inventory["web"]["hosts"] == ["old-1"]
    assert sorted(inventory["site_fra"]["hosts"]) == ["web-2", "web_10-netbox"]
    assert (
        "10-netbox.yml: a group has the name, or it is a word of Ansible's: 'web' is 'web_10-netbox' here" in warnings
    )


def test_a_row_that_moves_to_another_page_while_pages_are_read_is_one_host():
    answers = netbox()
    rows = [device(1, "web-1"), device(1, "web-1"), device(2, "web-2")]
    known = dict(found({**answers, "/api/dcim/devices/": pages(rows)})[0].hosts)
    assert {"web-1", "web-2"} <= set(known)
    assert len(known) == 3


def test_interfaces_for_management_that_may_not_be_read_take_no_host_away():
    result, _ = found({**netbox(), "/api/dcim/interfaces/": (403, "{}")})
    assert "management-only interfaces were not read" in result.warnings[0]
    assert (len(result.hosts), result.unreached) == (4, {})


def test_vrfs_are_realms_where_wanted_and_a_host_in_several_is_told():
    result = found(netbox(), Shape(realm="vrf"))[0]
    known = dict(result.hosts)
    assert (known["web-1"]["ringfence_realm"], "ringfence_realm" in known["vm-1"]) == ("blue", False)
    assert result.warnings == ["'sw-1' has addresses in the VRFs global, blue: it is in none of them"]


def test_filters_are_the_servers_and_the_token_goes_along():
    _, replay = found(netbox(), device_filters={"site": ["fra", "ber"]})
    _, _, query, headers, _ = replay.asked[0]
    assert query[:2] == [("site", "fra"), ("site", "ber")]
    assert ("exclude", "config_context") in query
    assert headers["Authorization"] == "Token t0k3n"


def test_a_part_that_fails_is_named_and_the_rest_goes_on():
    answers = {**netbox(), "/api/virtualization/virtual-machines/": (403, '{"detail": "You do not have permission"}')}
    result, _ = found(answers)
    assert "virtual machines were not read: api/virtualization/virtual-machines/: 403 Forbidden" in result.warnings[0]
    assert len(result.hosts) == 3
    assert set(result.unreached) == {"netbox virtual machines"}


def test_without_addresses_nothing_is_what_it_was():
    result, _ = found({**netbox(), "/api/ipam/ip-addresses/": (500, "oops")})
    assert set(result.unreached) == {"netbox devices", "netbox virtual machines"}
    assert dict(result.hosts)["web-1"]["ringfence_addresses"] == ["10.0.0.5"]


def test_a_server_that_throttles_is_asked_again():
    waits = iter([(429, "slow down", {"Retry-After": 0}), (503, "busy", {"Retry-After": 0})])
    answers = netbox()
    whole = answers["/api/dcim/devices/"]
    result, _ = found({**answers, "/api/dcim/devices/": lambda query: next(waits, None) or whole(query)})
    assert (len(result.hosts), result.warnings) == (4, [])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, "<html>"), "not valid JSON"),
        ((200, "[]"), "not an object"),
        ({"detail": "x"}, "no results"),
        (lambda query: {"results": [], "next": "/?offset=5"}, "its pages repeat"),
        ((302, "", {"Location": "http://127.0.0.1:1/"}), "302 Found"),
        ((401, "expired"), "401 Unauthorized: expired"),
    ],
)
def test_an_answer_that_is_none_is_told(answer, said):
    result, _ = found({**netbox(), "/api/dcim/devices/": answer})
    assert said in result.warnings[0]


def test_a_token_goes_over_no_open_line():
    for url in ("http://netbox.example.com", "ftp://x", "https://user:pw@x"):
        with pytest.raises(SourceRefused):
            ask_netbox(Wanted(Endpoint(url, {"Authorization": "Token x"})))


def test_nautobot_tells_addresses_by_a_table_of_their_interfaces():
    result, replay = found(nautobot(), kind="nautobot")
    ((name, web),) = result.hosts
    assert (name, web["ringfence_addresses"]) == ("web-1", ["10.0.0.5"])
    assert web["ringfence_labels"] == {"netbox_role": "server", "netbox_status": "Active"}
    assert ("depth", "1") in replay.asked[0][2]
    assert "ringfence_realm" not in web


def test_nautobot_s_namespaces_are_realms_where_wanted():
    ((_, web),) = found(nautobot(), Shape(realm="vrf"), kind="nautobot", spaces=True)[0].hosts
    assert (web["ringfence_realm"], web["ringfence_netbox"]["vrfs"]) == ("blue", ["blue"])
    answers = {**nautobot(), "/api/ipam/namespaces/": (403, '{"detail": "You do not have permission"}')}
    result, _ = found(answers, Shape(realm="vrf"), kind="nautobot", spaces=True)
    assert set(result.unreached) == {"netbox devices", "netbox virtual machines"}


def test_the_inventory_has_groups_evaluates_nothing_and_keeps_no_secret(tmp_path):
    with replaying(netbox()) as replay:
        labels = {"env": "custom_fields.environment", "app": "tenant"}
        keyed = [{"key": "site", "prefix": "site"}]
        configured(tmp_path, "netbox", url=replay.url, labels=labels, keyed_groups=keyed)
        inventory, warnings = listed(tmp_path, NETBOX_TOKEN="t0k3n")
        replay.answers.clear()
        done = run_inventory(tmp_path, NETBOX_TOKEN="t0k3n")
    web = inventory["_meta"]["hostvars"]["web-1"]
    assert inventory["site_fra"]["hosts"] == ["device-3", "sw-1", "web-1"]
    assert (web["ringfence_labels"]["env"], web["ringfence_labels"]["app"]) == ("prod", "shop")
    assert "lookup" in web["ringfence_netbox"]["custom_fields"]["note"]
    assert not {"hunter2", "t0k3n"} & set(str(inventory).replace("'", " ").split())
    assert warnings == ""
    assert not list(tmp_path.rglob("pwned"))
    assert done.returncode != 0
    assert "netbox devices: api/dcim/devices/: 404" in " ".join(done.stderr.split())


def test_the_documented_examples_name_options_that_there_are():
    options, examples = documentation("netbox")
    assert len(examples) == 2
    assert all(set(example) <= {*options, "keyed_groups", "cache"} for example in examples)
