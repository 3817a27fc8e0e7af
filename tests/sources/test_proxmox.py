"""The inventory plugin proxmox against a server that replays answers as the API of Proxmox VE documents them."""

from __future__ import annotations

import shutil
from urllib.parse import urlsplit

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.proxmox.api import (
    PROXMOXER_MISSING,
    Wanted,
    ask_proxmox,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.proxmox.transform import Shape, hosts

from tests.sources.inventory_run import configured, documentation, listed
from tests.sources.replay_server import certificate, replaying

if PROXMOXER_MISSING is not None:
    pytest.skip(f"not installed: {PROXMOXER_MISSING.name}", allow_module_level=True)
if shutil.which("openssl") is None:
    pytest.skip("openssl is not installed", allow_module_level=True)

HOSTILE = "{{ lookup('pipe', 'touch pwned') }}"
UUID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


def guest(vmid, name, kind="qemu", node="pve1", status="running", **more):
    return {"id": f"{kind}/{vmid}", "vmid": vmid, "name": name, "type": kind, "node": node, "status": status, **more}


def agent(*interfaces):
    def one(name, *addresses):
        told = [{"ip-address": text, "ip-address-type": "ipv6" if ":" in text else "ipv4"} for text in addresses]
        return {"name": name, "hardware-address": "bc:24:11:00:00:01", "ip-addresses": told}

    return {"data": {"result": [one(*interface) for interface in interfaces]}}


def cluster():
    base = "/api2/json"
    rows = [
        guest(101, "web-1", tags="shop;prod;web", pool="shop"),
        guest(102, "ct-1", kind="lxc", tags="shop"),
        guest(103, "win-1"),
        guest(104, "resting", status="stopped", node="pve2"),
        guest(105, "golden", template=1),
        guest(106, "web-1", node="pve3"),
    ]
    net = "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1,tag=12"
    lo = ("lo", "127.0.0.1")
    told = agent(lo, ("eth0", "10.0.0.5", "2001:db8::5", "fe80::1"), ("docker0", "172.17.0.1"))
    secret = {"cipassword": "hunter2", "description": f"root/hunter2 {HOSTILE}"}
    linux = {"ostype": "l26", "net0": net, "smbios1": f"uuid={UUID}", **secret}
    container = {"ostype": "debian", "net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:02,ip=10.0.0.6/24,type=veth"}
    stopped = {"ostype": "l26", "net0": net, "ipconfig0": "ip=10.0.0.8/24,gw=10.0.0.1,ip6=dhcp"}
    nodes = [{"type": "cluster", "name": "c"}, {"type": "node", "name": "pve1", "ip": "10.9.0.1", "online": 1}]
    return {
        f"{base}/cluster/resources": {"data": rows},
        f"{base}/cluster/status": {"data": nodes},
        f"{base}/nodes/pve1/qemu/101/config": {"data": linux},
        f"{base}/nodes/pve1/qemu/101/agent/network-get-interfaces": told,
        f"{base}/nodes/pve1/lxc/102/config": {"data": container},
        f"{base}/nodes/pve1/lxc/102/interfaces": {"data": [{"name": "eth0", "hwaddr": "x", "inet": "10.0.0.6/24"}]},
        f"{base}/nodes/pve1/qemu/103/config": {"data": {"ostype": "win11", "net0": net, "agent": "0"}},
        f"{base}/nodes/pve1/qemu/103/agent/network-get-interfaces": (500, '{"data":null,"message":"no agent"}'),
        f"{base}/nodes/pve2/qemu/104/config": {"data": stopped},
        f"{base}/nodes/pve3/qemu/106/config": (595, '{"data":null}'),
    }


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"))


def found(tls, answers=None, shape=None, **options):
    with replaying(answers or cluster(), tls) as replay:
        parts = urlsplit(replay.url)
        account = {"user": "ringfence@pve", "token_name": "reader", "token": "s3cr3t", "verify": str(tls[0])}
        wanted = Wanted(**{"host": parts.hostname, "port": parts.port, **account, **options})
        return hosts(ask_proxmox(wanted), shape or Shape()), replay


def test_machines_have_the_addresses_that_their_guests_tell_and_nodes_are_hosts_too(tls):
    result, replay = found(tls, shape=Shape(labels={"env": ["prod", "test"], "role": ["web"]}))
    known = dict(result.hosts)
    assert set(known) == {"web-1_101", "ct-1", "win-1", "resting", "web-1_106", "pve1"}
    web = known["web-1_101"]
    assert web["ringfence_addresses"] == ["10.0.0.5", "2001:db8::5"]
    labels = {"proxmox_node": "pve1", "proxmox_pool": "shop", "env": "prod", "role": "web"}
    assert web["ringfence_labels"] == labels
    fact = web["ringfence_proxmox"]
    assert (fact["uuid"], fact["mac"], fact["tags"]) == (UUID, ["bc:24:11:00:00:01"], ["shop", "prod", "web"])
    assert fact["networks"][0] == {"name": "net0", "bridge": "vmbr0", "vlan": "12", "mac": "bc:24:11:00:00:01"}
    assert (known["ct-1"]["ringfence_addresses"], known["pve1"]["ringfence_addresses"]) == (["10.0.0.6"], ["10.9.0.1"])
    assert replay.asked[0][3]["Authorization"] == "PVEAPIToken=ringfence@pve!reader=s3cr3t"
    assert {method for method, *_ in replay.asked} == {"GET"}


def test_what_has_no_agent_or_rests_has_the_addresses_of_its_configuration(tls):
    result, replay = found(tls)
    known = dict(result.hosts)
    assert known["resting"]["ringfence_addresses"] == ["10.0.0.8"]
    assert (known["win-1"]["ringfence_addresses"], known["win-1"]["ringfence_enforcer"]) == ([], "windows")
    assert "1 running machines do not tell their addresses" in result.warnings[0]
    assert "win-1" in result.warnings[0]
    assert not [path for _, path, *_ in replay.asked if "104/agent" in path]


def test_a_node_that_is_away_is_named_with_its_machines_and_the_rest_goes_on(tls):
    result, _ = found(tls)
    assert "1 machines on the node pve3 were not read wholly: 595" in result.warnings[1]
    assert set(result.unreached) == {"proxmox pve3"}


AGENT = "/api2/json/nodes/pve1/qemu/101/agent/network-get-interfaces"
REFUSED = {"data": {"result": {"error": {"class": "CommandDisabled", "desc": "not allowed"}}}}


@pytest.mark.parametrize("answer", [REFUSED, {"data": {"result": 7}}, {"data": None}, (500, "{}"), (200, "no JSON")])
def test_a_guest_that_does_not_tell_its_addresses_costs_no_node_its_answer(tls, answer):
    result, _ = found(tls, {**cluster(), AGENT: answer})
    assert set(result.unreached) == {"proxmox pve3"}
    assert "2 running machines do not tell their addresses" in result.warnings[0]
    assert "ringfence_incomplete" not in dict(result.hosts)["web-1_101"]


def test_a_guest_whose_agent_hangs_says_so_of_itself_alone(tls):
    result, _ = found(tls, {**cluster(), AGENT: (596, '{"data":null}')})
    assert set(result.unreached) == {"proxmox pve3"}
    assert dict(result.hosts)["web-1_101"]["ringfence_incomplete"].startswith("it hangs: 596")
    assert "ringfence_incomplete" not in dict(result.hosts)["ct-1"]
    assert any("on the node pve1 were not read wholly: it hangs" in warning for warning in result.warnings)


@pytest.mark.parametrize("status", [404, 500])
def test_a_guest_that_is_deleted_while_the_cluster_is_read_is_gone_and_nothing_else(tls, status):
    answers = cluster()
    rows = answers["/api2/json/cluster/resources"]["data"]
    lists = iter([rows, [row for row in rows if row["vmid"] != 101]])
    answers["/api2/json/cluster/resources"] = lambda _: {"data": next(lists)}
    answers["/api2/json/nodes/pve1/qemu/101/config"] = (status, '{"data":null}')
    result, _ = found(tls, answers)
    assert {name for name, _ in result.hosts} == {"web-1", "ct-1", "win-1", "resting", "pve1"}
    assert set(result.unreached) == {"proxmox pve3"}
    assert "1 machines were deleted while the cluster was read" in result.warnings


def test_a_guest_whose_configuration_cannot_be_read_costs_itself(tls):
    result, _ = found(tls, {**cluster(), "/api2/json/nodes/pve1/qemu/101/config": (500, '{"message":"got no lock"}')})
    assert set(result.unreached) == {"proxmox pve3"}
    assert "ringfence_incomplete" in dict(result.hosts)["web-1_101"]


def test_interfaces_inside_of_a_guest_are_no_addresses_of_it(tls):
    inner = ["cali7d1f0aa31c2", "kube-ipvs0", "nodelocaldns", "flannel.1", "br-0123456789ab", "tap0", "virbr0", "lxc1a"]
    told = agent(
        ("eth0", "10.0.0.5"), *((name, f"10.77.0.{at}") for at, name in enumerate(inner)), ("usb0", "169.254.95.120")
    )
    result, _ = found(tls, {**cluster(), AGENT: told})
    assert dict(result.hosts)["web-1_101"]["ringfence_addresses"] == ["10.0.0.5"]


def test_nothing_more_is_asked_of_machines_that_filters_leave_out(tls):
    result, replay = found(tls, filters={"tags": ["shop"], "type": ["qemu"]}, shape=Shape(nodes=False))
    assert [name for name, _ in result.hosts] == ["web-1"]
    assert len([path for _, path, *_ in replay.asked if "/nodes/" in path]) == 2


def test_a_filter_that_no_machine_meets_is_told_with_the_nearest_value(tls):
    result, _ = found(tls, filters={"tags": ["shpo"], "type": ["qemu"]}, shape=Shape(nodes=False))
    assert not result.hosts
    assert "'filters' has 'shpo' for 'tags', which no machine has (did you mean 'shop'?)" in result.warnings


def test_a_ticket_is_taken_where_there_is_no_token(tls):
    ticket = {"data": {"ticket": "PVE:x", "CSRFPreventionToken": "y", "username": "ringfence@pve"}}
    answers = {**cluster(), "/api2/json/access/ticket": ticket}
    result, replay = found(tls, answers, token_name=None, token=None, password="pw")
    assert result.hosts
    assert replay.asked[1][3]["Cookie"] == "PVEAuthCookie=PVE:x"


@pytest.mark.parametrize(
    ("options", "answers", "said"),
    [
        ({"verify": True}, {}, "certificate verify failed"),
        ({}, {"/api2/json/cluster/resources": (401, "invalid token")}, "401"),
        ({}, {"/api2/json/cluster/resources": (200, "<html>")}, "not a list"),
        ({"token_name": None, "password": "wrong"}, {"/api2/json/access/ticket": (401, "")}, "authenticate"),
    ],
)
def test_a_cluster_that_does_not_answer_is_told(tls, options, answers, said):
    with pytest.raises(SourceRefused, match=f"gave no list of its machines: .*{said}"):
        found(tls, {**cluster(), **answers}, **options)


def test_the_inventory_has_groups_evaluates_nothing_and_keeps_no_secret(tls, tmp_path):
    with replaying(cluster(), tls) as replay:
        parts = urlsplit(replay.url)
        account = {"user": "ringfence@pve", "token_name": "reader", "ca_certs": str(tls[0])}
        keyed = [{"key": "tags", "prefix": "tag"}]
        configured(tmp_path, "proxmox", host=parts.hostname, port=parts.port, keyed_groups=keyed, **account)
        inventory, warnings = listed(tmp_path, PROXMOX_TOKEN="s3cr3t")
    assert inventory["tag_shop"]["hosts"] == ["ct-1", "web-1_101"]
    assert not [word for word in ("hunter2", "s3cr3t") if word in str(inventory) + warnings]
    assert "1 machines on the node pve3" in warnings
    assert not list(tmp_path.rglob("pwned"))


def test_the_documented_examples_name_options_that_there_are():
    options, examples = documentation("proxmox")
    assert len(examples) == 2
    assert all(set(example) <= {*options, "keyed_groups", "cache"} for example in examples)
