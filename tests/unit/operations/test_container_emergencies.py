"""Emergencies of containers are carried out by the host that holds them, and answers say so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.emergencies import Kind
from ringfence.model.errors import InputError
from ringfence.operations.allow_for import PermissionRequest, allow_for, permission_of
from ringfence.operations.execution import Execution
from ringfence.operations.explain import explain
from ringfence.operations.quarantine import QuarantineRequest, quarantine, quarantine_of
from ringfence.operations.release import release
from ringfence.presenting.emergency_view import cut_lines, permission_lines
from ringfence.presenting.explanation import explanation_lines
from ringfence.wire import emergency_lines

from tests.unit.cli_shop import NOW, shop
from tests.unit.emergency_hosts import HostsInMemory

CONTAINER = """\
    {name}.dock-1:
      ringfence_addresses: [172.30.1.{last}]
      ringfence_realm: containers-dock-1
      ringfence_enforcer: containers
      vm: {{role: {name}}}
      ringfence_containers:
        host: dock-1
        name: {name}
        networks: [{{name: front, driver: {driver}, subnets: [172.30.1.0/24], gateways: [172.30.1.1]}}]
"""
MEMBER = """\
    member.dock-1:
      ringfence_addresses: []
      ringfence_realm: containers-dock-1
      ringfence_enforcer: containers
      ringfence_workload: false
      ringfence_containers: {host: dock-1, name: member, state: running, network_mode: "container:web"}
"""
INVENTORY = """\
all:
  vars: {ringfence_labels: {app: shop, env: prod}}
  hosts:
    db-1: {ansible_host: 10.0.1.4, vm: {role: db}}
    dock-1: {ansible_host: 10.0.1.9, vm: {role: host}}
"""
SETTINGS = "control: {from: [10.0.0.0/24], port: 22}\nrealms: {containers-dock-1: {sees: [default]}}\n"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A shop whose web and cache are containers of dock-1, a third goes past the host's packet filter."""
    containers = (("web", 2, "bridge"), ("cache", 3, "bridge"), ("lan", 4, "macvlan"))
    inventory = INVENTORY + "".join(CONTAINER.format(name=n, last=last, driver=d) for n, last, d in containers)
    return shop(tmp_path, {"inventory/hosts.yml": inventory, "ringfence.yml": SETTINGS})


def lines(hosts: HostsInMemory, host: str) -> list[str]:
    return emergency_lines.format(hosts.kernels.get(host, {}).values()).splitlines()[1:]


def isolate(directory: Path, what: str, *keep: str) -> tuple[HostsInMemory, list[str]]:
    hosts, estate = HostsInMemory(), Estate(directory)
    cut = quarantine_of(estate, QuarantineRequest((what,), keep, "scans"))
    assert quarantine(estate, cut, Execution(runner=hosts)).exit_status == 0
    return hosts, [line.text for line in cut_lines(cut)]


def verdict(directory: Path, client: str, server: str) -> str:
    return explain(Estate(directory), client, server, "tcp/8443").verdict


def test_a_container_is_isolated_by_its_host_alone(directory: Path) -> None:
    hosts, said = isolate(directory, "web.dock-1")
    assert lines(hosts, "dock-1") == ["element container web 172.30.1.2", "element isolated @web"]
    assert hosts.kernels.keys() == {"dock-1"}
    assert said[1] == "  1 container isolated by dock-1; Ansible's way to hosts stays open"
    assert not any("nothing enforces on web" in line for line in said)
    assert {verdict(directory, "web.dock-1", other) for other in ("cache.dock-1", "db-1", "dock-1")} == {"deny"}


def test_a_container_that_its_host_does_not_see_is_named_as_not_enforced(directory: Path) -> None:
    cut = quarantine_of(Estate(directory), QuarantineRequest(("lan.dock-1",), (), "scans"))
    assert (cut.holders, cut.not_enforced) == ((), ("lan.dock-1",))


def test_one_in_the_network_of_another_is_judged_by_the_table_of_that_one_and_answers_say_so(directory: Path) -> None:
    inventory = directory / "inventory/hosts.yml"
    inventory.write_text(inventory.read_text() + MEMBER)
    why = "it is in the network of container web, whose table judges it"
    cut = quarantine_of(Estate(directory), QuarantineRequest(("member.dock-1", "web.dock-1"), (), "scans"))
    assert (cut.holders, cut.elsewhere) == (("dock-1",), {"member.dock-1": why})
    said = [line.text for line in cut_lines(cut) if "member.dock-1" in line.text][1:]
    assert said == [f"  member.dock-1 is not cut off by its own name: {why}"]
    with pytest.raises(InputError, match=why):
        explain(Estate(directory), "db-1", "member.dock-1", "tcp/80")


def test_containers_of_its_bridge_that_an_isolated_one_still_reaches_are_named(directory: Path) -> None:
    cut = quarantine_of(Estate(directory), QuarantineRequest(("web.dock-1",), (), "scans"))
    assert cut.data()["not_cut"] == {"web.dock-1": ["cache.dock-1"]}
    (said,) = [line.text for line in cut_lines(cut) if "not cut" in line.text]
    assert said.startswith("  not cut from cache.dock-1, on one bridge with web.dock-1, unless its host has ")
    kept = QuarantineRequest(("web.dock-1",), ("cache.dock-1",), "scans")
    assert quarantine_of(Estate(directory), kept).not_cut == {}
    inventory = directory / "inventory/hosts.yml"
    asked = "dock-1: {ringfence_nftables: {bridged: true}, "
    inventory.write_text(inventory.read_text().replace("dock-1: {", asked, 1))
    assert quarantine_of(Estate(directory), QuarantineRequest(("web.dock-1",), (), "scans")).not_cut == {}


def test_explain_names_the_bridge_over_which_a_denied_connection_may_pass(directory: Path) -> None:
    denied = explain(Estate(directory), "web.dock-1", "cache.dock-1", "tcp/8443")
    (said,) = [line.text for line in explanation_lines(denied) if line.text.startswith("not proven")]
    assert said.startswith("not proven: both are on bridge front of dock-1, whose packets no table sees")
    assert denied.data()["not_proven"] == [said.removeprefix("not proven: ")]
    for client, server in (("web.dock-1", "db-1"), ("web.dock-1", "lan.dock-1"), ("web.dock-1", "web.dock-1")):
        assert explain(Estate(directory), client, server, "tcp/8443").not_proven == ""


def test_what_a_host_forwards_is_isolated_with_it_and_a_peer_is_cut_from_its_containers(directory: Path) -> None:
    hosts, _ = isolate(directory, "dock-1", "cache.dock-1")
    assert lines(hosts, "dock-1") == [
        "element container cache 172.30.1.3",
        "element isolated all",
        "element kept @cache",
    ]
    assert lines(hosts, "db-1") == ["element quarantined 10.0.1.9"]
    assert verdict(directory, "web.dock-1", "db-1") == "deny"
    hosts, _ = isolate(directory, "db-1", "cache.dock-1")
    assert lines(hosts, "dock-1")[1:] == ["element quarantined 10.0.1.4", "element kept @cache"]
    assert "cache.dock-1" not in hosts.kernels


def test_a_permission_opens_the_way_of_a_container_at_its_host(directory: Path) -> None:
    hosts, estate = HostsInMemory(), Estate(directory)
    asked = PermissionRequest("1h", "role=web", "role=cache", "tcp/8443", "looks")
    assert verdict(directory, "web.dock-1", "cache.dock-1") == "deny"
    assert allow_for(estate, permission_of(estate, asked), Execution(runner=hosts)).exit_status == 0
    assert lines(hosts, "dock-1") == [
        "element container cache 172.30.1.3",
        "element container web 172.30.1.2",
        "element permitted from 6 8443 @web @cache",
        "element permitted to 6 8443 @cache @web",
    ]
    assert verdict(directory, "web.dock-1", "cache.dock-1") == "allow"
    hosts = HostsInMemory()
    asked = PermissionRequest("1h", "role=host", "role=web", "tcp/8443", "looks")
    assert allow_for(estate, permission_of(estate, asked), Execution(runner=hosts)).exit_status == 0
    assert lines(hosts, "dock-1")[1:] == [
        "element permitted out 6 8443 any @web",
        "element permitted to 6 8443 @web 10.0.1.9",
    ]


def test_a_permission_of_a_container_opens_the_other_host_s_own_table_too_and_ends_on_both(directory: Path) -> None:
    hosts, estate = HostsInMemory(), Estate(directory)
    permission = permission_of(estate, PermissionRequest("1h", "web.dock-1", "db-1", "tcp/5432", "looks"))
    done = allow_for(estate, permission, Execution(runner=hosts))
    assert lines(hosts, "dock-1")[1:] == ["element permitted from 6 5432 @web 10.0.1.4"]
    # it comes from its host's address, and db-1 cannot tell it from what that host sends itself
    assert lines(hosts, "db-1") == ["element permitted in 6 5432 any 10.0.1.9"]
    assert any("at the addresses of dock-1" in line.text for line in permission_lines(permission))
    assert permission.data()["carried_by"] == {"dock-1": ["web.dock-1"]}
    side = explain(Estate(directory), "dock-1", "db-1", "tcp/5432").sides[1]
    assert (side.verdict, done.order.id in side.rule) == ("allow", True)
    assert release(Estate(directory), done.order.id, Kind.PERMISSION, Execution(runner=hosts)).missing == ()
    assert not any(hosts.kernels.values())


@pytest.mark.parametrize(
    ("ports", "wanted"),
    [
        ([{"port": 8443, "protocol": "tcp", "published": 9443, "published_at": "0.0.0.0"}], ["out 6 9443"]),
        ([{"port": 8443, "protocol": "tcp", "published": 9443}, {"port": 80, "published": 81}], ["out 6 9443"]),
        ([{"port": 8443, "protocol": "tcp", "published": 9443, "published_at": "127.0.0.1"}], []),
        ([{"port": 8443, "protocol": "udp", "published": 9443}], []),
        ([{"port": "8443; reboot", "published": True}, 7, {"port": 8443}, {"published_at": "x", "port": 8443}], []),
        (None, []),
    ],
)
def test_who_asks_a_container_of_another_host_is_let_out_to_the_port_that_is_published(
    directory: Path, ports: object, wanted: list[str]
) -> None:
    inventory = directory / "inventory/hosts.yml"
    inventory.write_text(
        inventory.read_text().replace("name: web\n", f"name: web\n        ports: {json.dumps(ports)}\n", 1)
    )
    hosts, estate = HostsInMemory(), Estate(directory)
    permission = permission_of(estate, PermissionRequest("1h", "db-1", "web.dock-1", "tcp/8443", "looks"))
    allow_for(estate, permission, Execution(runner=hosts))
    assert lines(hosts, "dock-1")[1:] == ["element permitted to 6 8443 @web 10.0.1.4"]
    assert lines(hosts, "db-1") == [f"element permitted {one} any 10.0.1.9" for one in wanted]
    said = [line.text for line in permission_lines(permission)]
    assert any("no host is known to publish" in line for line in said) == (not wanted)
    assert permission.unpublished == (() if wanted else ("web.dock-1",))


def test_a_guardrail_against_the_host_stands_against_its_containers_elsewhere(directory: Path) -> None:
    guard = "tier: guardrail\nrules:\n  - {name: no docker host, from: {role: host}, to: {role: db}, deny: tcp/5432}\n"
    (directory / "policy/guard.yml").write_text(guard)
    with pytest.raises(InputError, match="'no docker host' denies dock-1 to db-1"):
        permission_of(Estate(directory), PermissionRequest("1h", "web.dock-1", "db-1", "tcp/5432", "looks"))
