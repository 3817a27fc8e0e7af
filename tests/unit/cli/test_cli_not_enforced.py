"""A host that no installed enforcer is for is not a workload: nothing that is printed says that it denies anything."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

import pytest

from tests.unit.cli_shop import FILES, data, ringfence, shop

HOSTS = FILES["inventory/hosts.yml"]
WINDOWS = f"{HOSTS}    win-1: {{ansible_host: 10.0.1.9, vm: {{role: db}}, ringfence_enforcer: windows}}\n"
FLOW = "client,server,port,protocol,first_seen\n10.0.1.1,10.0.1.9,445,tcp,2026-11-24T06:00:00Z\n"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("mixed"), {"inventory/hosts.yml": WINDOWS, "flows.csv": FLOW})


def test_explain_says_that_nothing_is_enforced_there(workspace: Path) -> None:
    answer = data(workspace, "explain", "web-1", "win-1", "tcp/445")

    assert isinstance(answer, dict)
    assert answer["sides"][1]["verdict"] == "allow"
    assert answer["sides"][1]["rule"] == "no workload: no enforcer is called 'windows', so nothing is enforced here"
    assert answer["sides"][1]["mode"] is None


def test_reach_says_that_it_is_open(workspace: Path) -> None:
    answer = data(workspace, "reach", "--from", "web-1", "--to", "win-1")

    assert isinstance(answer, dict)
    assert answer["rows"] == [{"from": "web-1", "to": "win-1", "allow": ["any"]}]


def test_a_simulation_denies_nothing_there(workspace: Path) -> None:
    found = data(workspace, "simulate", "--flows", str(workspace / "flows.csv"))

    assert isinstance(found, dict)
    assert found["categories"]["still_allowed"]["flows"] == 1


def test_an_invariant_does_not_rest_on_what_nothing_enforces(tmp_path: Path) -> None:
    tests = """\
rules:
  - {name: only the servers let it in, from: {role: db}, to: {role: web}, allow: http, at: to}
invariants:
  - {name: no database calls a web server, from: {role: db}, to: {role: web}, expect: deny}
"""
    found = data(shop(tmp_path, {"inventory/hosts.yml": WINDOWS, "policy/tests/shop.yml": tests}), "check", status=1)

    assert isinstance(found, dict)
    (broken,) = found["broken_invariants"]
    assert broken["example"]["from"] == "win-1 (10.0.1.9)"
    messages = [one["message"] for one in found["problems"]]
    assert "no enforcer is called 'windows', so nothing is enforced on win-1" in messages


def test_a_plan_neither_compares_nor_simulates_it(tmp_path: Path) -> None:
    changed = {"inventory/hosts.yml": WINDOWS, "flows.csv": FLOW, "policy/tests/shop.yml": ""}
    plan = data(shop(tmp_path, changed), "plan", "--flows", str(tmp_path / "flows.csv"))

    assert isinstance(plan, dict)
    assert plan["left_out"] == {"win-1": "no enforcer is called 'windows'"}
    assert "win-1" not in plan["hosts"]
    assert all("win-1" not in group["workloads"] for group in plan["diff"]["groups"])
    assert plan["simulation"]["categories"]["newly_denied"]["flows"] == 0


def test_render_still_shows_what_another_enforcer_would_load(workspace: Path) -> None:
    assert "no enforcer is called 'windows'" in ringfence(workspace, "render", "win-1").output
    assert "table inet ringfence" in ringfence(workspace, "render", "win-1", "--enforcer", "nftables").output


def test_hosts_of_unknown_enforcers_alone_are_no_estate_to_plan_for(tmp_path: Path) -> None:
    hosts = HOSTS.replace("  vars: {", "  vars: {ringfence_enforcer: windows, ")
    result = ringfence(shop(tmp_path, {"inventory/hosts.yml": hosts, "policy/tests/shop.yml": ""}), "plan")

    assert result.exit_code == 2
    assert "no installed enforcer is for these hosts" in result.output


def test_a_windows_process_on_a_linux_host_is_an_error(tmp_path: Path) -> None:
    rule = """\
rules:
  - name: iis
    from: any
    to: {role: db, process: {service: W3SVC}}
    deny: https
"""
    workspace = shop(tmp_path, {"policy/iis.yml": rule})
    result = ringfence(workspace, "check")

    assert result.exit_code == 2
    assert "rule 'iis' names a service in 'to', which 'nftables' cannot see: it never matches on db-1" in (
        " ".join(result.output.split())
    )
    other_side = rule.replace("to: {role", "at: from\n    to: {role").replace("deny:", "allow:")
    assert "iis" not in ringfence(shop(tmp_path, {"policy/iis.yml": other_side}), "check").output


def test_a_control_path_reaches_the_plan_as_networks_in_whatever_form_it_is_written(tmp_path: Path) -> None:
    control = "control: {from: [10.0.0.1-10.0.0.9, '::ffff:10.0.1.0/120'], port: 22}\n"
    hosts = HOSTS.replace("db-1: {", "db-1: {ringfence_control: {from: 10.0.2.0-10.0.2.255}, ")
    plan = data(shop(tmp_path, {"ringfence.yml": control, "inventory/hosts.yml": hosts}), "plan", "--no-flows")

    assert isinstance(plan, dict)
    written = {network for host in plan["hosts"].values() for network in host["control"]["from"]}
    assert written == {"10.0.0.1", "10.0.0.2/31", "10.0.0.4/30", "10.0.0.8/31", "10.0.1.0/24", "10.0.2.0/24"}
    assert all(ipaddress.ip_network(network) for network in written)


def test_a_broken_record_of_what_hosts_hold_is_made_anew_by_an_option_that_there_is(tmp_path: Path) -> None:
    shop(tmp_path)
    (tmp_path / ".ringfence").mkdir()
    (tmp_path / ".ringfence/state.json").write_text(json.dumps({"format": 7}))

    assert "ringfence plan --rebase" in ringfence(tmp_path, "plan", "--no-flows").output
    assert "--rebase" in ringfence(tmp_path, "plan", "--help").output


@pytest.mark.parametrize(("written", "meant"), [("iptable", "iptables"), ("Nftables", "nftables")])
def test_a_misspelt_enforcer_is_answered_with_the_one_that_is_meant(tmp_path: Path, written: str, meant: str) -> None:
    found = data(shop(tmp_path, {"inventory/hosts.yml": WINDOWS.replace("windows", written)}), "check")

    assert isinstance(found, dict)
    (remedy,) = [one["remedy"] for one in found["problems"] if written in one["message"]]
    assert f"did you mean '{meant}'? installed are: " in remedy
