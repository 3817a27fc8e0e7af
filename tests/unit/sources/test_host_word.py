"""What a host says of itself: it becomes no other machine by it, and takes nobody's place."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ringfence.model.addresses import address_text
from ringfence.model.assets import Asset
from ringfence.model.identity import DEFAULT_KEYS, Identity, IdentityKey
from ringfence.model.rules import Settings
from ringfence.sources.claims import Claim, adopted, judged
from ringfence.sources.identity import one_asset_each

from tests.unit.sources.asset_factory import asset
from tests.unit.sources.told_factory import host, of, row, vm

UUID = "420a1b2c-3d4e-5f60-8192-a3b4c5d6e7f8"
OTHER = "430a1b2c-3d4e-5f60-8192-a3b4c5d6e7f8"
PCI = {"pci": "true"}


def made_of(*assets: Asset, **identity: object) -> tuple[list[list[str]], str]:
    """Return the names that each asset is made of, and all problems as one text."""
    found, problems = one_asset_each(assets, Identity(**identity))
    names = [sorted(one.attributes.get("identity", {}).get("hosts", {one.name: ()})) for one in found]
    return sorted(names), "\n".join(map(str, problems))


def test_a_host_is_one_with_the_machine_that_has_its_uuid_and_the_address_it_is_reached_by():
    names, said = made_of(host("db-1", "10.1.0.5", says={"product_uuid": UUID}), vm("vm-7", "10.1.0.5", uuid=UUID))
    assert names == [["db-1", "vm-7"]]
    assert "says that it has" not in said


@pytest.mark.parametrize(
    "says",
    [
        {"product_uuid": UUID},
        {"product_uuid": UUID.upper()},
        {"product_uuid": "2c1b0a42-4e3d-605f-8192-a3b4c5d6e7f8"},
        {"macs": ["00:50:56:aa:bb:cc"]},
        {"fqdn": "pay.corp.example"},
        {"board_asset_tag": UUID},
    ],
)
def test_a_host_that_says_it_is_another_machine_stays_itself_and_is_told(says):
    pay = vm("vm-pay", "10.1.0.7", uuid=UUID, mac="00:50:56:aa:bb:cc", hostname="pay.corp.example", labels=PCI)
    found, problems = one_asset_each([host("web-9", "10.1.0.9", says=says), pay], Identity())
    web = next(one for one in found if one.name == "web-9")
    assert len(found) == 2
    assert web.label_values() == {}
    assert [address_text(point) for point in web.addresses] == ["10.1.0.9"]
    (problem,) = problems
    assert problem.message.startswith("'web-9' says that it has the ")
    assert "of 'vm-pay'" in problem.message
    assert "identity: {same:" in str(problem.remedy)


def test_a_machine_without_addresses_is_nobodys_for_the_taking():
    names, said = made_of(host("web-9", "10.1.0.9", says={"product_uuid": UUID}), vm("vm-pay", uuid=UUID))
    assert names == [["vm-pay"], ["web-9"]]
    assert "'web-9' says that it has the uuid of 'vm-pay'" in said
    names, _ = made_of(host("db-1", "10.1.0.9", says={"product_uuid": UUID}), vm("db-1.corp.example", uuid=UUID))
    assert names == [["db-1", "db-1.corp.example"]], "the inventory's own name for both agrees"


def test_a_liar_does_not_keep_two_records_of_one_machine_apart():
    row = replace(asset("pay", "10.1.0.7", attributes={"onprem": {"uuid": UUID}}), sources=("inventory/30.yml",))
    liar = host("web-9", "10.1.0.9", says={"product_uuid": UUID})
    honest = host("pay-1", "10.1.0.7", says={"product_uuid": UUID})
    names, said = made_of(liar, honest, row, vm("vm-pay", "10.1.0.7", uuid=UUID))
    assert names == [["pay", "pay-1", "vm-pay"], ["web-9"]]
    assert "'web-9' says that it has the uuid" in said


def test_an_address_that_engines_give_to_a_bridge_joins_nobody_beside_other_addresses():
    one, two = vm("a", "172.17.0.1", "10.1.0.1"), row("a.corp.example", "172.17.0.1", "10.1.0.2")
    assert made_of(one, two)[0] == [["a"], ["a.corp.example"]]
    assert made_of(vm("b", "10.0.3.1"), row("crm", "10.0.3.1"))[0] == [["b", "crm"]]


def test_two_hosts_that_say_one_uuid_are_two_unless_they_are_reached_alike():
    one = host("a", "10.1.0.1", says={"product_uuid": UUID})
    two = replace(host("b", "10.1.0.2", says={"product_uuid": UUID}), sources=("inventory/11-static.ini",))
    names, said = made_of(one, two)
    assert names == [["a"], ["b"]]
    assert "says that it has the uuid of" in said
    names, _ = made_of(one, replace(two, addresses=one.addresses))
    assert names == [["a", "b"]]


def test_what_a_merged_host_says_further_takes_nobody_else():
    """A host that is rightly one with its own machine may lie about a second one."""
    mine = host("db-1", "10.1.0.5", says={"product_uuid": UUID, "macs": ["00:50:56:00:00:07"]})
    pay = vm("vm-pay", "10.1.0.7", uuid=OTHER, mac="00:50:56:00:00:07", labels=PCI)
    names, said = made_of(mine, vm("vm-7", "10.1.0.5", uuid=UUID), pay)
    assert names == [["db-1", "vm-7"], ["vm-pay"]]
    assert "of 'vm-pay'" in said


def test_a_host_behind_a_port_of_a_gateway_is_not_the_gateway():
    gateway = vm("vm-gw", "192.0.2.9", uuid=UUID, hostname="gw.shops.example.net", labels=PCI)
    for reached in ("192.0.2.9", "gw.shops.example.net"):
        behind = host("cash-1", "192.0.2.9", says={"product_uuid": UUID}, ansible_host=reached, ansible_port=2201)
        assert made_of(behind, gateway)[0] == [["cash-1"], ["vm-gw"]]


@pytest.mark.parametrize(
    "more",
    [
        {"ansible_port": 2202},
        {"ansible_port": "2202"},
        {"ansible_ssh_common_args": "-o ProxyJump=bastion-2"},
        {"ansible_ssh_common_args": "-J bastion-2"},
        {"ansible_ssh_extra_args": '-o ProxyCommand="ssh -W %h:%p bastion-2"'},
    ],
)
def test_hosts_behind_one_name_on_several_ways_are_several(more):
    one = host("cash-1", "10.1.0.11", ansible_host="gw.shops.example.net", ansible_port=2201)
    two = replace(
        host("door-9", "10.1.0.99", ansible_host="gw.shops.example.net", **more), sources=("inventory/30.yml",)
    )
    assert made_of(one, two)[0] == [["cash-1"], ["door-9"]]
    direct = replace(host("gw", "192.0.2.9", ansible_host="gw.shops.example.net"), sources=("inventory/30.yml",))
    assert made_of(one, direct)[0] == [["cash-1"], ["gw"]]


def test_hosts_behind_one_address_on_several_ports_are_several():
    one = host("cash-1", "192.0.2.9", ansible_host="192.0.2.9", ansible_port=2201)
    two = replace(host("door-9", "192.0.2.9", ansible_host="192.0.2.9", ansible_port=2202), sources=("i/30.yml",))
    assert made_of(one, two)[0] == [["cash-1"], ["door-9"]]


def test_what_listens_on_one_port_of_one_gateway_is_one_machine():
    one = host("cash-1", "10.1.0.11", ansible_host="gw.shops.example.net", ansible_port=2201)
    two = replace(host("till-1", ansible_host="GW.shops.example.net.", ansible_port="2201"), sources=("i/30.yml",))
    assert made_of(one, two)[0] == [["cash-1", "till-1"]]


def test_a_serial_of_ones_own_key_is_a_hosts_word_as_well():
    serial = IdentityKey("serial", ("onprem.Serial", "facts.product_serial"))
    row = replace(
        asset("pay", "10.1.0.7", attributes={"onprem": {"Serial": "PF1X2"}}, labels=PCI), sources=("i/30.yml",)
    )
    identity = {"keys": (serial, *DEFAULT_KEYS)}
    names, said = made_of(host("web-9", "10.1.0.9", says={"product_serial": "pf1x2"}), row, **identity)
    assert names == [["pay"], ["web-9"]]
    assert "'web-9' says that it has the serial of 'pay'" in said
    names, _ = made_of(host("pay-1", "10.1.0.7", says={"product_serial": "pf1x2"}), row, **identity)
    assert names == [["pay", "pay-1"]]


def test_a_bastion_before_hosts_with_addresses_of_their_own_changes_nothing():
    jump = "-o ProxyJump=bastion"
    one = host("db-1", "10.1.0.5", says={"product_uuid": UUID}, ansible_host="10.1.0.5", ansible_ssh_common_args=jump)
    assert made_of(one, vm("vm-7", "10.1.0.5", uuid=UUID))[0] == [["db-1", "vm-7"]]


def test_a_name_beyond_a_bastion_is_no_identity_and_confirms_the_uuid_that_the_host_tells():
    jump = {"ansible_host": "db-2.corp.example", "ansible_ssh_common_args": "-J bastion"}
    machine = vm("vm-2", "10.1.0.6", uuid=UUID, hostname="db-2.corp.example")
    assert made_of(host("two", **jump), machine)[0] == [["two"], ["vm-2"]]
    assert made_of(host("two", says={"product_uuid": UUID}, **jump), machine)[0] == [["two", "vm-2"]]
    assert made_of(host("two", says={"product_uuid": OTHER}, **jump), machine)[0] == [["two"], ["vm-2"]]


def test_the_port_by_which_all_hosts_are_managed_is_the_usual_one():
    one = host("db-1", "10.1.0.5", ansible_host="db-1.corp.example", ansible_port=2222)
    two = vm("vm-7", "10.1.0.5", "10.1.1.5", hostname="db-1.corp.example")
    assert len(one_asset_each([one, two], Identity(), port=2222)[0]) == 1
    assert len(one_asset_each([one, two], Identity())[0]) == 2


def test_a_name_that_a_load_balancer_has_for_several_is_no_machines():
    one = vm("web-1", "10.1.0.1", hostname="shop.example.net")
    two = replace(
        asset("web-2", "10.1.0.2", attributes={"onprem": {"fqdn": "shop.example.net"}}), sources=("inventory/30.yml",)
    )
    names, said = made_of(one, two)
    assert names == [["web-1"], ["web-2"]]
    assert "as behind a load balancer" in said


def test_a_value_that_three_different_machines_have_identifies_none_and_is_told():
    three = [
        replace(asset(name, f"10.1.0.{at}", attributes={"ringfence_mac": "3c:ec:ef:77:77:77"}), sources=(f"s{at}",))
        for at, name in enumerate(("fra-1", "ber-2", "muc-3"), start=1)
    ]
    names, said = made_of(*three)
    assert len(names) == 3
    assert "so it identifies nobody" in said


def test_a_mac_made_by_software_joins_nothing_whose_hardware_differs():
    def with_macs(source: str, name: str, *macs: str) -> Asset:
        return replace(asset(name, attributes={"ringfence_mac": list(macs)}), sources=(source,))

    made, one, other = "02:11:22:33:44:66", "3c:ec:ef:00:00:01", "3c:ec:ef:00:00:02"
    names, said = made_of(with_macs("s", "a", made, one), with_macs("t", "b", made, other))
    assert names == [["a"], ["b"]]
    assert "made by software" in said
    assert made_of(with_macs("s", "a", made, one), with_macs("t", "b", made))[0] == [["a", "b"]]


@pytest.mark.parametrize(
    "record",
    [
        of("netbox", "device", "FRA-R12-U07", "10.1.0.11", role="database"),
        of("netbox", "device", "db-1", "10.1.0.11", "10.1.0.12", role="database"),
        of("kubernetes", "service", "web.shop.svc.k3s", "10.1.0.11"),
        of("kubernetes", "service", "db-1", "10.1.0.11", "10.96.0.77"),
        of("kubernetes", "pod", "agent.kube-system.k3s", "10.1.0.11"),
        of("aws", "elb", "shop-lb", "10.1.0.11"),
        of("containers", "container", "web.db-1", "10.1.0.11"),
        of("sweep", "", "10.1.0.11", "10.1.0.11"),
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_nothing_that_is_no_machine_takes_a_managed_hosts_place(record, known):
    managed = host("db-1x" if record.name == "db-1" else "db-1", "10.1.0.11")
    managed = replace(managed, attributes={**managed.attributes, "ringfence_name": "db-1"})
    found, _ = one_asset_each([managed, record], Identity(), {record.name} if known else frozenset())
    found = adopted(judged(found, Settings(), None, gathered=False)[0])
    mine = next(one for one in found if managed.name in (one.name, *one.also))
    assert mine.workload
    assert mine.enforcer == "nftables"
    assert mine.name == managed.name


def test_a_service_at_a_hosts_address_is_told_and_the_swept_address_is_the_hosts():
    service = of("kubernetes", "service", "web.shop.svc.k3s", "10.1.0.11")
    names, said = made_of(host("db-1", "10.1.0.11"), service)
    assert names == [["db-1"], ["web.shop.svc.k3s"]]
    assert "'db-1', 'web.shop.svc.k3s' (10.1.0.11)" in said
    assert "one of them is not a machine" in said
    found = adopted([host("db-1", "10.1.0.11"), service, of("sweep", "", "10.1.0.11", "10.1.0.11")])
    assert sorted((one.name, one.also) for one in found) == [("db-1", ("10.1.0.11",)), ("web.shop.svc.k3s", ())]


def test_that_a_source_takes_a_managed_host_for_none_is_told_with_both_names():
    record = of("netbox", "device", "FRA-R12-U07", "10.1.0.11", role="database")
    names, said = made_of(host("db-1", "10.1.0.11"), record)
    assert names == [["FRA-R12-U07", "db-1"]]
    assert "'db-1' is 'FRA-R12-U07' of inventory/40-netbox.yml" in said


def test_a_person_who_says_that_nothing_enforces_is_heard():
    managed = replace(host("db-1", "10.1.0.11", ringfence_workload=False), workload=False)
    found, _ = one_asset_each([managed, vm("vm-7", "10.1.0.11")], Identity())
    assert [one.workload for one in found] == [False]


def test_a_hypervisor_that_two_plug_ins_know_is_enforced_on_by_none():
    esx = replace(of("vsphere", "hypervisor", "esx-1", "10.1.0.11"), workload=False)
    device = {"ringfence_netbox": {"kind": "device", "role": "server"}}
    server = replace(asset("esx-1.corp", "10.1.0.11", attributes=device), sources=("inventory/40-netbox.yml",))
    found, _ = one_asset_each([esx, server], Identity())
    assert [one.workload for one in found] == [False]


@pytest.mark.parametrize("said", [True, False])
def test_a_swept_address_is_the_hosts_that_has_it_by_name_or_by_its_own_word(said):
    mine = host("db-1", *(() if said else ("10.3.0.5", "10.3.0.6")), claims=("10.3.0.5",) if said else ())
    found, claims = judged([mine, of("sweep", "", "10.3.0.5", "10.3.0.5")], Settings(), None, gathered=True)
    (one,) = adopted(found)
    assert (one.name, one.workload) == ("db-1", True)
    assert one.also == ("10.3.0.5",)
    assert claims.counted == ((Claim("db-1", "10.3.0.5"),) if said else ())


def test_a_swept_address_of_two_hosts_stays_by_itself():
    two = [host("web-1", "10.3.0.1", "10.3.0.100"), host("web-2", "10.3.0.2", "10.3.0.100")]
    assert len(adopted([*two, of("sweep", "", "10.3.0.100", "10.3.0.100")])) == 3
