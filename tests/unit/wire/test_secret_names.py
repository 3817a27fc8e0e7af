"""Which names are taken for a secret's, and which only look a little like one."""

from __future__ import annotations

import pytest
from ringfence.wire.secret_names import names_secret


@pytest.mark.parametrize(
    "name",
    [
        "snmp_community",
        "snmpCommunity",
        "SNMP_RO_COMMUNITY",
        "community_string",
        "snmp_priv_key",
        "wifi_psk",
        "pre_shared_key",
        "passcode",
        "encryption_key",
        "service_jwt",
    ],
)
def test_what_opens_a_door_is_a_secret_whatever_it_is_called(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize("name", ["bgp_communities", "community_edition", "snmp_version", "public_key", "monkey"])
def test_what_only_sounds_like_one_is_none(name: str) -> None:
    assert not names_secret(name)
