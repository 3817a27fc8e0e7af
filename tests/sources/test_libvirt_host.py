"""The inventory plugin libvirt on a real host: guests with and without an agent, and a container."""

from __future__ import annotations

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.libvirt.api import LIBVIRT_MISSING

from tests.sources.inventory_run import configured, listed
from tests.sources.libvirt_host import NETWORK, host, missing

if LIBVIRT_MISSING is not None:
    pytest.skip("libvirt-python is not installed", allow_module_level=True)

import libvirt

from tests.sources import libvirt_guests

WITH_AGENT, WITHOUT = "52:54:00:00:77:01", "52:54:00:00:77:02"
# libvirt 9.0 does not understand how newer kernels, such as 6.18, end the table.
ARP_FAILS = "arp addresses cannot be read here: internal error: wrong nlmsg len"
CONTAINER = "52:54:00:00:77:0c"


@pytest.fixture(scope="module")
def socket(tmp_path_factory):
    lacking = missing()
    if lacking:
        pytest.skip(lacking)
    with host(tmp_path_factory.mktemp("libvirt")) as listening:
        connection = libvirt.open(f"qemu:///system?socket={listening}")
        try:
            connection.networkCreateXML(NETWORK)
            yield listening
        finally:
            connection.close()


@pytest.fixture(scope="module")
def guest_host(socket, tmp_path_factory):
    directory = tmp_path_factory.mktemp("guests")
    lacking = libvirt_guests.missing() or libvirt_guests.fetch_kernel(directory)
    if lacking:
        pytest.skip(lacking)
    uri = f"qemu:///system?socket={socket}"
    connection = libvirt.open(uri)
    try:
        libvirt_guests.guests(
            connection, directory, ("guest-1", "Shop web server", True), ("guest-2", "Without an agent", False)
        )
        yield uri
    finally:
        connection.close()


@pytest.fixture(scope="module")
def container_host(socket, tmp_path_factory):
    if not libvirt_guests.CONTAINERS.exists():
        pytest.skip("needs libvirt's driver of containers: apt-get install libvirt-daemon-driver-lxc")
    uri = f"lxc:///system?socket={socket}"
    connection = libvirt.open(uri)
    try:
        libvirt_guests.container(connection, tmp_path_factory.mktemp("containers"), "box-1", CONTAINER)
        yield uri
    finally:
        connection.close()


def known(workspace, uri, **options):
    configured(workspace, "libvirt", uris=[uri], **options)
    found, warnings = listed(workspace)
    return found["_meta"]["hostvars"], warnings


def test_an_agent_tells_all_addresses_of_its_card_and_what_system_it_runs(guest_host, tmp_path):
    variables, warnings = known(tmp_path, guest_host)
    web = variables["guest-1"]
    leased, *own = web["ringfence_addresses"]
    assert leased.startswith("192.168.77.")
    assert own == list(libvirt_guests.OWN_ADDRESSES)
    assert web["ansible_host"] == leased
    labels = web["ringfence_labels"]
    assert (labels["libvirt_type"], labels["libvirt_network"]) == ("qemu", "inside")
    fact = web["ringfence_libvirt"]
    assert (fact["state"], fact["title"]) == ("running", "Shop web server")
    assert (fact["hostname"], fact["system"]) == ("web-inside", "Shop Linux 1")
    (card,) = fact["interfaces"]
    assert (card["mac"], card["network"], card["addresses"][:3]) == (WITH_AGENT, "inside", [leased, *own])
    assert warnings == "" or ARP_FAILS in warnings


def test_a_guest_without_an_agent_stays_known_by_its_lease(guest_host, tmp_path):
    plain = known(tmp_path, guest_host)[0]["guest-2"]
    (address,) = plain["ringfence_addresses"]
    assert address.startswith("192.168.77.")
    assert "hostname" not in plain["ringfence_libvirt"]
    assert plain["ringfence_libvirt"]["interfaces"][0]["mac"] == WITHOUT


def test_the_lease_alone_is_the_address_that_the_network_gave(guest_host, tmp_path):
    variables, warnings = known(tmp_path, guest_host, sources=["lease"])
    for name in ("guest-1", "guest-2"):
        (address,) = variables[name]["ringfence_addresses"]
        assert address.startswith("192.168.77.")
        assert address not in libvirt_guests.OWN_ADDRESSES
    assert warnings == ""


def test_the_arp_table_knows_the_guests_or_the_host_is_named_that_fails_at_it(guest_host, tmp_path):
    variables, warnings = known(tmp_path, guest_host, sources=["arp"])
    if ARP_FAILS in warnings:
        assert f"qemu:///system: {ARP_FAILS}" in warnings
        assert variables["guest-1"]["ringfence_addresses"] == []
        return
    assert variables["guest-2"]["ringfence_addresses"][0].startswith("192.168.77.")


def test_a_login_that_may_only_read_still_finds_the_lease(guest_host, tmp_path):
    uri = guest_host.replace("libvirt-sock", "libvirt-sock-ro")
    variables, warnings = known(tmp_path, uri)
    assert len(variables["guest-1"]["ringfence_addresses"]) == 1
    assert "agent addresses cannot be read here: operation forbidden: read only access" in warnings


def test_a_container_is_found_by_its_lease(container_host, tmp_path):
    box = known(tmp_path, container_host, connection="libvirt_lxc")[0]["box-1"]
    (address,) = box["ringfence_addresses"]
    assert address.startswith("192.168.77.")
    assert box["ringfence_labels"]["libvirt_type"] == "lxc"
    assert box["ringfence_libvirt"]["interfaces"][0]["mac"] == CONTAINER
    assert box["ansible_connection"] == "community.libvirt.libvirt_lxc"
