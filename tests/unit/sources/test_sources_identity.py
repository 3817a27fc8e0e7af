"""Identity: which assets of several sources are one, whose word counts, and what only looks like one machine."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.model.addresses import address_text
from ringfence.model.assets import Asset
from ringfence.model.identity import DEFAULT_KEYS, Identity, IdentityKey
from ringfence.model.rules import Settings
from ringfence.sources import survey
from ringfence.sources.identity import one_asset_each
from ringfence.sources.identity_keys import key_readers, keys_of
from ringfence.sources.merging import contradictions

from tests.unit.sources.asset_factory import NOW, asset, rule, unhurried, write

UUID = "420a1b2c-3d4e-5f60-8192-a3b4c5d6e7f8"
SWAPPED = "2c1b0a42-4e3d-605f-8192-a3b4c5d6e7f8"


def seen(source: str, name: str, *addresses: str, labels=None, realm="default", **attributes: object) -> Asset:
    everything = {"name": name, "groups": [source], **attributes}
    return replace(asset(name, *addresses, attributes=everything, labels=labels, realm=realm), sources=(source,))


def vm(name: str = "vm-web-1", *addresses: str, **facts: object) -> Asset:
    return seen("inventory/20-vsphere.yml", name, *addresses, ringfence_vsphere=facts)


def row(name: str = "web-1.shop.example", *addresses: str, **cells: object) -> Asset:
    return seen("inventory/30-onprem.yml", name, *addresses, onprem=cells)


def together(*assets: Asset, **identity: object) -> list[list[str]]:
    found, _ = one_asset_each(assets, Identity(**identity))
    return [sorted(one.attributes.get("identity", {}).get("hosts", {one.name: ()})) for one in found]


def apart(*assets: Asset, **identity: object) -> bool:
    return len(together(*assets, **identity)) == len(assets)


@pytest.mark.parametrize(
    ("machine", "other", "by"),
    [
        (vm(uuid=UUID), row(uuid=UUID.upper()), "uuid"),
        (vm(uuid=UUID), row(UUID=SWAPPED), "uuid"),
        (vm("v", "10.0.0.1", instance_uuid=UUID), seen("i", "a", "10.0.0.1", facts={"product_uuid": UUID}), "uuid"),
        (seen("aws", "i-0", instance_id="i-0123456789abcdef0"), row(instance_id="i-0123456789abcdef0"), "uuid"),
        (vm(nics=[{"mac": "00:50:56:aa:bb:cc"}]), row(MAC="0050.56AA.BBCC"), "mac"),
        (
            vm("a", nics=[{"mac": "00:50:56:aa:bb:cc"}]),
            seen("x", "a.x.y", facts={"macs": ["00:50:56:AA:BB:CC"]}),
            "mac",
        ),
        (vm(hostname="web-1.shop.example."), row("WEB-1.shop.example"), "fqdn"),
        (vm("web-1", "10.0.0.1", "10.0.0.9"), row("web-1.shop.example", "10.0.0.1"), "address"),
        (vm("vm-7", "10.0.0.1", "2001:db8::1"), row("crm", "10.0.0.1"), "address"),
    ],
)
def test_the_same_machine_seen_by_two_sources_is_one_asset(machine, other, by):
    (found,), problems = one_asset_each([other, machine], Identity())
    assert found.attributes["identity"]["by"][0].startswith(by)
    assert found.sources == tuple(sorted((*machine.sources, *other.sources)))
    assert {address_text(point) for point in found.addresses} == {
        address_text(point) for one in (machine, other) for point in one.addresses
    }
    assert problems == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (vm(uuid="00000000-0000-0000-0000-000000000000"), row(uuid="00000000-0000-0000-0000-000000000000")),
        (vm(uuid="Not Specified"), row(uuid="Not Specified")),
        (vm(mac="00:00:5e:00:01:0a"), row(mac="00:00:5e:00:01:0a")),
        (vm(mac="02:42:ac:11:00:02"), row(mac="02:42:ac:11:00:02")),
        (vm(hostname="localhost.localdomain"), row(hostname="localhost.localdomain")),
        (vm(hostname="web"), row(hostname="web")),
        (vm("web-1", "10.0.0.1", "10.0.0.100"), row("shop-vip", "10.0.0.100")),
        (seen("inventory", "a", facts={"product_uuid": UUID}), seen("inventory", "b", facts={"product_uuid": UUID})),
        (asset("a", attributes={"ringfence_uuid": UUID}), asset("b", attributes={"ringfence_uuid": UUID})),
        (replace(vm("a", uuid=UUID), realm="blue"), replace(row("b", uuid=UUID), realm="red")),
        (replace(vm("a", "10.0.0.1"), realm="blue"), row("b", "10.0.0.1")),
    ],
)
def test_what_many_machines_have_identifies_none(one, other):
    assert apart(one, other)


def test_a_machine_whose_sources_are_three_is_one_whatever_their_order():
    three = [vm(uuid=UUID, mac="00:50:56:aa:bb:cc"), row(mac="00:50:56:aa:bb:cc"), seen("x", "b", ringfence_uuid=UUID)]
    for some in permutations(three):
        assert together(*some) == [["b", "vm-web-1", "web-1.shop.example"]]
    assert len({repr(one_asset_each(some, Identity())) for some in permutations(three)}) == 1


def test_a_weaker_key_never_joins_what_a_stronger_one_tells_apart():
    one, other = vm("a", "10.0.0.1", uuid=UUID), row("b", "10.0.0.1", uuid=UUID.replace("420", "421"))
    found, (problem,) = one_asset_each([one, other], Identity())
    assert len(found) == 2
    assert str(problem).startswith("'a', 'b' (10.0.0.1): of several sources, with the same address, but with another u")
    assert "identity: {same:" in problem.remedy


def test_clones_that_share_a_uuid_in_one_source_are_told_where_another_source_has_it():
    found, (problem,) = one_asset_each([vm("a", uuid=UUID), vm("b", uuid=UUID), row("c", uuid=UUID)], Identity())
    assert len(found) == 3
    assert "one source has it twice" in problem.message


def test_what_a_person_says_comes_before_every_key():
    one, other = vm("a", uuid=UUID), row("b", uuid=UUID)
    assert apart(one, other, different=(("a", "b"),))
    assert together(vm("a"), row("b"), same=(("a", "b"),)) == [["a", "b"]]
    _, (problem,) = one_asset_each([vm("a"), row("b")], Identity(same=(("a", "x"),)))
    assert "identity.same names 'x', which no source has" in problem.message


def test_keys_can_be_left_out_replaced_and_added():
    no_address = tuple(key for key in DEFAULT_KEYS if key.name != "address")
    assert apart(vm("a", "10.0.0.1"), row("b", "10.0.0.1"), keys=no_address)
    serial = (IdentityKey("serial", ("onprem.Serial", "ringfence_vsphere.serial")),)
    assert together(vm("a", serial="XY 1"), row("b", Serial="xy 1"), keys=serial) == [["a", "b"]]


def test_every_merged_attribute_knows_its_source_and_contradictions_are_listed():
    one = seen("aws", "a", uuid=UUID, tags={"Env": "prod", "Owner": "ann"}, ringfence_uuid=UUID, ansible_host="a.x.y")
    other = seen("cmdb", "b", tags={"Env": "test"}, rack="R7", ringfence_uuid=UUID, ansible_host="b.x.y")
    (found,), (problem,) = one_asset_each([other, one], Identity())
    assert found.name == "a"
    assert found.attributes["tags"] == {"Env": "prod", "Owner": "ann"}
    assert found.attributes["ansible_host"] == "a.x.y"
    came = found.attributes["identity"]["from"]
    assert (came["rack"], came["tags.Env"], came["tags.Owner"]) == ("cmdb", "aws", "aws")
    assert contradictions(found) == [("tags.Env", [("aws", "prod"), ("cmdb", "test")])]
    assert "tags.Env of 'a': 'prod' from aws, 'test' from cmdb" in problem.message
    (turned,), _ = one_asset_each([other, one], Identity(prefer=("cmdb",)))
    assert (turned.name, turned.attributes["tags"]["Env"]) == ("b", "test")


def test_a_name_stays_when_one_more_source_knows_the_machine():
    old, new = row("web-1.shop.example", uuid=UUID), seen("inventory/10-aws.yml", "i-1", ringfence_uuid=UUID)
    (found,), _ = one_asset_each([old, new], Identity())
    assert found.name == "i-1"
    (found,), _ = one_asset_each([old, new], Identity(), {"web-1.shop.example"})
    assert found.name == "web-1.shop.example"


def test_labels_of_all_sources_come_together_and_the_preferred_source_wins():
    one = seen("aws", "a", labels={"role": "web"}, ringfence_uuid=UUID)
    other = seen("cmdb", "b", labels={"role": "api", "loc": "fra"}, ringfence_uuid=UUID)
    (found,), _ = one_asset_each([one, other], Identity())
    assert found.label_values() == {"role": "web", "loc": "fra"}
    (turned,), _ = one_asset_each([one, other], Identity(prefer=("cmdb",)))
    assert turned.label_values() == {"role": "api", "loc": "fra"}


def test_a_source_that_says_that_nothing_enforces_is_heard_before_one_that_says_nothing():
    quiet = seen("aws", "a", ringfence_uuid=UUID)
    database = replace(seen("cmdb", "b", ringfence_uuid=UUID, ringfence_workload=False), workload=False)
    (found,), _ = one_asset_each([quiet, database], Identity())
    assert not found.workload


def test_addresses_that_differ_are_a_contradiction_and_all_count():
    (found,), (problem,) = one_asset_each([vm("a", "10.0.0.1", uuid=UUID), row("b", "10.0.0.2", uuid=UUID)], Identity())
    assert [address_text(point) for point in found.addresses] == ["10.0.0.1", "10.0.0.2"]
    assert "addresses of 'a'" in problem.message


NAMES = st.sampled_from(["a", "b.x.y", "c", "d.x.y"])
SEEN = st.builds(
    lambda source, name, uuid, mac, addresses: seen(
        source, f"{name}-{source}", *addresses, ringfence_uuid=uuid, ringfence_mac=mac
    ),
    st.sampled_from(["s", "t", "u"]),
    NAMES,
    st.sampled_from([None, UUID, UUID.replace("420", "421")]),
    st.sampled_from([None, "00:50:56:00:00:01", "00:50:56:00:00:02"]),
    st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2", "2001:db8::1"]), max_size=2, unique=True),
)


@unhurried
@given(st.lists(SEEN, unique_by=lambda one: one.name, max_size=6))
def test_merging_loses_no_asset_no_address_and_joins_no_two_of_one_source(assets):
    found, _ = one_asset_each(assets, Identity())
    made_of = [one.attributes.get("identity", {}).get("hosts", {one.name: list(one.sources)}) for one in found]
    assert sorted(name for hosts in made_of for name in hosts) == sorted(one.name for one in assets)
    for one, hosts in zip(found, made_of, strict=True):
        members = [each for each in assets if each.name in hosts]
        assert set(one.addresses) == {point for each in members for point in each.addresses}
        assert len({each.sources for each in members}) == len(members)
        keys = [keys_of(each, key_readers(DEFAULT_KEYS)).get("uuid", frozenset()) for each in members]
        assert len(frozenset().union(*keys)) <= 1
    assert one_asset_each(assets[::-1], Identity())[0] == found


INVENTORY = """
all:
  hosts:
    vm-web-1:
      ringfence_sources: [vcenter]
      ringfence_vsphere: {uuid: 420a1b2c-3d4e-5f60-8192-a3b4c5d6e7f8}
      ringfence_addresses: [10.0.0.1]
    web-1.shop.example:
      ringfence_sources: [cmdb.csv]
      onprem: {uuid: 420A1B2C-3D4E-5F60-8192-A3B4C5D6E7F8, Stage: prod}
"""


def test_label_rules_see_what_every_source_said(tmp_path):
    inventory = write(tmp_path / "hosts.yml", INVENTORY)
    found = survey([inventory], [rule(2, "env", "onprem.Stage")], Settings(), now=NOW, directory=tmp_path)
    (web,) = found.snapshot.assets
    assert (web.name, web.label_values()) == ("web-1.shop.example", {"env": "prod"})
    assert web.sources == ("cmdb.csv", "vcenter")


def said_of(*assets: Asset, **identity: object) -> list[str]:
    return [problem.message for problem in one_asset_each(assets, Identity(**identity))[1]]


def test_an_address_that_joins_two_other_names_by_itself_is_told_for_the_old_record_may_be_of_a_machine_that_is_gone():
    gone, new = row("old-db", "10.1.0.11"), seen("inventory", "web-9", "10.1.0.11")
    assert said_of(gone, new) == [
        "taken for one machine by address alone, with other names: "
        "'old-db' (inventory/30-onprem.yml) and 'web-9' (inventory), address 10.1.0.11"
    ]
    assert said_of(gone, new, same=(("old-db", "web-9"),)) == []
    assert said_of(gone, new, different=(("old-db", "web-9"),)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (row("web-9", "10.1.0.11"), seen("inventory", "web-9.shop.example", "10.1.0.11")),
        (row("old-db", "10.1.0.11"), seen("aws", "i-0123456789abcdef0", "10.1.0.11")),
        (row("old-db", "10.1.0.11"), seen("aws", "ip-10-1-0-11.ec2.internal", "10.1.0.11")),
        (row("old-db", "10.1.0.11"), seen("inventory", "10.1.0.11", "10.1.0.11")),
        (row("old-db", "10.1.0.11", uuid=UUID), vm("web-9", "10.1.0.11", uuid=UUID)),
    ],
)
def test_a_name_that_nobody_chose_and_a_stronger_key_leave_no_doubt(one: Asset, other: Asset):
    assert not apart(one, other)
    assert said_of(one, other) == []
