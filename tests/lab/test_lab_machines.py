"""Machines of the lab are whole Debian systems, apart from each other, reachable, and able to reboot."""

from __future__ import annotations

import json
import time

import pytest
from ringfence.lab.session import Lab
from ringfence.lab.spec import CONTROLLER_4, CONTROLLER_6, RELEASES, HostSpec

from tests.lab_fixtures import MakeLab, echo_unit

pytestmark = [pytest.mark.lab, pytest.mark.machines]

ASK = """
import socket, sys
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    for address in sys.argv[1:]:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind) as client:
            client.settimeout(3)
            client.connect((address, 7000))
            client.send(b"hello")
            print(client.recv(100).decode())
"""
VERSIONS = {"bullseye": ("11", "v0.9.8"), "bookworm": ("12", "v1.0.6"), "trixie": ("13", "v1.1.3")}


def said(lab: Lab, host: str, script: str) -> str:
    """Return what a script on the host says; it must end well."""
    done = lab.exec(host, ["sh", "-ec", script])
    assert done.returncode == 0, done.stderr
    return done.stdout


def settled(lab: Lab, host: str) -> str:
    """Return the state of the machine's systemd once it has started all."""
    return lab.exec(host, ["systemctl", "is-system-running", "--wait"]).stdout.strip()


@pytest.mark.parametrize("release", RELEASES)
def test_a_machine_is_the_debian_release_it_is_called(machines: Lab, release: str) -> None:
    version, nft = VERSIONS[release]
    done = machines.run(release, ["sh", "-c", ". /etc/os-release; echo $VERSION_ID; nft --version; uname -n; id -u"])
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == version
    assert nft in lines[1]
    assert lines[2:] == [release, "0"]
    assert settled(machines, release) == "running"


@pytest.mark.parametrize("release", RELEASES)
def test_a_machine_sees_its_own_network_and_one_cgroup_tree_that_it_owns(machines: Lab, release: str) -> None:
    assert said(machines, release, "ls /sys/class/net").split() == ["eth0", "lo"]
    assert said(machines, release, "stat -fc %T /sys/fs/cgroup").strip() == "cgroup2fs"
    assert "echo.service" in said(machines, release, "ls /sys/fs/cgroup/system.slice")


def test_machines_have_identities_of_their_own(machines: Lab) -> None:
    identities = {said(machines, release, "cat /etc/machine-id /var/lib/dbus/machine-id") for release in RELEASES}
    assert len(identities) == 3
    assert all(len(set(text.split())) == 1 for text in identities)


def test_services_answer_in_both_families_and_over_both_transports(machines: Lab) -> None:
    spec = next(host for host in machines.hosts() if host.name == "trixie")
    done = machines.exec("bullseye", ["python3", "-", *spec.addresses], input=ASK)
    assert done.stdout.splitlines() == ["echo.service tcp/7000 hello"] * 2 + ["echo.service udp/7000 hello"] * 2


def test_ssh_comes_from_the_controllers_addresses_in_both_families(machines: Lab) -> None:
    for host in machines.hosts()[:1]:
        for address, controller in zip(host.addresses, (CONTROLLER_4, CONTROLLER_6), strict=True):
            done = machines.run(host.name, ["sh", "-c", "echo $SSH_CONNECTION"], options=("-oHostName=" + address,))
            assert done.stdout.split()[0] == str(controller)


def test_a_unit_killed_in_one_machine_does_not_die_in_the_next(machines: Lab) -> None:
    before = said(machines, "trixie", "systemctl show -P MainPID echo.service")
    said(machines, "bookworm", "systemctl kill --signal=KILL echo.service; systemctl stop echo.service")
    assert said(machines, "trixie", "systemctl show -P MainPID echo.service") == before
    assert machines.exec("bookworm", ["systemctl", "is-active", "echo.service"]).stdout.strip() != "active"
    said(machines, "bookworm", "systemctl start echo.service")


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("way", ["reboot", "cut_power"])
def test_after_a_restart_files_stand_and_rules_runtime_state_and_old_processes_are_gone(
    machines: Lab, release: str, way: str
) -> None:
    boots = {host.name: host.boots for host in machines.status()}
    said(machines, release, "echo kept > /etc/kept; sync; touch /run/lost; nft add table inet ringfence")
    said(machines, release, "sleep 999 >/dev/null 2>&1 &")
    getattr(machines, way)(release)
    assert said(machines, release, "cat /etc/kept") == "kept\n"
    assert machines.exec(release, ["test", "-e", "/run/lost"]).returncode == 1
    assert said(machines, release, "nft list ruleset") == ""
    assert "sleep 999" not in said(machines, release, "ps ax")
    after = {host.name: host.boots for host in machines.status()}
    assert after == {**boots, release: boots[release] + 1}
    assert machines.run(release, ["true"]).returncode == 0


def test_what_is_enabled_starts_with_the_machine(machines: Lab) -> None:
    said(
        machines,
        "bookworm",
        "printf 'table inet at_boot {\\n}\\n' > /etc/nftables.conf; systemctl enable --quiet nftables.service",
    )
    machines.reboot("bookworm")
    assert settled(machines, "bookworm") == "running"
    assert "at_boot" in said(machines, "bookworm", "nft list ruleset")
    said(machines, "bookworm", "systemctl disable --quiet --now nftables.service")


def test_a_machine_that_is_switched_off_stays_off_until_it_is_switched_on(machines: Lab) -> None:
    machines.switch_off("bullseye")
    states = {host.name: (host.state, host.pid) for host in machines.status()}
    assert states["bullseye"] == ("off", None)
    assert machines.run("bullseye", ["true"], options=("-oConnectTimeout=1",)).returncode == 255
    machines.switch_on("bullseye")
    assert machines.run("bullseye", ["true"]).returncode == 0


def test_a_machine_that_powers_itself_off_stays_off(machines: Lab) -> None:
    machines.exec("bullseye", ["systemctl", "poweroff"])
    deadline = time.monotonic() + 60
    while {host.name: host.state for host in machines.status()}["bullseye"] != "off":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    machines.switch_on("bullseye")


@pytest.mark.parametrize("release", RELEASES)
def test_a_busybox_machine_has_no_other_shell_or_tools(make_lab: MakeLab, release: str) -> None:
    lab = make_lab([HostSpec("small", release=release, variant="busybox", units=(echo_unit(),))], "machines")
    tools = ("sh", "sed", "awk", "date", "sleep", "stat", "grep", "tr", "cut", "sha256sum", "setsid", "ps")
    found = said(lab, "small", "".join(f"readlink -f /usr/bin/{tool}\n" for tool in tools))
    assert set(found.split()) == {"/usr/bin/busybox"}
    missing = lab.run("small", ["sh", "-c", "command -v bash dash gawk mawk perl-not-there; true"])
    assert missing.stdout == ""
    assert settled(lab, "small") == "running"
    assert lab.exec("small", ["systemd-run", "--quiet", "--wait", "true"]).returncode == 0


@pytest.mark.parametrize("release", RELEASES)
def test_a_machine_without_python_still_runs_the_labs_services(make_lab: MakeLab, release: str) -> None:
    lab = make_lab([HostSpec("bare", release=release, variant="no-python", units=(echo_unit(),))], "machines")
    done = lab.run("bare", ["sh", "-c", "command -v python3 python python2 /usr/bin/python3.*; ls /usr/bin/python*"])
    assert done.stdout == ""
    assert lab.exec("bare", ["systemctl", "is-active", "echo.service"]).stdout.strip() == "active"


def test_status_is_what_was_asked_for(machines: Lab) -> None:
    shown = {host.name: host for host in machines.status()}
    assert {name: host.release for name, host in shown.items()} == {release: release for release in RELEASES}
    assert all(host.kind == "machines" and host.pid for host in shown.values())
    assert json.dumps([host.addresses for host in shown.values()])
