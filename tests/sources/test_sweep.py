"""The inventory plugin sweep: reports of nmap, and nmap itself between network namespaces, never outside of ranges."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.sweep.api import read_report
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.sweep.ranges import read_ranges
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.sweep.recorded import recorded
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.sweep.transform import hosts

from tests.sources.inventory_run import configured, documentation, listed, run_inventory

HOSTILE = "{{ lookup('pipe', 'touch pwned') }}"


def seen(address, when="1700000000", more="", state="up"):
    kind = "ipv6" if ":" in address else "ipv4"
    status = f'<status state="{state}" reason="echo-reply"/>'
    return f'<host endtime="{when}">{status}<address addr="{address}" addrtype="{kind}"/>{more}</host>'


def report(*seen_hosts, end="</nmaprun>"):
    return f'<?xml version="1.0"?>\n<!DOCTYPE nmaprun>\n<nmaprun scanner="nmap">{"".join(seen_hosts)}{end}'.encode()


PORTS = """<ports><port protocol="tcp" portid="5432"><state state="open"/><service name="postgresql"/></port>
<port protocol="tcp" portid="22"><state state="closed"/></port></ports>"""
MAC = '<address addr="00:11:22:33:44:55" addrtype="mac" vendor="Acme"/>'
NAME = f'<hostnames><hostname name="web-1"/><hostname name="{HOSTILE}"/></hostnames>'


def found(*contents, ranges=("10.0.0.0/8", "2001:db8::/64"), exclude=()):
    reports = {f"{number}.xml": read_report(content) for number, content in enumerate(contents)}
    return hosts(reports, read_ranges(ranges, exclude), "sweep_", False)


def test_what_answers_in_the_ranges_becomes_a_host_named_by_its_address():
    result = found(
        report(seen("10.0.0.5", more=MAC + NAME + PORTS), seen("2001:db8::5"), seen("10.0.0.6", state="down"))
    )
    known = dict(result.hosts)
    assert set(known) == {"10.0.0.5", "2001_db8_5"}
    host = known["10.0.0.5"]
    assert (host["ringfence_addresses"], host["ringfence_workload"]) == (["10.0.0.5"], False)
    assert host["ringfence_labels"] == {"sweep_range": "10.0.0.0/8"}
    assert host["ringfence_sweep"]["listeners"] == [{"port": 5432, "protocol": "tcp", "service": "postgresql"}]
    assert (host["ringfence_sweep"]["mac"], host["ringfence_sweep"]["vendor"]) == (["00:11:22:33:44:55"], "Acme")
    assert host["ringfence_sweep"]["seen"] == "2023-11-14T22:13:20Z"


def test_two_addresses_are_two_hosts_whatever_their_names_would_be():
    two = [seen("2001:db8:1::5"), seen("2001:db8::1:5")]
    for order in (two, two[::-1]):
        known = dict(found(report(*order), ranges=["2001:db8::/32"]).hosts)
        assert {name: host["ringfence_addresses"] for name, host in known.items()} == {
            "2001_db8_1__5": ["2001:db8:1::5"],
            "2001_db8__1_5": ["2001:db8::1:5"],
        }


def test_a_swept_address_says_that_it_is_no_more_than_that():
    (host,) = dict(found(report(seen("10.0.0.5"))).hosts).values()
    assert (host["ringfence_workload"], host["ringfence_kind"]) == (False, "swept")


def test_addresses_that_names_of_the_inventory_resolve_to_are_recorded_within_a_time(monkeypatch):
    never = threading.Event()

    def resolve(name, *_, **__):
        if name == "slow.example":
            never.wait()
        if name != "db-1.example":
            raise OSError
        return [(None, None, None, None, (text, 0)) for text in ("10.0.0.5", "2001:db8::5")]

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    hosts_there = {
        "db-1": {"ansible_host": "db-1.example"},
        "slow.example": {},
        "gone": {},
        "a": {"private_ip_address": "10.0.0.6"},
        "b": {"ringfence_addresses": ["10.0.0.7"], "ansible_host": "never-asked.example"},
    }
    assert recorded(hosts_there, 2) == {"10.0.0.5", "2001:db8::5", "10.0.0.6", "10.0.0.7"}
    never.set()
    assert recorded(hosts_there, 0) == {"10.0.0.6", "10.0.0.7"}


def test_what_a_report_says_of_other_addresses_is_left_out_and_counted():
    content = report(seen("10.0.0.5"), seen("192.0.2.1"), seen("10.0.0.9"), seen("127.0.0.1"))
    result = found(content, exclude=["10.0.0.8/31"])
    assert [name for name, _ in result.hosts] == ["10.0.0.5"]
    assert result.warnings == ["2 addresses that were seen are outside of 'ranges' and left out"]


def test_of_several_reports_the_latest_counts():
    late = seen("10.0.0.5", "1700000001", PORTS)
    for contents in ((report(late), report(seen("10.0.0.5"))), (report(seen("10.0.0.5")), report(late))):
        assert "listeners" in dict(found(*contents).hosts)["10.0.0.5"]["ringfence_sweep"]


@pytest.mark.parametrize(
    ("content", "fault", "kept"),
    [
        (report(seen("10.0.0.5"), end=""), "not complete XML", 1),
        (b"", "not complete XML", 0),
        (b"<html/>", "not an nmap report but 'html'", 0),
        (b'<!DOCTYPE nmaprun [<!ENTITY a "b">]><nmaprun/>', "declares XML entities", 0),
    ],
)
def test_a_broken_report_is_told_and_what_stands_before_the_fault_counts(content, fault, kept):
    result = found(content)
    assert len(result.hosts) == kept
    assert fault in result.warnings[0]
    assert set(result.unreached) == {"sweep 0.xml"}


@pytest.mark.parametrize("wrong", ["example.com", "10.0.0.1-20", "10.0.0.5/8", "-oN", ""])
def test_ranges_are_networks_and_nothing_else(wrong):
    with pytest.raises(SourceRefused, match="is not a valid network"):
        read_ranges([wrong], [])


def test_only_what_no_inventory_before_has_is_added_and_nothing_is_evaluated(tmp_path):
    content = report(seen("10.0.0.5", more=NAME + PORTS), seen("10.0.0.6"), seen("10.0.0.7"), seen("10.0.0.8"))
    (tmp_path / "sweep.xml").write_bytes(content)
    config = configured(tmp_path, "sweep", ranges=["10.0.0.0/24"], xml=["../sweep.xml"])
    others = "a ringfence_addresses='10.0.0.6, 10.9.9.9'\nb ansible_host=10.0.0.7\n10.0.0.8\n"
    (tmp_path / "inventory/05-static.ini").write_text(others)
    inventory, warnings = listed(tmp_path)
    assert set(inventory["_meta"]["hostvars"]) & {"10.0.0.5", "10.0.0.6", "10.0.0.7"} == {"10.0.0.5"}
    assert "lookup" in inventory["_meta"]["hostvars"]["10.0.0.5"]["ringfence_sweep"]["dns_names"][1]
    assert warnings == ""
    assert not list(tmp_path.rglob("pwned"))
    config.write_text(config.read_text().replace("sweep.xml", "gone.xml"))
    done = run_inventory(tmp_path)
    assert done.returncode != 0
    assert "gone.xml: it cannot be read" in " ".join(done.stderr.split())


@pytest.fixture
def wired():
    """Two namespaces with a wire between; the near one counts what leaves for anywhere but 10.66.0.0/29 without .4."""
    missing = [tool for tool in ("nmap", "ip", "nft") if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"not there: {', '.join(missing or ['root'])}")
    near, far = f"rf-near-{os.getpid()}", f"rf-far-{os.getpid()}"

    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    try:
        for name in (near, far):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", near, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", far)
        for name, addresses in ((near, ["10.66.0.1/16"]), (far, [f"10.66.0.{one}/16" for one in (2, 3, 4, 9)])):
            for address in addresses:
                ip("-n", name, "address", "add", address, "dev", "wire")
            ip("-n", name, "link", "set", "wire", "up")
        ip("-n", near, "route", "add", "default", "via", "10.66.0.2")
        rules = """table inet count { chain out { type filter hook output priority 0;
          oifname "wire" ip daddr != { 10.66.0.0-10.66.0.3, 10.66.0.5-10.66.0.7 } counter
          }; }
          table arp asked { chain out { type filter hook output priority 0;
          arp operation request arp daddr ip != { 10.66.0.0-10.66.0.3, 10.66.0.5-10.66.0.7 } counter
          }; }"""
        subprocess.run(["ip", "netns", "exec", near, "nft", "-f", "-"], input=rules, text=True, check=True)
        yield near, far
    finally:
        for name in (near, far):
            subprocess.run(["ip", "netns", "delete", name], check=False)


def test_nmap_sweeps_the_ranges_and_sends_nothing_anywhere_else(wired, tmp_path, monkeypatch):
    near, far = wired
    serve = "import socket,time\ns=socket.create_server(('10.66.0.3', 5432))\nprint(1, flush=True)\ntime.sleep(600)"
    server = subprocess.Popen(["ip", "netns", "exec", far, "python3", "-c", serve], stdout=subprocess.PIPE)
    try:
        assert server.stdout.readline()
        options = {"ranges": ["10.66.0.0/29"], "exclude": ["10.66.0.4"], "ports": "22,5432", "timeout": 60}
        configured(tmp_path, "sweep", **options)
        wrapper = tmp_path / "bin/nmap"
        wrapper.parent.mkdir()
        wrapper.write_text(f'#!/bin/sh\nexec ip netns exec {near} {shutil.which("nmap")} "$@"\n')
        wrapper.chmod(0o755)
        monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
        inventory, _ = listed(tmp_path)
    finally:
        server.terminate()
        server.communicate(timeout=60)
    variables = inventory["_meta"]["hostvars"]
    assert set(variables) == {"10.66.0.1", "10.66.0.2", "10.66.0.3"}
    assert variables["10.66.0.3"]["ringfence_sweep"]["listeners"] == [
        {"port": 5432, "protocol": "tcp", "service": "postgresql"}
    ]
    assert silent_counters(near) == 2
    astray = "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('10.66.0.9', 9))"
    subprocess.run(["ip", "netns", "exec", near, "python3", "-c", astray], check=True)
    assert silent_counters(near) == 0, "the counters would not have seen it"


def silent_counters(namespace):
    command = ["ip", "netns", "exec", namespace, "nft", "list", "ruleset"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.count("counter packets 0")


def test_too_large_a_sweep_is_refused_before_anything_is_sent(tmp_path):
    configured(tmp_path, "sweep", ranges=["10.0.0.0/8"])
    done = run_inventory(tmp_path)
    assert done.returncode != 0
    assert "'ranges' has 16777216 addresses" in " ".join(done.stderr.split())


def test_the_documented_examples_name_options_that_there_are():
    options, examples = documentation("sweep")
    assert len(examples) == 2
    assert all(set(example) <= {*options, "groups", "cache", "cache_timeout"} for example in examples)
