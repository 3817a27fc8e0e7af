"""Interfaces and addresses that every host has of its own: the plug-ins and the engine take the same for such."""

from __future__ import annotations

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import good_addresses
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inner_interfaces import (
    EVERYBODYS_ADDRESSES,
    INNER_INTERFACES,
    is_inner,
)


@pytest.mark.parametrize(
    "name",
    [
        *("lo", "docker0", "br-0123456789ab", "veth1a2b", "cali7d1f0aa31c2", "kube-ipvs0", "nodelocaldns", "cni0"),
        *(
            "flannel.1",
            "virbr0",
            "virbr0-nic",
            "lxc1a2b",
            "lxcbr0",
            "tap7",
            "tun0",
            "cilium_host",
            "ovs-system",
            "usb0",
        ),
    ],
)
def test_interfaces_inside_of_a_host_tell_nobody_where_it_is(name):
    assert is_inner(name)


@pytest.mark.parametrize("name", ["eth0", "ens192", "bond0", "br0", "br-lan", "vlan12", "wg0", "Ethernet 2", "enp3s0"])
def test_network_cards_bridges_of_people_and_bonds_tell_where_a_host_is(name):
    assert not is_inner(name)


def test_addresses_that_every_host_has_are_no_addresses_and_mapped_ones_are_those_they_stand_for():
    everybodys = [
        "127.0.0.1",
        "169.254.20.10",
        "::1",
        "fe80::1%eth0",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "ff02::1",
    ]
    assert good_addresses([*everybodys, "10.0.0.5/24", "::ffff:10.0.0.5", "2001:DB8::5", None, 7]) == [
        "10.0.0.5",
        "2001:db8::5",
    ]


def test_the_plug_ins_and_the_engine_have_the_same_lists():
    known = pytest.importorskip("ringfence.sources.known_to_all")
    assert set(INNER_INTERFACES) == set(known.INNER_INTERFACES)
    assert set(EVERYBODYS_ADDRESSES) == set(known.ADDRESSES)
