"""Namespace hosts have files, processes, services and rules of their own, with root on the machine and without."""

from __future__ import annotations

import pytest
from ringfence.lab.session import Lab

from tests.lab_fixtures import require_process_rules

pytestmark = pytest.mark.lab

ASK = """
import socket, sys
for address in sys.argv[1:]:
    with socket.create_connection((address, 7000), 3) as client:
        client.send(b"hello")
        print(client.recv(100).decode())
"""


def said(lab: Lab, host: str, script: str) -> str:
    """Return what a script on the host says; it must end well."""
    done = lab.exec(host, ["sh", "-ec", script])
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_host_has_a_name_files_and_processes_of_its_own(namespaces: Lab) -> None:
    said(namespaces, "n1", "touch /etc/mine /run/mine /var/lib/mine /tmp/mine /etc/systemd/system/mine.service")
    for path in ("/etc/mine", "/run/mine", "/var/lib/mine", "/tmp/mine"):
        assert namespaces.exec("n2", ["test", "-e", path]).returncode == 1
    assert namespaces.run("n1", ["hostname"]).stdout == "n1\n"
    assert said(namespaces, "n1", "ls /sys/class/net").split() == ["eth0", "lo"]
    assert said(namespaces, "n1", "cat /proc/1/comm") == "init\n"


def test_rules_on_one_host_do_not_show_on_another(namespaces: Lab) -> None:
    said(namespaces, "n1", "nft add table inet ringfence")
    assert said(namespaces, "n2", "nft list ruleset") == ""
    said(namespaces, "n1", "nft flush ruleset")


def test_services_answer_in_both_families(namespaces: Lab) -> None:
    spec = next(host for host in namespaces.hosts() if host.name == "n2")
    done = namespaces.exec("n1", ["python3", "-", *spec.addresses], input=ASK)
    assert done.stdout.splitlines() == ["echo.service tcp/7000 hello"] * 2


def test_a_service_runs_as_its_user(namespaces: Lab) -> None:
    assert "echo" in said(namespaces, "n1", "ps -eo user,args | grep [s]ervice.py")


def test_a_rule_can_name_the_unit_of_a_service(namespaces: Lab) -> None:
    require_process_rules()
    spec = next(host for host in namespaces.hosts() if host.name == "n3")
    rules = """
    add table inet ringfence
    add chain inet ringfence in { type filter hook input priority 0; policy accept; }
    add rule inet ringfence in tcp dport 7000 socket cgroupv2 level 2 "system.slice/echo.service" counter reject
    """
    done = namespaces.exec("n3", ["nft", "-f", "-"], input=rules)
    assert done.returncode == 0, done.stderr
    asked = namespaces.exec("n1", ["python3", "-", *spec.addresses], input=ASK)
    assert "ConnectionRefusedError" in asked.stderr
    said(namespaces, "n3", "nft flush ruleset")


def test_after_a_restart_files_stand_and_rules_and_runtime_state_are_gone(namespaces: Lab) -> None:
    said(namespaces, "n4", "touch /etc/kept /var/lib/kept /run/lost; nft add table inet ringfence")
    namespaces.reboot("n4")
    said(namespaces, "n4", "test -e /etc/kept; test -e /var/lib/kept; test ! -e /run/lost")
    assert said(namespaces, "n4", "nft list ruleset") == ""
    assert namespaces.run("n4", ["true"]).returncode == 0


def test_a_terminal_can_be_had_over_ssh(namespaces: Lab) -> None:
    assert namespaces.run("n1", ["tty"], options=("-tt",)).stdout.startswith("/dev/pts/")
