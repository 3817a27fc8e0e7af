"""The inventory plugin netbox against a real NetBox and a real Nautobot."""

from __future__ import annotations

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.json_over_http import Endpoint
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox.api import DEVICES, Wanted, ask_netbox
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox.transform import Shape, hosts

from tests.sources import databases, ipam_server
from tests.sources.inventory_run import configured, listed, run_inventory
from tests.sources.ipam_estate import MAC, SECOND_MAC, SECRET, fill_nautobot, fill_netbox

SEVERAL = {"page_size": 2}


@pytest.fixture(scope="module")
def servers():
    lacking = databases.missing()
    if lacking:
        pytest.skip(lacking)
    with databases.databases() as where:
        yield where


def _served(application, where, directory):
    lacking = ipam_server.missing(application)
    if lacking:
        pytest.skip(lacking)
    try:
        python = ipam_server.installed(application)
    except RuntimeError as error:
        pytest.skip(str(error))
    return ipam_server.served(application, python, where, directory)


@pytest.fixture(scope="module")
def netbox(servers, tmp_path_factory):
    with _served(ipam_server.NETBOX, servers, tmp_path_factory.mktemp("netbox")) as interface:
        yield interface, fill_netbox(interface)


@pytest.fixture(scope="module")
def nautobot(servers, tmp_path_factory):
    with _served(ipam_server.NAUTOBOT, servers, tmp_path_factory.mktemp("nautobot")) as interface:
        yield interface, fill_nautobot(interface)


def known(workspace, interface, token=ipam_server.TOKEN, **options):
    configured(workspace, "netbox", url=interface.url, **options)
    inventory, warnings = listed(workspace, NETBOX_TOKEN=token)
    return inventory["_meta"]["hostvars"], warnings, inventory


def described(web):
    """What both servers know of the server, but for what each spells its own way."""
    fact = web["ringfence_netbox"]
    return (
        web["ringfence_addresses"],
        web["ansible_host"],
        web["ringfence_realm"],
        fact["serial"],
        fact["tags"],
        fact["vrfs"],
        fact["names"],
        fact["custom_fields"],
    )


WEB = (
    ["2001:db8::5", "10.0.0.5"],
    *("2001:db8::5", "blue", "S1", ["pci"], ["blue"], ["web-1.example.com"], {"environment": "prod"}),
)


def test_netbox_gives_devices_and_machines_page_by_page(netbox, tmp_path):
    labels = {"env": "custom_fields.environment", "app": "tenant"}
    options = {
        "labels": labels,
        "realm": "vrf",
        "interfaces": True,
        "keyed_groups": [{"key": "site", "prefix": "site"}],
    }
    found, warnings, inventory = known(tmp_path, netbox[0], **options, **SEVERAL)
    assert set(found) - {"old-1"} == {"web-1", "sw-1", "vm-1", "device-3"}
    assert described(found["web-1"]) == WEB
    assert found["web-1"]["ringfence_netbox"]["mac"] == [MAC, SECOND_MAC]
    given = found["web-1"]["ringfence_labels"]
    assert (given["netbox_site"], given["netbox_role"], given["netbox_status"]) == ("fra", "server", "active")
    assert (given["env"], given["app"]) == ("prod", "shop")
    assert found["sw-1"]["ringfence_workload"] is False
    assert (found["device-3"]["ringfence_enforcer"], found["device-3"]["ansible_connection"]) == ("windows", "psrp")
    assert (found["vm-1"]["ringfence_addresses"], "ringfence_realm" in found["vm-1"]) == (["10.0.0.6"], False)
    assert found["vm-1"]["ringfence_labels"]["netbox_cluster"] == "pve"
    assert "web-1" in inventory["site_fra"]["hosts"]
    assert SECRET not in str(inventory)
    assert warnings == ""


def test_nautobot_gives_the_same_and_an_address_that_two_devices_share(nautobot, tmp_path):
    found, warnings, inventory = known(tmp_path, nautobot[0], kind="nautobot", realm="vrf", **SEVERAL)
    unnamed = {name for name in found if name.startswith("device-")}
    assert set(found) - unnamed - {"old-1"} == {"web-1", "sw-1", "vm-1", "lb-1", "lb-2"}
    assert described(found["web-1"]) == WEB
    assert found["web-1"]["ringfence_netbox"]["mac"] == [MAC]
    given = found["web-1"]["ringfence_labels"]
    assert (given["netbox_location"], given["netbox_role"], given["netbox_tenant"]) == ("fra", "server", "shop")
    assert found["sw-1"]["ringfence_workload"] is False
    assert [found[name]["ringfence_enforcer"] for name in unnamed] == ["windows"]
    assert (found["vm-1"]["ringfence_addresses"], "ringfence_realm" in found["vm-1"]) == (["10.0.0.6"], False)
    assert [found[name]["ringfence_addresses"] for name in ("lb-1", "lb-2")] == [["10.0.0.80"]] * 2
    assert SECRET not in str(inventory)
    assert warnings == ""


@pytest.mark.parametrize("server", ["netbox", "nautobot"])
def test_filters_are_the_servers(request, server):
    interface, _ = request.getfixturevalue(server)
    endpoint = Endpoint(interface.url, {"Authorization": f"Token {ipam_server.TOKEN}"})
    result = hosts(ask_netbox(Wanted(endpoint, server, {"name": ["web-1"]}, {"name": ["vm-1"]})), Shape())
    assert [name for name, _ in result.hosts] == ["vm-1", "web-1"]


def test_config_contexts_stay_on_the_server(netbox):
    endpoint = Endpoint(netbox[0].url, {"Authorization": f"Token {ipam_server.TOKEN}"})
    rows = ask_netbox(Wanted(endpoint)).rows[DEVICES]
    assert rows
    assert not any(row.get("config_context") for row in rows)


def test_netbox_takes_its_new_tokens(netbox, tmp_path):
    assert "web-1" in known(tmp_path, netbox[0], token=ipam_server.NETBOX_NEW_TOKEN)[0]


@pytest.mark.parametrize("server", ["netbox", "nautobot"])
def test_a_wrong_token_is_told_in_the_words_of_the_server(request, tmp_path, server):
    interface, _ = request.getfixturevalue(server)
    configured(tmp_path, "netbox", url=interface.url, kind=server)
    done = run_inventory(tmp_path, NETBOX_TOKEN="no" * 20)
    assert done.returncode != 0
    said = " ".join(done.stderr.split())
    assert "netbox devices: api/dcim/devices/: 403 Forbidden: Invalid" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("server", ["netbox", "nautobot"])
def test_a_device_that_was_deleted_is_gone_and_nothing_counts_as_unreached(request, tmp_path, server):
    interface, estate = request.getfixturevalue(server)
    interface.remove("dcim/devices", estate.retired)
    found, warnings, _ = known(tmp_path, interface, kind=server)
    assert "old-1" not in found
    assert not any("ringfence_unreached" in variables for variables in found.values())
    assert warnings == ""
