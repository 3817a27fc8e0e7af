"""Every source takes any value in any place of its answer: one object is left out and told, the others stay."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from random import Random

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws import transform as aws_transform
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.api import RegionAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.containers import transform as containers_transform
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.containers.api import Engine, EngineAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import variables_fault
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.hyperv import transform as hyperv_transform
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.hyperv.api import HostAnswer as HyperVAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.kubernetes import transform as kubernetes_transform
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.kubernetes.api import ClusterAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.ldap import transform as ldap_transform
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.ldap.api import Answer as LdapAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.ldap.api import Entry
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.libvirt import transform as libvirt_transform
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.libvirt.api import Domain, HostAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox import api as netbox_api
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox import transform as netbox_transform
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.proxmox import transform as proxmox_transform
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.proxmox.api import Answer as ProxmoxAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.proxmox.api import Guest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere import transform as vsphere_transform
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.answers import Thing
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.api import VsphereAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.tags import MachineTags

from tests.sources.good_answers import AWS, CONTAINERS, HYPERV, KUBERNETES, NETBOX, PROXMOX, VSPHERE

MISSING = object()
ODD = (
    MISSING,
    None,
    "",
    "odd",
    "10.0.0.999",
    7,
    -1.5,
    True,
    [],
    [None],
    ["odd"],
    [[7]],
    {},
    {"odd": None},
    {"odd": [7]},
)


def read_aws(data):
    answer = RegionAnswer("111122223333", "eu-west-1", data)
    return aws_transform.hosts([answer], [], aws_transform.Shape(realm="vpc"))


def read_kubernetes(data):
    shape = kubernetes_transform.Shape(labels={"app": "app"})
    return kubernetes_transform.hosts([ClusterAnswer("fra", data)], shape)


def read_netbox(data):
    shape = netbox_transform.Shape(labels={"pci": "custom_fields.pci"}, realm="vrf")
    return netbox_transform.hosts(netbox_api.Answer(data), shape)


def read_proxmox(data):
    guests = [Guest(one["row"], one["configuration"], one["interfaces"]) for one in data["guests"]]
    return proxmox_transform.hosts(ProxmoxAnswer(data["nodes"], guests), proxmox_transform.Shape())


def read_containers(data):
    answer = EngineAnswer(Engine("h", "unix://"), data["containers"], {"shop": {"Driver": "macvlan"}})
    return containers_transform.hosts([answer], containers_transform.Shape())


def read_hyperv(data):
    return hyperv_transform.hosts([HyperVAnswer("hv", data["machines"])], hyperv_transform.Shape())


def read_vsphere(data):
    things = {one["id"]: Thing(one["id"], "VirtualMachine", one["properties"]) for one in data["things"]}
    shape = vsphere_transform.Shape("vc", names=("hostname", "name"), realm="datacenter")
    return vsphere_transform.assets(VsphereAnswer(things, {1: "owner"}, []), MachineTags(), shape)


SOURCES = {
    "aws": (AWS, read_aws, 2),
    "kubernetes": (KUBERNETES, read_kubernetes, 2),
    "netbox": (NETBOX, read_netbox, 2),
    # The API gives rows, configurations and interfaces as what they are; what is in them is the cluster's.
    "proxmox": (PROXMOX, read_proxmox, 3),
    "containers": (CONTAINERS, read_containers, 2),
    "hyperv": (HYPERV, read_hyperv, 2),
    "vsphere": (VSPHERE, read_vsphere, 3),
}


def paths(value, way=()) -> Iterator[tuple]:
    yield way
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield from paths(below, (*way, key))


def replaced(data, way, odd):
    changed = copy.deepcopy(data)
    holder = changed
    for key in way[:-1]:
        holder = holder[key]
    if odd is MISSING:
        del holder[way[-1]]
    else:
        holder[way[-1]] = copy.deepcopy(odd)
    return changed


def addresses_without(data, read, way):
    """Return the sets of addresses of the hosts that have nothing to do with the object that a path leads into."""
    left = copy.deepcopy(data)
    del left[way[0]][way[1]]
    return {tuple(host["ringfence_addresses"]) for _, host in read(left).hosts}


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_one_malformed_value_costs_its_object_alone(source):
    data, read, depth = SOURCES[source]
    assert len(read(data).hosts) >= 2
    assert not read(data).warnings
    ways = [way for way in paths(data) if len(way) > depth or (len(way) == 2 and source in ("aws", "kubernetes"))]
    ways = [way for way in ways if not (source in ("proxmox", "vsphere") and way[2:3] in (("id",),))]
    assert len(ways) > 15
    stay = {way[:2]: addresses_without(data, read, way) for way in ways}
    for way in ways:
        for odd in ODD:
            if len(way) == 2 and (odd is MISSING or not isinstance(odd, dict)) and source == "kubernetes":
                continue  # what is not an object is left out by the API's reader
            found = read(replaced(data, way, odd))
            names = [name for name, _ in found.hosts]
            assert len(set(names)) == len(names)
            assert all(variables_fault(host) is None for _, host in found.hosts), (way, odd)
            json.dumps(found.data())
            if way[0] not in (netbox_api.ADDRESSES, netbox_api.INTERFACES):
                assert stay[way[:2]] <= {tuple(host["ringfence_addresses"]) for _, host in found.hosts}, (way, odd)


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_the_order_in_which_a_source_tells_its_objects_changes_nothing(source):
    data, read, _ = SOURCES[source]
    before = read(data).hosts
    for seed in range(5):
        shuffled = copy.deepcopy(data)
        for rows in shuffled.values():
            Random(seed).shuffle(rows)
        assert read(shuffled).hosts == before


def test_a_malformed_object_is_told_by_its_name():
    changed = replaced(AWS, ("instances", 0, "Instances", 0, "NetworkInterfaces"), 7)
    found = read_aws(changed)
    assert "web-2" in dict(found.hosts)
    assert "web-1" not in dict(found.hosts)
    assert any("malformed: i-00000001 (TypeError" in warning for warning in found.warnings)
    assert found.whole is False


@pytest.mark.parametrize(
    "definition", ["", "<domain", "<domain><devices><interface><mac/></interface></devices></domain>"]
)
def test_a_domain_with_any_definition_costs_none_of_the_others(definition):
    usual = Domain("u-2", "db", "running", "<domain/>")
    answer = HostAnswer("qemu:///system", "kvm-1", [Domain("u-1", "web", "running", definition), usual])
    assert "db" in dict(libvirt_transform.assets([answer], libvirt_transform.Shape()).hosts)


def test_two_running_domains_of_one_uuid_are_two_machines():
    answers = [
        HostAnswer(f"qemu+ssh://{host}/system", host, [Domain("u-1", "web", "running", "<domain/>")])
        for host in ("kvm-1", "kvm-2")
    ]
    for order in (answers, answers[::-1]):
        assert len(libvirt_transform.assets(order, libvirt_transform.Shape()).hosts) == 2


def test_a_domain_that_cannot_be_read_says_so_of_itself_alone():
    half = Domain("u-1", "web", "unknown", "", failure="internal error")
    answer = HostAnswer("qemu:///system", "kvm-1", [half, Domain("u-2", "db", "running", "<domain/>")])
    found = libvirt_transform.assets([answer], libvirt_transform.Shape())
    assert dict(found.hosts)["web"]["ringfence_incomplete"] == "internal error"
    assert "ringfence_incomplete" not in dict(found.hosts)["db"]
    assert found.unreached == {}


def test_entries_of_a_directory_may_hold_anything_and_addresses_have_an_order_of_their_own():
    values = {"cn": ["web"], "iphostnumber": ["10.0.0.9", "odd", "10.0.0.10 2001:db8::1", "10.0.0.2"]}
    entries = [
        ("dc=x", Entry("cn=web,dc=x", values)),
        ("dc=x", Entry("", {"cn": ["\x00\udcff"], "lastlogontimestamp": ["9" * 19]})),
    ]
    found = ldap_transform.hosts(LdapAnswer("ldap://x", entries), ldap_transform.Shape())
    assert dict(found.hosts)["web"]["ringfence_addresses"] == ["10.0.0.2", "10.0.0.9", "10.0.0.10", "2001:db8::1"]
    assert len(found.hosts) == 2


def test_a_directory_s_entry_of_a_server_s_controller_is_no_workload():
    names = {
        "idrac-7XK2M13": {},
        "ILOCZ1234ABCD": {},
        "ilo-proxy": {},
        "idrac-7XK2M14": {"operatingsystem": ["Debian"]},
    }
    entries = [("dc=x", Entry(f"cn={name},dc=x", {"cn": [name], **more})) for name, more in names.items()]
    known = dict(ldap_transform.hosts(LdapAnswer("ldap://x", entries), ldap_transform.Shape()).hosts)
    kinds = {name: host.get("ringfence_kind") for name, host in known.items()}
    assert kinds == {
        "idrac-7XK2M13": "controller",
        "ILOCZ1234ABCD": "controller",
        "ilo-proxy": None,
        "idrac-7XK2M14": None,
    }


def test_machines_without_an_id_are_machines_each():
    rows = [
        {"name": name, "adapters": [{"addresses": [address]}]}
        for name, address in (("a", "10.0.0.1"), ("b", "10.0.0.2"))
    ]
    found = hyperv_transform.hosts([HyperVAnswer("hv", rows)], hyperv_transform.Shape())
    assert [name for name, _ in found.hosts] == ["a", "b"]


def test_a_container_is_called_by_its_own_name_and_not_by_links_of_others():
    container = {"Id": "1" * 64, "Names": ["/shop_web/database", "/db"], "NetworkSettings": {}}
    found = containers_transform.hosts(
        [EngineAnswer(Engine("h", "unix://"), [container])], containers_transform.Shape()
    )
    assert [name for name, _ in found.hosts] == ["db.h"]


def test_a_value_that_can_be_no_label_costs_that_label_and_is_told_with_its_machine():
    odd = [{"Key": "Name", "Value": "web-1"}, {"Key": "aws:autoscaling:groupName", "Value": "fleet\x07"}]
    found = read_aws(replaced(AWS, ("instances", 0, "Instances", 0, "Tags"), odd))
    assert "aws_asg" not in dict(found.hosts)["web-1"]["ringfence_labels"]
    told = r"labels left out, because they contain characters that cannot be printed: i-00000001: aws_asg='fleet\x07'"
    assert told in found.warnings
    assert len(found.hosts) == 4
