"""Files of facts: read within bounds, plain files alone; what a host wrote there becomes no variable."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.model.addresses import address_text
from ringfence.model.problems import Severity
from ringfence.model.rules import Settings
from ringfence.sources import survey
from ringfence.sources.ansible_settings import fact_caches_of, without_fact_cache
from ringfence.sources.fact_files import MOST_BYTES, cached_facts
from ringfence.sources.facts import fact_addresses, fact_attributes, fact_faults

from tests.unit.sources.asset_factory import NOW, rule, write

CACHING = "[defaults]\nfact_caching = jsonfile\nfact_caching_connection = .ringfence/facts\n"


def estate(tmp_path: Path, hosts: str = "web-1 ansible_host=10.1.0.1\nweb-2 ansible_host=10.1.0.2\n") -> Path:
    write(tmp_path / "ansible.cfg", CACHING)
    write(tmp_path / "inventory/hosts", hosts)
    (tmp_path / ".ringfence/facts").mkdir(parents=True)
    return tmp_path / ".ringfence/facts"


def look(tmp_path: Path, *rules: object, settings: Settings | None = None):
    return survey([Path("inventory")], rules, settings or Settings(), now=NOW, directory=tmp_path)


def addresses(asset) -> list[str]:
    return [address_text(point) for point in asset.addresses]


def test_no_fact_is_a_variable_of_its_host(tmp_path):
    facts = estate(tmp_path)
    hostile = {
        "ringfence_labels": {"role": "db", "env": "prod"},
        "ringfence_addresses": ["10.1.0.77"],
        "ringfence_control": {"from": ["0.0.0.0/0"]},
        "ringfence_realm": "blue",
        "ringfence_workload": False,
        "ringfence_vsphere": {"uuid": "420a1b2c-3d4e-5f60-8192-a3b4c5d6e7f8"},
        "ansible_host": "10.1.0.2",
        "tags": {"Environment": "prod"},
        "ansible_env": {"SECRET": "hunter2"},
        "ansible_distribution": "Debian",
    }
    write(facts / "s1_web-1", json.dumps({"__payload__": json.dumps(hostile)}))
    found = look(tmp_path, rule(2, "env", "tags.Environment"), rule(3, "role", "role"))
    web = found.snapshot.named()["web-1"]
    assert (web.labels, addresses(web), web.realm, web.workload, web.control) == (
        {},
        ["10.1.0.1"],
        "default",
        True,
        None,
    )
    assert "hunter2" not in json.dumps(web.attributes)
    assert web.attributes["facts"]["cached"] == {"tags": {"Environment": "prod"}}
    assert any("the facts of 'web-1' hold ringfence_addresses, " in problem.message for problem in found.problems)


@pytest.mark.parametrize("value", [999, "999", {"a": 1}, [[]], ["not-an-address"], None, True])
def test_malformed_addresses_of_a_host_cost_that_host_a_warning(tmp_path, value):
    facts = estate(tmp_path)
    write(facts / "web-1", json.dumps({"ansible_all_ipv4_addresses": value, "ringfence_addresses": value}))
    found = look(tmp_path)
    assert [addresses(asset) for asset in found.snapshot.assets] == [["10.1.0.1"], ["10.1.0.2"]]
    assert {problem.severity for problem in found.problems} <= {Severity.WARNING}


def test_truncated_files_are_a_warning_each_in_one_run_and_nothing_is_deleted(tmp_path):
    hosts = "".join(f"web-{at} ansible_host=10.1.0.{at}\n" for at in range(1, 6))
    facts = estate(tmp_path, hosts)
    for name in ("s1_web-1", "s1_web-2", "web-3"):
        (facts / name).touch()
    write(facts / "s1_web-4", '{"__payload__": "{\\"ansible_dis"}')
    found = look(tmp_path)
    assert len(found.snapshot.assets) == 5
    told = [problem.message for problem in found.problems]
    assert [f"'web-{at}'" in told[at - 1] for at in range(1, 5)] == [True] * 4
    assert len(list(facts.iterdir())) == 4


@pytest.mark.parametrize(
    "kind", ["link", "link to a directory", "pipe", "directory", "large", "deep", "wide", "text", "device"]
)
def test_what_is_no_plain_small_file_of_facts_is_refused_by_name(tmp_path, kind):
    facts = estate(tmp_path)
    path = facts / "web-1"
    if kind == "link":
        write(tmp_path / "elsewhere", '{"ansible_distribution": "Debian"}')
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "link to a directory":
        path.symlink_to(tmp_path)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "large":
        write(path, json.dumps({"ansible_distribution": "D" * MOST_BYTES}))
    elif kind == "deep":
        write(path, '{"ansible_local": ' + "[" * 60 + "]" * 60 + "}")
    elif kind == "wide":
        write(path, json.dumps({"ansible_local": list(range(200_001))}))
    elif kind == "text":
        write(path, '"a text"')
    else:
        path.symlink_to("/dev/zero")
    found, (problem,) = cached_facts([facts], ["web-1", "web-2"])
    assert found == {}
    assert "the cached facts of 'web-1' count as none: " in problem.message
    assert str(problem.place) == str(path)


def test_a_name_with_a_slash_reads_nothing_elsewhere(tmp_path):
    write(tmp_path / "secret", '{"ansible_distribution": "Debian"}')
    (tmp_path / "facts").mkdir()
    assert cached_facts([tmp_path / "facts"], ["../secret", "..", ".", ""]) == ({}, [])


def test_ringfences_own_file_comes_before_ansibles_and_is_of_the_host_that_it_names(tmp_path):
    own = {"format": 1, "host": "web-1", "gathered": "2026-11-29T10:00:00Z", "facts": {"distribution": "Debian"}}
    write(tmp_path / "web-1.json", json.dumps(own))
    write(tmp_path / "s1_web-1", json.dumps({"ansible_distribution": "Ubuntu"}))
    write(tmp_path / "web-2.json", json.dumps({**own, "host": "somebody"}))
    write(tmp_path / "web-3.json", json.dumps({**own, "host": "web-3", "format": 2}))
    found, (problem,) = cached_facts([tmp_path], ["web-1", "web-2", "web-3"])
    assert found == {"web-1": {"distribution": "Debian"}}
    assert "format 2" in problem.message


def test_addresses_and_macs_come_from_the_same_interfaces():
    facts = {
        "ansible_all_ipv4_addresses": [
            "10.1.0.21",
            "169.254.20.10",
            "10.96.0.1",
            "10.96.7.8",
            "172.17.0.1",
            "10.88.0.1",
        ],
        "ansible_all_ipv6_addresses": ["2001:db8::21", "fe80::1", "fd00:10:244::1"],
        "ansible_interfaces": ["eth0", "nodelocaldns", "kube-ipvs0", "cali12ab", "docker0", "cni0"],
        "ansible_eth0": {"type": "ether", "macaddress": "3c:ec:ef:10:00:01", "ipv4": {"address": "10.1.0.21"}},
        "ansible_kube_ipvs0": {
            "type": "ether",
            "macaddress": "3c:ec:ef:10:00:02",
            "ipv4": {"address": "10.96.0.1"},
            "ipv4_secondaries": [{"address": "10.96.7.8"}],
        },
        "ansible_cali12ab": {"type": "ether", "macaddress": "ee:ee:ee:ee:ee:ee"},
        "ansible_docker0": {"type": "ether", "macaddress": "3c:ec:ef:10:00:03", "ipv4": {"address": "172.17.0.1"}},
        "ansible_cni0": {"type": "ether", "ipv6": [{"address": "fd00:10:244::1"}], "macaddress": "3c:ec:ef:10:00:04"},
        "ansible_default_ipv4": {"type": "ether", "macaddress": "3c:ec:ef:10:00:05"},
    }
    assert [address_text(point) for point in fact_addresses(facts)] == ["10.1.0.21", "2001:db8::21"]
    assert fact_attributes(facts)["facts"]["macs"] == ["3c:ec:ef:10:00:01"]
    assert list(fact_faults(facts)) == []


def test_a_host_that_tells_thousands_of_addresses_is_believed_none(tmp_path):
    facts = {"ansible_all_ipv4_addresses": [f"10.{at // 256}.{at % 256}.1" for at in range(2000)]}
    assert fact_addresses(facts) == ()
    assert any("more than 1024 addresses" in fault for fault in fact_faults(facts))


def test_inventory_caches_work_on_as_the_users_settings_say(tmp_path, monkeypatch):
    for name in ("ANSIBLE_CONFIG", "ANSIBLE_CACHE_PLUGIN", "ANSIBLE_INVENTORY_CACHE_PLUGIN"):
        monkeypatch.delenv(name, raising=False)
    write(tmp_path / "ansible.cfg", CACHING)
    assert without_fact_cache(tmp_path) == {
        "ANSIBLE_CACHE_PLUGIN": "memory",
        "ANSIBLE_INVENTORY_CACHE_PLUGIN": "jsonfile",
    }
    write(tmp_path / "ansible.cfg", f"{CACHING}[inventory]\ncache_plugin = community.general.yaml\n")
    assert without_fact_cache(tmp_path)["ANSIBLE_INVENTORY_CACHE_PLUGIN"] == "community.general.yaml"
    monkeypatch.setenv("ANSIBLE_CACHE_PLUGIN", "redis")
    assert without_fact_cache(tmp_path)["ANSIBLE_INVENTORY_CACHE_PLUGIN"] == "redis"
    monkeypatch.setenv("ANSIBLE_INVENTORY_CACHE_PLUGIN", "jsonfile")
    assert without_fact_cache(tmp_path)["ANSIBLE_INVENTORY_CACHE_PLUGIN"] == "jsonfile"
    assert fact_caches_of(tmp_path) == (tmp_path / ".ringfence/facts",), "redis is no jsonfile"


def test_a_plug_ins_inventory_cache_is_kept_where_facts_would_be(tmp_path):
    write(tmp_path / "ansible.cfg", CACHING.replace(".ringfence/facts", "cache"))
    write(tmp_path / "hosts.csv", "name,addresses\nold-1,10.0.1.30\n")
    write(tmp_path / "inventory/30.yml", "plugin: ringfence.core.onprem\ntable: ../hosts.csv\ncache: true\n")
    assert [asset.name for asset in look(tmp_path).snapshot.assets] == ["old-1"]
    assert len(list((tmp_path / "cache").iterdir())) == 1, "the inventory's own cache"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
NAMES = st.sampled_from(
    [
        *(
            "ansible_all_ipv4_addresses",
            "all_ipv6_addresses",
            "ansible_interfaces",
            "ansible_eth0",
            "eth0",
            "listeners",
        ),
        *(
            "ansible_local",
            "packages",
            "services",
            "tcp_listen",
            "ansible_product_uuid",
            "ansible_fqdn",
            "ringfence_labels",
        ),
        *("__payload__", "facts", "format", "host", "running_units", "ansible_default_ipv4", "__ansible_type"),
    ]
)


@given(st.dictionaries(NAMES | st.text(), JSON, max_size=8))
def test_no_facts_whatever_they_are_break_the_reading(facts):
    list(fact_faults(facts))
    fact_addresses(facts)
    fact_attributes(facts)


@given(
    data=st.binary(max_size=400) | st.dictionaries(NAMES, JSON, max_size=6).map(lambda one: json.dumps(one).encode())
)
def test_no_file_whatever_it_holds_breaks_the_reading(tmp_path_factory, data):
    directory = tmp_path_factory.mktemp("facts")
    (directory / "web-1").write_bytes(data)
    found, problems = cached_facts([directory], ["web-1"])
    assert (len(found), len(problems)) in ((1, 0), (0, 1), (0, 0))
