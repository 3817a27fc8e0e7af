"""A text that was meant as an address is told as one, with how it is written."""

from __future__ import annotations

import pytest
from ringfence.model.address_faults import looks_like_address, way_out
from ringfence.model.addresses import network_of
from ringfence.model.errors import InputError

WRONG = {
    "10.203.0.999": "each of the four numbers of an IPv4 address is from 0 to 255",
    "10.203.0.1-10.203.0.300": "each of the four numbers of an IPv4 address is from 0 to 255",
    "010.203.0.11": "write it without leading zeros: 10.203.0.11",
    "10.203.0": "an IPv4 address has four numbers: 10.0.0.7, or 10.0.0.0/24 for a network",
    "1.2.3.4.5": "an IPv4 address has four numbers: 10.0.0.7, or 10.0.0.0/24 for a network",
    "10.203.0.11:443": "write '10.203.0.11' alone; a port is part of a service, like tcp/443",
    "[fd00::1]:80": "write 'fd00::1' alone; a port is part of a service, like tcp/443",
    "https://web-1/login": "write 'web-1' alone; a port is part of a service, like tcp/443",
    "10.203.*.*": "write the network: 10.203.0.0/16",
    "10.0.0.0/33": "the prefix of an IPv4 network is a number from 0 to 32",
    "fd00::/129": "the prefix of an IPv6 network is a number from 0 to 128",
    "fe80::zz": "write it like 10.0.0.7, 10.0.0.0/8, 2001:db8::/32 or 10.0.0.1-10.0.0.9",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_was_meant_as_an_address_has_a_way_out(text: str) -> None:
    assert looks_like_address(text)
    assert way_out(text) == WRONG[text]
    with pytest.raises(InputError, match="is not a valid address, network or range") as caught:
        network_of(text)
    assert caught.value.remedy == WRONG[text]


@pytest.mark.parametrize(
    "text", ["web-1", "10-0-0-5", "db.1.2.3", "10.0.0.1.example.com", "1.1.1.1.nip.io", "cafe", "7", "v1.2.3", ""]
)
def test_a_name_is_no_address(text: str) -> None:
    assert not looks_like_address(text)
