"""Hosts with little on them: no Python, no shell but busybox; and a login that becomes root on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ringfence.lab.spec import HostSpec
from ringfence.wire.emergency_lines import Emergency, Grant, format  # noqa: A004

from tests.lab.rollouts import Rollouts, Wanted
from tests.lab_fixtures import MakeLab, echo_unit

pytestmark = [pytest.mark.lab, pytest.mark.machines]
CLOSED = Wanted(allow={None: (1,)})
OPEN = Wanted()
HANGS = r"#!/bin/sh\necho BANNER\nsleep 1000\n"
FACTS = (
    *("hostname", "nodename", "architecture", "kernel", "service_mgr", "interfaces", "all_ipv4_addresses"),
    *("all_ipv6_addresses", "distribution", "distribution_version", "distribution_release", "os_family"),
)


def test_hosts_with_busybox_alone_or_without_python_are_enforced_on_and_come_back(
    make_lab: MakeLab, tmp_path: Path
) -> None:
    hosts = ("small", "serpentless")
    lab = make_lab(
        [
            HostSpec("small", "bookworm", variant="busybox"),
            HostSpec("serpentless", "trixie", variant="no-python"),
        ],
        "machines",
    )
    rollouts = Rollouts(lab, tmp_path)
    assert "python" not in rollouts.sh("serpentless", "ls /usr/bin /usr/local/bin")
    reported(rollouts, tmp_path, hosts)
    # from here on neither has a Python that works
    rollouts.sh(
        "small", f"printf '{HANGS}' >/tmp/python3 && chmod 755 /tmp/python3 && mv /tmp/python3 /usr/bin/python3"
    )
    first = rollouts.apply(dict.fromkeys(hosts, CLOSED))
    assert rollouts.playbook_drift(first) == {}
    quarantined(rollouts, hosts)
    elsewhere = rollouts.plan(dict.fromkeys(hosts, Wanted(control=("192.0.2.0/24",))))
    refused = rollouts.roll_out(elsewhere)
    assert {host.state for host in refused.hosts.values()} == {"refused"}
    back = rollouts.roll_out(
        rollouts.plan(dict.fromkeys(hosts, Wanted(control=("192.0.2.0/24",), port=22))),
        force_lockout_test=True,
        confirm_within=3,
    )
    assert {host.state for host in back.hosts.values()} == {"rolled back"}
    for host in hosts:
        rollouts.answers(host, 22)
    rollouts.reboot(hosts)
    assert rollouts.drift(first) == {}
    rollouts.remove()
    assert [rollouts.remains(host) for host in hosts] == ["", ""]


def reported(rollouts: Rollouts, directory: Path, hosts: Sequence[str]) -> None:
    """Hold what hosts report by their shells against what Python reports where there is one."""
    told: dict[str, dict[str, Any]] = {}
    for name, more in (("python", {}), ("shell", {"ansible_python_interpreter": "/nonexistent"})):
        flows, facts = directory / f"{name}-flows", directory / f"{name}-facts"
        result = rollouts.play("discover", more=more, flows_directory=str(flows), facts_directory=str(facts))
        assert result.ok, (result.data(), result.complaint)
        for host in hosts:
            told[f"{name} {host}"] = json.loads((flows / f"{host}.json").read_text())
            facts_of = json.loads((facts / f"{host}.json").read_text())["facts"]
            # each lists addresses in an order of its own
            facts_of["all_ipv6_addresses"].sort()
            told[f"{name} {host}"] |= {"facts": {key: facts_of.get(key) for key in FACTS}}
    assert {key: one["read_by"] for key, one in told.items()} == {
        **dict.fromkeys((f"shell {host}" for host in hosts), "shell"), "python small": "python",
        "python serpentless": "shell",
    }  # fmt: skip
    for host in hosts:
        one = told[f"shell {host}"]
        assert ("sshd", "ssh.service", "root") in {
            (row["process"], row["unit"], row["user"]) for row in one["listeners"]
        }
        assert ("in", 22) in {(row["direction"], row["port"]) for row in one["flows"]}
    by_python, by_shell = told["python small"], told["shell small"]
    for key in ("addresses", "listeners", "conntrack", "facts"):
        assert by_shell[key] == by_python[key], key
    assert set(by_python["units"]) - {"session"} <= set(by_shell["units"]) | {"session-1.scope", "session-2.scope"}


def quarantined(rollouts: Rollouts, hosts: Sequence[str]) -> None:
    """Cut hosts off, let something through for a while, and take both back."""
    now = int(time.time())
    cut = Emergency("q-0123abcd", "quarantine", now, 0, "ann", "it scans", isolates=True)
    let = Emergency("p-0123abcd", "permission", now, now + 3600, grants=(Grant("in", 6, ("10.203.0.1",)),))
    given = rollouts.play("quarantine", emergency=dict.fromkeys(hosts, format([cut, let])))
    assert given.ok, (given.data(), given.complaint)
    info = rollouts.play("info")
    for host in hosts:
        told = info.hosts[host].result["emergency"]
        assert {(one["id"], one["held"]) for one in told} == {(cut.id, True), (let.id, True)}  # type: ignore[attr-defined]
    assert rollouts.play("release", emergency=dict.fromkeys(hosts, f"{cut.id} {let.id}")).ok


def test_a_login_that_becomes_root_finds_its_connection(
    make_lab: MakeLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = make_lab([HostSpec("plain", "bookworm", units=(echo_unit(),))], "machines")
    rollouts = Rollouts(lab, tmp_path)
    monkeypatch.setenv("ANSIBLE_BECOME_ALLOW_SAME_USER", "true")
    become = {"ansible_become": True, "ansible_become_method": "su"}
    refused = rollouts.roll_out(rollouts.plan({"plain": Wanted(control=("192.0.2.0/24",))}), more=become)
    assert refused.hosts["plain"].result["rule"] == "lockout"
    plan = rollouts.plan({"plain": OPEN})
    assert rollouts.roll_out(plan, more=become).hosts["plain"].state == "confirmed"
    assert rollouts.playbook_drift(plan) == {}
