"""Hosts with little on them: no Python, no shell but busybox; and a login that becomes root on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.lab.spec import HostSpec

from tests.lab.rollouts import Rollouts, Wanted
from tests.lab_fixtures import MakeLab, echo_unit

pytestmark = [pytest.mark.lab, pytest.mark.machines]
CLOSED = Wanted(allow={None: (1,)})
OPEN = Wanted()


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
    first = rollouts.apply(dict.fromkeys(hosts, CLOSED))
    assert rollouts.playbook_drift(first) == {}
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
