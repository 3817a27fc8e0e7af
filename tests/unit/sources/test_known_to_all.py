"""What everybody has identifies nobody, however it is written: MACs, UUIDs, serials, names, addresses, interfaces."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.model.addresses import addresses_of
from ringfence.sources import known_to_all
from ringfence.sources.identifying import identifying_point, is_everybodys_name, is_inner_interface, normal

from tests.unit.sources.asset_factory import unhurried


@pytest.mark.parametrize(
    "mac",
    [
        "ee:ee:ee:ee:ee:ee",  # Calico
        "EE-EE-EE-EE-EE-EE",
        "eeee.eeee.eeee",
        "02:00:4c:4f:4f:50",  # Microsoft loopback adapter
        "fe:ff:ff:ff:ff:ff",  # Xen
        "52:54:00:12:34:56",  # QEMU
        "00:05:9a:3c:7a:00",  # Cisco AnyConnect
        "20:41:53:59:4e:ff",  # RAS asynchronous adapter
        "02:00:00:00:00:00",  # placeholder
        "0a:58:0a:f4:00:01",  # OVN-Kubernetes
        "02:42:ac:11:00:02",  # Docker
        "00:00:5e:00:01:0a",  # VRRP
        "00:00:5e:00:02:0a",
        "00:00:0c:07:ac:01",  # HSRP
        "00:00:0c:9f:f0:01",
        "00:07:b4:00:01:01",  # GLBP
        "02:bf:0a:01:00:05",  # network load balancing
        "03:bf:0a:01:00:05",
        "01:00:5e:7f:00:05",
        "0a:00:27:00:00:00",  # VirtualBox, host's end
        "00:50:56:c0:00:08",  # VMware Workstation, host's end
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "11:11:11:11:11:11",
        "00:11:22:33:44:55",
        "be:3a:f2:b6:05:9f",  # LAN over USB
    ],
)
def test_a_mac_that_many_machines_have_identifies_none(mac):
    assert normal("mac", mac) is None
    assert normal("mac", f" {mac.upper()} ") is None


@pytest.mark.parametrize("mac", ["00:50:56:aa:bb:cc", "52:54:00:ab:cd:ef", "3c:ec:ef:10:00:01", "02:fc:00:00:00:01"])
def test_a_mac_of_one_machine_is_alike_however_it_is_written(mac):
    digits = mac.replace(":", "")
    written = (mac, mac.upper(), mac.replace(":", "-"), f"{digits[:4]}.{digits[4:8]}.{digits[8:]}", digits)
    assert {normal("mac", one) for one in written} == {digits}


@pytest.mark.parametrize(
    "uuid",
    [
        "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "03000200-0400-0500-0006-000700080009",
        "00020003-0004-0005-0006-000700080009",
        "FEFEFEFE-FEFE-FEFE-FEFE-FEFEFEFEFEFE",
        "11111111-1111-1111-1111-111111111111",
        "11111111-2222-3333-4444-555555555555",
        "12345678-1234-5678-90AB-CDDEEFAABBCC",
        "12345678-1234-1234-1234-123456789abc",
        "78563412-3412-7856-90ab-cddeefaabbcc",
        "4C4C4544-0000-2010-8020-80C04F202020",
        "44454C4C-0000-1020-8020-80C04F202020",
        "6AB5B300-538D-1014-9FB5-B0684D007B53",
        "01234567-89AB-CDEF-0123-456789ABCDEF",
        "00010203-0405-0607-0809-0A0B0C0D0E0F",
        "Not Settable",
        "Not Present",
        "To Be Filled By O.E.M.",
        "0",
    ],
)
def test_a_uuid_that_firmware_gives_to_many_identifies_none_in_either_byte_order(uuid):
    bare = re.sub(r"[^0-9a-f]", "", uuid.lower())
    for text in (uuid, uuid.lower(), f"{{{uuid}}}", bare, f"urn:uuid:{uuid}"):
        assert normal("uuid", text) is None
    if len(bare) == 32:
        parts = (bare[:8], bare[8:12], bare[12:16])
        turned = "".join(bytes.fromhex(part)[::-1].hex() for part in parts) + bare[16:]
        assert normal("uuid", turned) is None


def test_a_uuid_with_a_service_tag_is_a_machines():
    assert normal("uuid", "4C4C4544-0042-3510-8052-B3C04F4B4E32") == normal("uuid", "44454c4c420010358052b3c04f4b4e32")
    vmware = "VMware-42 0a 1b 2c 3d 4e 5f 60-81 92 a3 b4 c5 d6 e7 f8"
    assert normal("uuid", vmware) == normal("uuid", "420a1b2c-3d4e-5f60-8192-a3b4c5d6e7f8") is not None


@unhurried
@given(st.uuids(version=4))
def test_a_random_uuid_is_a_machines_and_alike_in_both_byte_orders(uuid):
    turned = uuid.bytes_le.hex()
    assert normal("uuid", str(uuid)) == normal("uuid", turned) is not None


@pytest.mark.parametrize(
    "serial",
    [
        *(
            "To be filled by O.E.M.",
            "TO BE FILLED BY O.E.M",
            "System Serial Number",
            "Default string",
            "Default_string",
        ),
        *(
            "None",
            "N/A",
            "n/a",
            "0",
            "00000000",
            "123456789",
            "0123456789",
            "xxxxxxxxxxx",
            "(null string)",
            "Not Specified",
        ),
        *(
            "not  specified",
            " System  Serial Number ",
            "INVALID",
            "MB-1234567890",
            "SYS-1234567890",
            "-",
            "",
            "1111111",
        ),
        *("Chassis Serial Number", "Unknown", "Not Applicable", "OEM_Serial", "..........", "Asset Tag", "<none>"),
    ],
)
def test_a_placeholder_is_no_serial(serial):
    assert normal("serial", serial) is None


def test_a_serial_is_alike_in_any_case_and_with_any_blanks_around():
    assert normal("serial", " pf1x2Y3 ") == normal("serial", "PF1X2y3") == "pf1x2y3"
    assert normal("serial", "004711") == "004711"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "localhost.localdomain",
            "localhost6.localdomain6",
            "LOCALHOST.corp.example",
            "db-1.local",
            "db-1.localdomain",
        ),
        *("raspberrypi.corp.example", "ubuntu.shop.example", "debian.lan", "web.shop.svc.cluster.local", "10.0.0.1"),
        *("5.0.1.10.in-addr.arpa", "vm-template.corp.example", "localhost"),
    ],
)
def test_a_name_that_images_give_to_all_is_no_identity(name):
    assert normal("fqdn", name) is None


@pytest.mark.parametrize(
    "name", ["web-1.shop.example", "db-1.corp.local", "gateway.corp.example", "ubuntu-7.shop.example"]
)
def test_a_name_of_a_machine_is_its_identity_without_case_and_final_dot(name):
    assert normal("fqdn", f"{name.upper()}.") == name
    assert not is_everybodys_name(name)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.9.1", "::1", "169.254.20.10", "169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.5", "ff02::1"],
)
def test_an_address_that_every_host_has_tells_nobody_apart(address):
    assert identifying_point(address) is None


@pytest.mark.parametrize("address", ["10.1.0.5", "192.168.1.1", "100.64.0.9", "2001:db8::1", "fd00::1", "8.8.8.8"])
def test_other_addresses_do(address):
    assert identifying_point(address) is not None


@pytest.mark.parametrize(
    "name",
    [
        *("docker0", "br-0123456789ab", "cali7d1f0aa31c2", "veth12ab", "vif1.0", "kube-ipvs0", "nodelocaldns", "cni0"),
        *(
            "flannel.1",
            "virbr0",
            "virbr0-nic",
            "lxcbr0",
            "lxc1234abcd",
            "ovs-system",
            "tun0",
            "tap7",
            "tunl0",
            "cilium_host",
        ),
        *("vxlan.calico", "podman1", "lo", "vEthernet (WSL)", "ovn-k8s-mp0", "weave", "vmnet8", "idrac", "usb0"),
    ],
)
def test_an_interface_that_is_the_hosts_own_affair_gives_neither_addresses_nor_macs(name):
    assert is_inner_interface(name)
    assert is_inner_interface(re.sub(r"[^A-Za-z0-9]", "_", name)), "as facts write it"


@pytest.mark.parametrize(
    "name",
    ["eth0", "ens192", "enp3s0f0", "bond0", "bond0.100", "br0", "br-ex", "vmbr0", "wlan0", "Ethernet 2", "team0"],
)
def test_an_interface_to_others_counts(name):
    assert not is_inner_interface(name)
    assert not is_inner_interface(re.sub(r"[^A-Za-z0-9]", "_", name))


def test_every_entry_is_in_the_form_that_is_looked_up_and_says_where_it_is_from():
    assert all(re.fullmatch(r"[0-9a-f]{4,12}", mac) and why for mac, why in known_to_all.MACS.items())
    assert all(re.fullmatch(r"[0-9a-f]{8,32}", uuid) and why for uuid, why in known_to_all.UUIDS.items())
    assert all(text == " ".join(text.lower().split()) for text in known_to_all.TEXTS)
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in known_to_all.HOST_NAMES)
    assert addresses_of(tuple({**known_to_all.ADDRESSES, **known_to_all.BRIDGE_ADDRESSES}))
    assert all(re.compile(pattern) and why for pattern, why in known_to_all.INNER_INTERFACES.items())
