"""The inventory plugin libvirt on libvirt's own test driver, and what it makes of answers as hosts give them."""

from __future__ import annotations

import socket
import time

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.libvirt.api import (
    LIBVIRT_MISSING,
    SOURCES,
    Domain,
    HostAnswer,
    Wanted,
    ask_libvirt,
    shown_uri,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.libvirt.transform import Shape, assets

from tests.sources.inventory_run import configured, documentation, listed, run_inventory

if LIBVIRT_MISSING is not None:
    pytest.skip("libvirt-python is not installed", allow_module_level=True)
import libvirt

TEST = "test:///default"
UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"


def definition(*cards, kind="kvm", system=""):
    nics = "".join(
        f"<interface type='network'><mac address='{mac}'/><source network='default'/></interface>" for mac in cards
    )
    told = f"<x:libosinfo xmlns:x='http://libosinfo.org/xmlns/libvirt/domain/1.0'><x:os id='{system}'/></x:libosinfo>"
    return f"<domain type='{kind}'><metadata>{told}</metadata><devices>{nics}</devices></domain>"


def variables(*domains, host="kvm-1", **shape):
    found = assets([HostAnswer("qemu+ssh://kvm-1/system", host, domains)], Shape(**shape))
    return dict(found.hosts), found


def test_the_domain_of_the_test_driver_comes_with_labels_and_groups(tmp_path):
    keyed = [{"key": "type", "prefix": "type"}]
    configured(tmp_path, "libvirt", uris=[TEST], keyed_groups=keyed, compose={"ansible_user": "'root'"})
    found, warnings = listed(tmp_path)
    domain = found["_meta"]["hostvars"]["test"]
    assert domain["ringfence_addresses"] == ["192.168.122.3"]
    assert domain["ringfence_libvirt"]["uuid"] == UUID
    assert domain["ringfence_libvirt"]["interfaces"][0]["mac"] == "aa:bb:cc:dd:ee:ff"
    assert domain["ringfence_sources"][1].endswith(": libvirt test:///default")
    assert domain["ansible_user"] == "root"
    assert found["type_test"]["hosts"] == ["test"]
    assert warnings == ""


def test_a_host_that_fails_is_named_and_the_others_go_on(tmp_path):
    configured(tmp_path, "libvirt", uris=[TEST, "qemu:///system?socket=/nonexistent"])
    found, warnings = listed(tmp_path)
    assert "libvirt qemu:///system: Failed to connect socket to '/nonexistent'" in warnings
    (unreached,) = found["_meta"]["hostvars"]["test"]["ringfence_unreached"]
    assert unreached.endswith(": libvirt qemu:///system")


@pytest.mark.parametrize("options", [{"uris": ["qemu:///system?socket=/nonexistent"]}, {"failures": "fail"}])
def test_where_no_host_answers_or_none_may_fail_the_source_ends_in_one_line(tmp_path, options):
    configured(tmp_path, "libvirt", **{"uris": [TEST, "qemu:///system?socket=/nonexistent"], **options})
    done = run_inventory(tmp_path)
    assert done.returncode != 0
    assert "Failed to connect socket" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_that_says_nothing_is_left_behind_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"qemu+tcp://127.0.0.1:{silent.getsockname()[1]}/system"
        test, left = ask_libvirt(Wanted((TEST, uri), timeout=3))
    assert test.failure is None
    assert left.failure == "it did not answer within 3 s"


TWO = """<node>
<domain type='test'><name>web</name><uuid>4a64cc71-19c4-2fd0-2323-3050941ea3c4</uuid><memory>1</memory>
<os><type>hvm</type></os></domain>
<domain type='test'><name>db</name><uuid>4a64cc71-19c4-2fd0-2323-3050941ea3c5</uuid><memory>1</memory>
<os><type>hvm</type></os></domain></node>"""


@pytest.mark.parametrize(("code", "left"), [(libvirt.VIR_ERR_NO_DOMAIN, []), (libvirt.VIR_ERR_INTERNAL_ERROR, ["web"])])
def test_a_domain_that_fails_costs_itself_and_one_that_is_destroyed_is_gone(tmp_path, monkeypatch, code, left):
    (tmp_path / "two.xml").write_text(TWO)
    read = libvirt.virDomain.XMLDesc

    def failing(domain, flags=0):
        if domain.name() != "web":
            return read(domain, flags)
        error = libvirt.libvirtError("it fails")
        error.err = (code, 0, "it fails", 2, None, None, None, 0, 0)
        raise error

    monkeypatch.setattr(libvirt.virDomain, "XMLDesc", failing)
    (answer,) = ask_libvirt(Wanted((f"test://{tmp_path}/two.xml",)))
    assert answer.failure is None
    assert sorted(one.name for one in answer.domains) == sorted(["db", *left])
    assert [one.name for one in answer.domains if one.failure] == left


def test_agents_that_hang_cost_no_host_its_answer(tmp_path, monkeypatch):
    (tmp_path / "two.xml").write_text(TWO)
    asked = []

    def hanging(domain, source, *_):
        asked.append((domain.name(), source))
        if source == SOURCES["agent"]:
            time.sleep(2.2)
        return {}

    monkeypatch.setattr(libvirt.virDomain, "interfaceAddresses", hanging)
    (answer,) = ask_libvirt(Wanted((f"test://{tmp_path}/two.xml",), timeout=4))
    assert len(answer.domains) == 2
    assert len([one for one in asked if one[1] == SOURCES["agent"]]) == 1
    assert "1 guest agents were not asked, since others before them took too long" in answer.warnings


def test_what_the_agent_tells_of_a_card_counts_alone():
    told = {"agent": {"52:54:00:00:00:01": ["10.0.0.5"], "": ["127.0.0.1"], "02:42:00:00:00:01": ["172.17.0.1"]}}
    stale = {"lease": {"52:54:00:00:00:01": ["10.0.0.99"], "52:54:00:00:00:02": ["10.0.0.7"]}}
    cards = definition("52:54:00:00:00:01", "52:54:00:00:00:02")
    domain = Domain("u-1", "web", "running", cards, {**told, **stale})
    hosts, _ = variables(domain)
    assert hosts["web"]["ringfence_addresses"] == ["10.0.0.5", "10.0.0.7"]
    hosts, _ = variables(domain, inner_interfaces=True)
    assert hosts["web"]["ringfence_addresses"] == ["10.0.0.5", "10.0.0.7", "172.17.0.1"]


@pytest.mark.parametrize(
    ("system", "guest"),
    [("http://microsoft.com/win/2k22", {}), ("", {"os.id": "mswindows", "os.pretty-name": "Windows Server 2022"})],
)
def test_windows_is_known_from_the_definition_or_the_agent(system, guest):
    hosts, _ = variables(Domain("u-1", "win", "running", definition(system=system), {}, guest))
    assert (hosts["win"]["ringfence_enforcer"], hosts["win"]["ansible_connection"]) == ("windows", "psrp")


def test_a_domain_that_moved_is_the_one_that_runs():
    old, new = (Domain("u-1", "web", state, definition()) for state in ("shutoff", "running"))
    for order in ((("kvm-1", old), ("kvm-2", new)), (("kvm-2", new), ("kvm-1", old))):
        answers = [HostAnswer(f"qemu+ssh://{name}/system", name, [domain]) for name, domain in order]
        ((name, found),) = assets(answers, Shape()).hosts
        assert (name, found["ringfence_libvirt"]["host"]) == ("web", "kvm-2")


def test_running_domains_without_addresses_are_named_and_counted():
    names = [f"d{number}" for number in range(7)]
    _, found = variables(*(Domain(f"u-{name}", name, "running", definition()) for name in names))
    told = "7 running domains have no address that an agent, lease or ARP tells: d0, d1, d2, d3, d4 and 2 more"
    assert list(found.warnings) == [told]


def test_each_host_may_be_a_realm_and_a_way_into_its_domains():
    domain = Domain("u-1", "web", "running", definition())
    hosts, _ = variables(domain, realm="host", connection="libvirt_qemu", host="7kvm.example.org")
    assert hosts["web"]["ringfence_realm"] == "_7kvm.example.org"
    assert hosts["web"]["ansible_connection"] == "community.libvirt.libvirt_qemu"
    assert hosts["web"]["ansible_host"] == "web"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("qemu+ssh://root@kvm-1:2222/system?keyfile=/root/key", "qemu+ssh://kvm-1:2222/system"),
        ("qemu:///system?socket=/run/x", "qemu:///system"),
        ("test:///default", "test:///default"),
        ("xen+ssh://xen-1/", "xen+ssh://xen-1/"),
    ],
)
def test_a_uri_is_shown_without_accounts_and_keys(uri, shown):
    assert shown_uri(uri) == shown


def test_the_examples_of_the_documentation_use_options_that_exist():
    options, examples = documentation("libvirt")
    assert examples
    for example in examples:
        assert set(example) <= options | {"cache", "compose", "groups", "keyed_groups"}
