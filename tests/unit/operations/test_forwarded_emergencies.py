"""Emergencies of machines behind a host that judges what it forwards: cut and let through there, too."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.operations.allow_for import PermissionRequest, allow_for, permission_of
from ringfence.operations.execution import Execution
from ringfence.operations.other_firewalls import keep_reports
from ringfence.operations.quarantine import QuarantineRequest, quarantine, quarantine_of
from ringfence.presenting.emergency_view import carried_lines, cut_lines
from ringfence.wire import emergency_lines

from tests.unit.cli_shop import NOW, shop
from tests.unit.emergency_hosts import HostsInMemory
from tests.unit.operations.test_other_firewalls import told

INVENTORY = """\
all:
  vars: {ringfence_labels: {app: shop, env: prod}}
  hosts:
    gw-1: {ansible_host: 10.0.1.1, vm: {role: host}, ringfence_nftables: {forwards: [10.0.2.0/24, 10.0.1.0/30]}}
    web-1: {ansible_host: 10.0.1.4, vm: {role: web}}
    db-1: {ansible_host: 10.0.2.4, vm: {role: db}}
    cache-1: {ansible_host: 10.0.2.5, vm: {role: cache}, ringfence_enforcer: forwarded}
"""
SETTINGS = "control: {from: [10.0.0.0/24], port: 22}\n"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return shop(tmp_path, {"inventory/hosts.yml": INVENTORY, "ringfence.yml": SETTINGS})


def lines(hosts: HostsInMemory, host: str) -> list[str]:
    return emergency_lines.format(hosts.kernels.get(host, {}).values()).splitlines()[1:]


def test_who_is_isolated_is_cut_where_it_is_forwarded_from_all_but_who_is_kept(directory: Path) -> None:
    hosts, estate = HostsInMemory(), Estate(directory)
    cut = quarantine_of(estate, QuarantineRequest(("cache-1",), ("web-1",), "scans"))
    assert cut.not_enforced == ()
    assert quarantine(estate, cut, Execution(runner=hosts)).exit_status == 0
    assert sorted(hosts.kernels) == ["db-1", "gw-1"]
    assert lines(hosts, "gw-1") == ["element quarantined 10.0.2.5", "element kept 10.0.1.4"]
    assert lines(hosts, "db-1") == ["element quarantined 10.0.2.5"]


def test_the_question_and_the_report_say_what_stops_passing_a_router(directory: Path) -> None:
    hosts, estate = HostsInMemory(), Estate(directory)
    cut = quarantine_of(estate, QuarantineRequest(("gw-1",), (), "owned"))
    said = "gw-1 forwards for others, for cache-1, db-1: until it is released nothing passes it except what is kept"
    assert cut.data()["forwarders"] == {"gw-1": ["cache-1", "db-1"]}
    assert [one.text.strip() for one in cut_lines(cut)].count(said) == 1
    done = quarantine(estate, cut, Execution(runner=hosts))
    assert [one.text.strip() for one in carried_lines(done)].count(said) == 1


def test_a_router_that_is_not_asked_to_judge_is_named_by_what_it_told(directory: Path) -> None:
    estate = Estate(directory)
    host = told("web-1", "end\n")
    between = "10.0.1.0/24 (eth0), 10.0.9.0/24 (eth1)"
    host.result["forwards"] = [
        "/proc/sys/net/ipv4/ip_forward: this host forwards",
        f"forwarded, by x: between {between}",
    ]
    assert keep_reports(estate, {"web-1": host}) == []
    cut = quarantine_of(estate, QuarantineRequest(("web-1",), (), "owned"))
    assert cut.forwarders == {"web-1": (between,)}
    assert quarantine_of(estate, QuarantineRequest(("db-1",), (), "owned")).forwarders == {}


def test_who_is_cut_off_by_hosts_on_the_way_alone_is_named(directory: Path) -> None:
    hosts, estate = HostsInMemory(), Estate(directory)
    cut = quarantine_of(estate, QuarantineRequest(("cache-1",), (), "scans"))
    assert cut.data()["on_the_way"] == {"cache-1": ["gw-1"]}
    said = (
        "nothing is installed on cache-1: it is cut off where gw-1 forwards for it and by its peers; "
        "what passes neither is not stopped"
    )
    assert [one.text.strip() for one in cut_lines(cut)].count(said) == 1
    done = quarantine(estate, cut, Execution(runner=hosts))
    assert [one.text.strip() for one in carried_lines(done)].count(said) == 1


def test_a_permission_opens_the_way_of_both_ends_that_the_host_judges(directory: Path) -> None:
    hosts, estate = HostsInMemory(), Estate(directory)
    asked = PermissionRequest("1h", "role=web", "role=cache", "tcp/8443", "looks")
    assert allow_for(estate, permission_of(estate, asked), Execution(runner=hosts)).exit_status == 0
    # the web server's network is none that the host is asked to judge for
    assert lines(hosts, "gw-1") == [
        "element container ~cache-1 10.0.2.5",
        "element permitted to 6 8443 @~cache-1 10.0.1.4",
    ]
    assert lines(hosts, "web-1") == ["element permitted out 6 8443 any 10.0.2.5"]
    hosts = HostsInMemory()
    asked = PermissionRequest("1h", "role=db", "role=cache", "tcp/8443", "looks")
    assert allow_for(estate, permission_of(estate, asked), Execution(runner=hosts)).exit_status == 0
    assert lines(hosts, "gw-1")[2:] == [
        "element permitted from 6 8443 @~db-1 10.0.2.5",
        "element permitted to 6 8443 @~cache-1 10.0.2.4",
    ]
