"""What a lab is asked to be: addresses, names, units, and the estate of the demo."""

from __future__ import annotations

import ipaddress
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.lab.estate import WRONG, shop
from ringfence.lab.probe import LabAbilities, Lack
from ringfence.lab.spec import (
    CONTROLLER_4,
    NETWORK_4,
    NETWORK_6,
    HostSpec,
    Talk,
    UnitSpec,
    addressed,
    from_data,
    to_data,
)
from ringfence.lab.units import systemd_unit, users_of
from ringfence.model.errors import InputError, OutsideError


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_every_host_gets_an_address_of_each_family_that_no_other_has(given_ones: list[bool]) -> None:
    hosts = [
        HostSpec(f"h{number}", addresses=(str(NETWORK_4[11 + 2 * number]),) if chosen else ())
        for number, chosen in enumerate(given_ones)
    ]
    done = addressed(hosts)
    addresses = [ipaddress.ip_address(text) for host in done for text in host.addresses]
    assert len(set(addresses)) == len(addresses)
    assert all(address in NETWORK_4 or address in NETWORK_6 for address in addresses)
    for asked, host in zip(hosts, done, strict=True):
        assert host.addresses == asked.addresses or {ipaddress.ip_address(a).version for a in host.addresses} == {4, 6}


def test_addresses_outside_the_labs_networks_are_taken_as_they_are() -> None:
    assert addressed([HostSpec("a", addresses=("198.51.100.7", "2001:db8::7"))])[0].addresses[0] == "198.51.100.7"


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ([], "at least one host"),
        ([HostSpec("a"), HostSpec("a")], "same name"),
        ([HostSpec("a", addresses=("10.203.0.9",)), HostSpec("b", addresses=("10.203.0.9",))], "same address"),
        ([HostSpec("a", addresses=(str(CONTROLLER_4),))], "controller"),
        ([HostSpec("Up_Case")], "not a valid name for a lab host"),
        ([HostSpec("a", release="sid")], "no Debian release 'sid'"),
        ([HostSpec("a", addresses=("10.0.0.300",))], "10.0.0.300"),
        ([HostSpec("a", units=(UnitSpec("web.service", ("http",)),))], "'http' is not a valid port"),
        ([HostSpec("a", units=(UnitSpec("web", ("tcp/80",)),))], "no unit 'web'"),
        ([HostSpec("a", units=(UnitSpec("web.service", talks=(Talk("b", "tcp/80"),)),))], "no host 'b'"),
    ],
)
def test_hosts_that_cannot_be_are_refused_by_name(hosts: list[HostSpec], words: str) -> None:
    with pytest.raises(InputError, match=words):
        addressed(hosts)


def test_a_spec_survives_its_way_through_json() -> None:
    for host in addressed(shop(mixed=True)):
        assert from_data(json.loads(json.dumps(to_data(host)))) == host


def test_the_shop_is_a_dozen_labelled_hosts_that_talk_to_ports_somebody_answers_on() -> None:
    hosts = {host.name: host for host in shop()}
    assert len(hosts) == 12
    assert {host.labels["env"] for host in hosts.values()} == {"prod", "dev"}
    roles = {"web", "api", "worker", "db", "cache", "monitoring", "bastion", "payment"}
    assert {host.labels["role"] for host in hosts.values()} == roles
    for host in hosts.values():
        for talk in (talk for unit in host.units for talk in unit.talks):
            answered = {port for unit in hosts[talk.host].units for port in unit.listens} | {"tcp/22"}
            assert talk.port in answered


def test_what_is_wrong_in_the_shop_really_happens() -> None:
    talks = {(host.name, talk.host, talk.port) for host in shop() for unit in host.units for talk in unit.talks}
    assert {(wrong.source, wrong.target, wrong.port) for wrong in WRONG} <= talks


def test_a_user_has_the_same_id_on_every_host() -> None:
    assert users_of(shop()) == users_of(list(reversed(shop())))


def test_a_unit_file_keeps_what_systemd_would_expand() -> None:
    text = systemd_unit(UnitSpec("odd%name$x.service"), "/usr/bin/python3", {})
    assert "odd%%name$$x.service" in text


def test_the_fullest_kind_is_chosen_and_everything_missing_is_named_at_once() -> None:
    lack, other = Lack("no overlay mounts", "leave the container"), Lack("no user namespaces", "sysctl …")
    assert LabAbilities((), (), ()).choose() == "machines"
    assert LabAbilities((lack,), (), ()).choose() == "namespaces"
    with pytest.raises(OutsideError, match=r"no overlay mounts.*no user namespaces.*leave the container"):
        LabAbilities((lack,), (other,), ()).choose()
