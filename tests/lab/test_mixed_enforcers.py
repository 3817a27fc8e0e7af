"""One plan over hosts of several enforcers: made, applied, proven, rolled back and removed by the real commands.

Which enforcer a host gets is written for it, is the usual one, or follows from what the host has.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import enforcement
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import application, order, parse_reply
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import load_plan
from ringfence.cli.demonstration.probing import foreseen, tried
from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec, UnitSpec
from ringfence.operations.init import write_workspace
from ringfence.plan import find, read
from ringfence.plan.verdict_table_json import table_of

from tests.lab_fixtures import require

pytestmark = pytest.mark.lab
OPEN, CLOSED = "tcp/7000", "tcp/7001"
UNITS = (UnitSpec("echo.service", (OPEN, CLOSED), user="echo"),)
HOSTS = [HostSpec(name, units=UNITS) for name in ("new-1", "told-1", "bare-1", "old-1", "desk-1")]
WRITTEN = {"told-1": "iptables", "desk-1": "windows"}
ENFORCERS = {"new-1": "nftables", "told-1": "iptables", "bare-1": "iptables", "old-1": "iptables"}
# Every host of the lab has a view of the file system of its own, so what is mounted over a file is that host's alone.
NO_NFT = "for one in $(which -a nft); do mount --bind /dev/null $one; done"
OLD_NFT = (
    "cp $(readlink -f $(which nft)) /run/nft; printf '%s\\n' '#!/bin/sh' "
    '\'case $1 in --version) echo "nftables v0.9.0 (Fearless Fosdick)" ;; *) exec /run/nft "$@" ;; esac\' >/run/old; '
    "chmod +x /run/old; mount --bind /run/old $(readlink -f $(which nft))"
)
FILTERS = (
    "nft list tables 2>/dev/null | grep -c ringfence; "
    "for one in iptables-legacy-save iptables-nft-save ip6tables-legacy-save ip6tables-nft-save; do $one; done "
    "2>/dev/null | grep -c rf_; ipset list -n 2>/dev/null | grep -c rf_; "
    "find /var/lib/ringfence /run/ringfence* 2>/dev/null | grep -c ."
)
POLICY = f"""
scope: {{app: shop}}
rules:
  - {{name: echo, from: {{app: shop}}, to: {{app: shop}}, allow: {OPEN}}}
---
enforce:
  - {{where: any, mode: full}}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A host for each way to an enforcer, and one whose enforcer is not installed."""
    require("namespaces")
    raised = Lab("mixed", tmp_path_factory.mktemp("lab") / "lab")
    raised.up(HOSTS, "namespaces", stay=False)
    tries = "ipset create rf_probe hash:net && ipset destroy rf_probe && iptables -S"
    probe = raised.exec("told-1", ["sh", "-c", tries])
    if probe.returncode:
        raised.down()
        pytest.skip(f"a lab host here cannot use iptables and ipset: {probe.stderr.strip()}")
    for host, change in (("bare-1", NO_NFT), ("old-1", OLD_NFT)):
        done = raised.run(host, ["sh", "-c", change])
        assert done.returncode == 0, done.stderr
    yield raised
    raised.down()


@pytest.fixture(scope="module")
def workspace(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("workspace")
    write_workspace(directory, tuple(lab.hosts()[0].addresses))
    (directory / "inventory/30-onprem.yml").unlink()
    (directory / "inventory/10-lab.yml").write_text(lab.inventory_path.read_text(encoding="utf-8"))
    write_enforcers(directory, WRITTEN)
    (directory / "labels.yml").write_text("labels: []\n")
    (directory / "policy/enforcement.yml").write_text(POLICY)
    (directory / "ringfence.yml").write_text(f"control: {{from: [{controller(lab)}]}}\n")
    return directory


def write_enforcers(workspace: Path, written: Mapping[str, str]) -> None:
    hosts: dict[str, dict[str, object]] = {spec.name: {"ringfence_labels": {"app": "shop"}} for spec in HOSTS}
    for name, enforcer in written.items():
        hosts[name]["ringfence_enforcer"] = enforcer
    (workspace / "inventory/20-enforcers.yml").write_text(json.dumps({"all": {"hosts": hosts}}))


def controller(lab: Lab) -> str:
    return lab.run("new-1", ["sh", "-c", "echo ${SSH_CONNECTION%% *}"]).stdout.strip()


def ringfence(workspace: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ringfence.cli", *words],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if "--json" in words else done.stdout + done.stderr


def packets(workspace: Path, lab: Lab) -> set[tuple[str, str, str]]:
    """Return which host reaches which, by IPv4 and by service; every packet must fare as the plan in force says."""
    directory = find(workspace / "plans", "latest")
    tables = {
        name: table_of((directory / "tables" / f"{host.table}.json").read_text(encoding="utf-8"))
        for name, host in read(directory).hosts.items()
    }
    probes = tried(lab, foreseen(lab.hosts(), tables, [OPEN, CLOSED]))
    assert [probe for probe in probes if not probe.right] == []
    return {(one.source, one.target, one.service) for one in probes if one.seen and ":" not in one.address}


def pairs(service: str) -> set[tuple[str, str, str]]:
    names = [spec.name for spec in HOSTS]
    return {(one, other, service) for one in names for other in names if one != other}


def write_policy(workspace: Path, service: str) -> None:
    (workspace / "policy/enforcement.yml").write_text(POLICY.replace(OPEN, service))


def waiting(workspace: Path, lab: Lab) -> None:
    """Have every host apply the newest plan, as `apply` does, by a controller that ends before it confirms."""
    plan = load_plan(str(find(workspace / "plans", "latest")))
    for name in ENFORCERS:
        host = plan.host(name)
        text = plan.ruleset(host.ruleset, enforcement(host.enforcer).SUFFIX)
        given = order("apply", {**application(plan, host), "seconds": "300"}, text, host.enforcer)
        done = lab.run(name, ["sh", "-s"], given.decode())
        assert parse_reply(done.stdout).last("state") == "waiting", done.stdout + done.stderr


def held(workspace: Path) -> dict[str, tuple[str, str]]:
    """Return the enforcer and the state of each host, as `info` tells them."""
    told = json.loads(ringfence(workspace, "info", "--json"))["hosts"]
    return {one["host"]: (one["enforcer"], one["state"]) for one in told}


def remains(lab: Lab) -> dict[str, list[str]]:
    """Return what counts of ours each host's kernel has: tables, lines of iptables, sets; and files of the state."""
    return {name: lab.exec(name, ["sh", "-c", FILTERS]).stdout.split() for name in ENFORCERS}


def tables(lab: Lab) -> dict[str, list[str]]:
    """Return the same without the files."""
    return {name: counts[:3] for name, counts in remains(lab).items()}


def test_one_plan_is_made_applied_proven_rolled_back_and_removed_over_every_enforcer(workspace: Path, lab: Lab) -> None:
    made = ringfence(workspace, "plan", "--no-flows", "--rebase")
    assert "bare-1 gets the enforcer iptables: there is no nft, and iptables is usable there" in made
    assert "old-1 gets the enforcer iptables: nft 0.9.0 is older than 0.9.3, and iptables is usable there" in made
    first = read(find(workspace / "plans", "latest"))
    assert {name: host.enforcer for name, host in first.hosts.items()} == ENFORCERS
    assert {name for name, host in first.hosts.items() if host.chosen} == {"bare-1", "old-1"}
    assert "desk-1" in first.left_out

    assert "4/4 hosts hold it" in ringfence(workspace, "apply", "latest")
    assert "4/4 hosts proven" in ringfence(workspace, "verify")
    assert held(workspace) == {name: (enforcer, "confirmed") for name, enforcer in ENFORCERS.items()}
    assert packets(workspace, lab) == pairs(OPEN)
    shown = ringfence(workspace, "show", "latest")
    assert "left out: desk-1: no enforcer is called 'windows'" in shown
    assert "enforced by: iptables 3, nftables 1" in shown
    assert "-A rf_in" in ringfence(workspace, "render", "old-1")
    assert "table inet ringfence" in ringfence(workspace, "render", "new-1")

    write_policy(workspace, CLOSED)
    assert "4 hosts change" in ringfence(workspace, "plan", "--no-flows")
    assert "4/4 hosts hold it" in ringfence(workspace, "apply", "latest")
    assert packets(workspace, lab) == pairs(CLOSED)

    # what waits is taken back by the command, what is confirmed by a plan
    write_policy(workspace, OPEN)
    ringfence(workspace, "plan", "--no-flows")
    waiting(workspace, lab)
    assert set(held(workspace).values()) == {(one, "waiting") for one in ENFORCERS.values()}
    ringfence(workspace, "rollback", "latest")
    assert held(workspace) == {name: (enforcer, "confirmed") for name, enforcer in ENFORCERS.items()}
    ringfence(workspace, "plan", "--restore", first.short)
    assert {name: host.enforcer for name, host in read(find(workspace / "plans", "latest")).hosts.items()} == ENFORCERS
    assert "4/4 hosts hold it" in ringfence(workspace, "apply", "latest")
    assert "4/4 hosts proven" in ringfence(workspace, "verify")
    assert packets(workspace, lab) == pairs(OPEN)

    assert "4/4 hosts without Ringfence" in ringfence(workspace, "remove", "--yes", "app=shop")
    assert remains(lab) == {name: ["0"] * 4 for name in ENFORCERS}


def test_a_host_of_an_enforcer_that_is_not_installed_counts_as_no_workload(workspace: Path, lab: Lab) -> None:
    told = " ".join(ringfence(workspace, "check").split())
    assert "no enforcer is called 'windows', so nothing is enforced on desk-1" in told
    assert "no installed enforcer is for desk-1: windows" in ringfence(workspace, "info", "desk-1", code=2)
    sides = json.loads(ringfence(workspace, "explain", "new-1", "desk-1", OPEN, "--json"))["sides"]
    assert "no enforcer is called 'windows', so nothing is enforced here" in sides[1]["rule"]
    rows = json.loads(ringfence(workspace, "reach", "--from", "desk-1", "--to", "desk-1", "--json"))["rows"]
    assert rows in ([], [{"from": "desk-1", "to": "desk-1", "allow": ["any"]}])
    flow = "client,server,port,protocol,first_seen\n{},{},7001,tcp,2026-11-24T06:00:00Z\n"
    addresses = {spec.name: spec.addresses[0] for spec in lab.hosts()}
    (workspace / "flows.csv").write_text(flow.format(addresses["desk-1"], addresses["told-1"]))
    counted = json.loads(ringfence(workspace, "simulate", "--flows", "flows.csv", "--json"))["categories"]
    assert {name: one["flows"] for name, one in counted.items() if one["flows"]} == {"newly_denied": 1}


def test_the_doctor_asks_each_host_for_the_programs_of_its_enforcer(workspace: Path) -> None:
    checks = json.loads(ringfence(workspace, "doctor", "--json"))["checks"]
    filters = ("nft", "iptables", "ipset")
    found: dict[str, dict[str, str]] = {name: {} for name in ENFORCERS}
    for one in checks:
        if one["host"] and one["name"] in filters:
            found[one["host"]][one["name"]] = one["status"]
    instead = {"nft": "warn", "iptables": "ok", "ipset": "ok"}
    assert found == {
        "new-1": {"nft": "ok"},
        "told-1": {"iptables": "ok", "ipset": "ok"},
        "bare-1": instead,
        "old-1": instead,
    }


def test_hosts_move_from_one_enforcer_to_the_other_in_one_rollout_or_keep_what_they_had(
    workspace: Path, lab: Lab
) -> None:
    write_policy(workspace, OPEN)
    ringfence(workspace, "plan", "--no-flows", "--rebase")
    assert "4/4 hosts hold it" in ringfence(workspace, "apply", "latest")
    before = tables(lab)
    write_enforcers(workspace, {**WRITTEN, "told-1": "nftables", "new-1": "iptables"})
    write_policy(workspace, CLOSED)
    ringfence(workspace, "plan", "--no-flows")
    # both tables stand while the new one waits, and taken back it leaves what was there
    waiting(workspace, lab)
    during = tables(lab)
    assert all(int(during[name][0]) and int(during[name][1]) for name in ("told-1", "new-1"))
    ringfence(workspace, "rollback", "latest")
    assert tables(lab) == before
    assert "4/4 hosts hold it" in ringfence(workspace, "apply", "latest")
    assert "4/4 hosts proven" in ringfence(workspace, "verify")
    assert remains(lab)["told-1"][1:3] == ["0", "0"]
    assert remains(lab)["new-1"][0] == "0"
    assert packets(workspace, lab) == pairs(CLOSED)
    # and back
    write_enforcers(workspace, {**WRITTEN, "new-1": "nftables"})
    ringfence(workspace, "plan", "--no-flows", "--rebase")
    assert "4/4 hosts hold it" in ringfence(workspace, "apply", "latest")
    assert "4/4 hosts proven" in ringfence(workspace, "verify")
    assert remains(lab)["told-1"][0] == "0"
    assert remains(lab)["new-1"][1:3] == ["0", "0"]
    assert packets(workspace, lab) == pairs(CLOSED)


def test_a_host_that_has_a_usable_nft_by_now_keeps_its_table_and_the_plan_says_what_to_write(
    workspace: Path, lab: Lab
) -> None:
    found = lab.run("bare-1", ["sh", "-c", "while umount /usr/sbin/nft 2>/dev/null; do :; done; nft --version"])
    assert found.returncode == 0, found.stderr
    made = " ".join(ringfence(workspace, "plan", "--no-flows", "--rebase").split())
    kept = "bare-1 gets the enforcer iptables: it holds a table of iptables; nftables is usable there now"
    assert kept in made, made + ringfence(workspace, "info", "--json")
    assert "to change write 'ringfence_enforcer: nftables'" in made
    assert read(find(workspace / "plans", "latest")).hosts["bare-1"].enforcer == "iptables"
    assert "4/4 hosts hold it" in ringfence(workspace, "apply", "latest")
