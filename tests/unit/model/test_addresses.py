"""Addresses of both families stand on one line and print as they are read."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.model.addresses import (
    EVERY_ADDRESS,
    address_text,
    addresses_of,
    family_of,
    network_of,
    point_of,
    range_texts,
)
from ringfence.model.errors import InputError


@given(st.ip_addresses())
def test_an_address_prints_as_it_is_read(address: object) -> None:
    assert ipaddress.ip_address(address_text(point_of(str(address)))) == address
    assert point_of(str(address)) in EVERY_ADDRESS
    assert family_of(point_of(str(address))) == getattr(address, "version", None)


def test_families_never_fuse() -> None:
    both = addresses_of(["255.255.255.255", "::"])
    assert range_texts(both) == ("255.255.255.255", "::")


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
