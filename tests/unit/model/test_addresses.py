"""Addresses of both families stand on one line and print as they are read."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from ringfence.model.addresses import (
    EVERY_ADDRESS,
    V6_BASE,
    address_text,
    addresses_of,
    family_of,
    network_of,
    network_texts,
    point_of,
    range_texts,
)
from ringfence.model.assets import Control
from ringfence.model.errors import InputError


@given(st.ip_addresses())
def test_an_address_prints_as_it_is_read(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assume(getattr(address, "ipv4_mapped", None) is None)
    assert ipaddress.ip_address(address_text(point_of(str(address)))) == address
    assert point_of(str(address)) in EVERY_ADDRESS
    assert family_of(point_of(str(address))) == getattr(address, "version", None)


def test_families_never_fuse() -> None:
    both = addresses_of(["255.255.255.255", "::"])
    assert range_texts(both) == ("255.255.255.255", "::")


@given(st.ip_addresses(), st.integers(0, 128))
def test_a_network_is_the_addresses_that_the_standard_library_says(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int
) -> None:
    assume(length <= address.max_prefixlen)
    network = ipaddress.ip_network(f"{address}/{length}", strict=False)
    assume(getattr(network.network_address, "ipv4_mapped", None) is None)
    base = V6_BASE if network.version == 6 else 0
    ends = (int(network.network_address) + base, int(network.broadcast_address) + base)
    assert list(network_of(f" {network} ")) == [ends]
    assert list(network_of("-".join(map(address_text, ends)))) == [ends]


def test_a_range_is_closed() -> None:
    assert range_texts(network_of("10.0.0.1-10.0.0.3")) == ("10.0.0.1-10.0.0.3",)


@pytest.mark.parametrize("text", ["10.0.0.300", "10.0.0.9-10.0.0.1", "10.0.0.1-::1", "web-1", "", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        network_of(text)


def test_host_bits_are_refused_with_the_network_that_was_meant() -> None:
    with pytest.raises(InputError, match=r"did you mean '10\.0\.0\.0/8'") as caught:
        network_of("10.1.2.3/8")
    assert "did you mean '10.0.0.0/8'" in str(caught.value)


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:{}", "::FFFF:{}", "0:0:0:0:0:ffff:{}"]))
def test_an_ipv4_address_mapped_into_ipv6_is_the_ipv4_address(address: ipaddress.IPv4Address, form: str) -> None:
    written = form.format(address)
    assert point_of(written) == point_of(str(address))
    assert network_of(written) == network_of(str(address))
    assert point_of(str(ipaddress.IPv6Address(written))) == point_of(str(address)), "in hexadecimal digits"


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_a_mapped_network_is_the_ipv4_network(address: ipaddress.IPv4Address, length: int) -> None:
    network = ipaddress.ip_network(f"{address}/{length}", strict=False)
    assert network_of(f"::ffff:{network.network_address}/{96 + length}") == network_of(str(network))


def test_ranges_of_mapped_addresses_are_ranges_of_ipv4() -> None:
    for written in ("::ffff:10.0.0.1-::ffff:10.0.0.9", "::ffff:a00:1-10.0.0.9"):
        assert network_of(written) == network_of("10.0.0.1-10.0.0.9")
    with pytest.raises(InputError, match="two families"):
        network_of("::ffff:10.0.0.1-2001:db8::1")


@pytest.mark.parametrize("text", ["::ffff:10.0.7.0/24", "::ffff:0:0/95", "::ffff:10.0.7.0/129", "::ffff:10.0.7.0/x"])
def test_a_prefix_that_cuts_more_than_the_ipv4_address_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(InputError, match="is the IPv4 address") as caught:
        network_of(text)
    assert "write the IPv4 network, like" in str(caught.value)


def test_the_ipv4_network_that_is_advised_for_a_wrong_prefix_is_one() -> None:
    with pytest.raises(InputError) as caught:
        network_of("::ffff:10.0.7.9/24")
    assert caught.value.remedy == "write the IPv4 network, like '10.0.7.0/24'"


def test_host_bits_of_a_mapped_network_are_told_in_ipv4() -> None:
    with pytest.raises(InputError, match=r"did you mean '10\.0\.7\.0/24'"):
        network_of("::ffff:10.0.7.7/120")


@pytest.mark.parametrize(
    "text", ["::10.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::", "::fffe:10.0.0.1", "::ffff:0:a00:1"]
)
def test_other_addresses_that_hold_an_ipv4_address_are_ipv6(text: str) -> None:
    """IPv4-compatible, NAT64, 6to4 and IPv4-translated addresses are what an IPv6 packet carries."""
    assert family_of(point_of(text)) == 6
    assert all(family_of(low) == 6 for low, _ in network_of(text))


def test_all_of_ipv6_is_no_ipv4() -> None:
    assert {family_of(low) for low, _ in network_of("::/0")} == {6}


@pytest.mark.parametrize("text", ["fe80::1%eth0", "fe80::/10%eth0", "fe80::1%eth0-fe80::9%eth0"])
def test_an_interface_is_no_part_of_a_network(text: str) -> None:
    with pytest.raises(InputError, match="names an interface") as caught:
        network_of(text)
    assert "write 'fe80::" in str(caught.value)


@given(st.ip_addresses(), st.ip_addresses())
def test_a_range_as_networks_holds_the_same_addresses(one: object, other: object) -> None:
    low, high = sorted((point_of(str(one)), point_of(str(other))))
    assume(family_of(low) == family_of(high))
    whole = network_of(f"{address_text(low)}-{address_text(high)}")
    texts = network_texts(whole)
    assert addresses_of(texts) == whole
    assert all(ipaddress.ip_network(text) for text in texts)


def test_a_control_path_has_one_form_however_it_is_written() -> None:
    written = ["10.9.0.7/32", "10.9.1.0/255.255.255.0", "2001:DB8::/32", "10.9.0.1-10.9.0.3", "::ffff:10.9.0.7"]
    assert Control.of(written).networks == ("10.9.0.7", "10.9.1.0/24", "2001:db8::/32", "10.9.0.1", "10.9.0.2/31")
