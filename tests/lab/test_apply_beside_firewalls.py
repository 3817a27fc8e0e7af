"""Beside the firewalls of others, as Debian 12 packages them: ours stands whatever they do, and they keep theirs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_emergencies import emergency_order
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import COMMAND, order, parse_reply
from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec
from ringfence.operations.passwords import Passwords
from ringfence.wire.emergency_lines import Emergency, format  # noqa: A004

from tests.lab.rollouts import ECHO, Rollouts, Wanted, wait_until
from tests.lab_fixtures import echo_unit, require

pytestmark = [pytest.mark.lab, pytest.mark.machines]
HOST = "furnished"
CLOSED = Wanted(allow={None: (1,)})
OPEN = Wanted()
# nspawn mounts /proc/sys read-only; dockerd wants to switch forwarding on in its own network namespace.
DROPINS = "/etc/systemd/system/docker.service.d"
SYSCTLS = (
    "[Service]\\nExecStartPre=mount --bind /proc/sys/net /proc/sys/net\\n"
    "ExecStartPre=mount -o remount,rw,bind /proc/sys/net\\n"
)


@dataclass(frozen=True)
class Firewall:
    """Another firewall: how it is told to let our two ports in, how it lives, the table that shows that it lives, and
    what verify must say it cannot see behind."""

    prepare: str
    start: str
    reload: str
    restart: str
    stop: str
    table: str
    unproven: frozenset[str]


FIREWALLS = {
    "ufw": Firewall(
        prepare=f"ufw allow 22/tcp; ufw allow {ECHO}/tcp",
        start="ufw --force enable && systemctl enable --now ufw",
        reload="ufw reload",
        restart="systemctl restart ufw",
        stop="ufw disable && systemctl disable --now ufw",
        table="ip filter",
        unproven=frozenset({"ip filter: forward chain", "ip6 filter: forward chain"}),
    ),
    "firewalld": Firewall(
        prepare=f"firewall-offline-cmd --add-port={ECHO}/tcp",
        start="systemctl enable --now firewalld",
        reload="firewall-cmd --reload && systemctl reload firewalld",
        restart="systemctl restart firewalld",
        stop="systemctl disable --now firewalld",
        table="inet firewalld",
        unproven=frozenset({"inet firewalld: forward chain"}),
    ),
    "docker": Firewall(
        prepare=f"mkdir -p {DROPINS}; printf '{SYSCTLS}' >{DROPINS}/sysctls.conf; systemctl daemon-reload",
        start="systemctl enable --now docker",
        reload="systemctl reload docker",
        restart="systemctl restart docker",
        stop="systemctl disable --now docker docker.socket containerd",
        table="ip nat",
        unproven=frozenset(
            {"ip filter: forward chain", "ip nat: NAT", "/proc/sys/net/ipv4/ip_forward: this host forwards"}
        ),
    ),
}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A machine of Debian 12 with ufw, firewalld, Docker and sudo, none of them started."""
    require("machines")
    lab = Lab("tests", tmp_path_factory.mktemp("furnished") / "lab")
    lab.up([HostSpec(HOST, variant="furnished", units=(echo_unit(),))], "machines", stay=False)
    yield lab
    lab.down()


@pytest.fixture
def rollouts(furnished: Lab, tmp_path: Path) -> Iterator[Rollouts]:
    one = Rollouts(furnished, tmp_path)
    yield one
    one.clear()
    assert one.remains(HOST) == ""


def done(rollouts: Rollouts, command: str) -> str:
    """Run a command on the machine; it must succeed."""
    ran = rollouts.lab.exec(HOST, ["sh", "-c", command], timeout=120)
    assert ran.returncode == 0, (command, ran.stdout, ran.stderr, rollouts.sh(HOST, "journalctl -n 30 --no-pager"))
    return ran.stdout


def stands(rollouts: Rollouts, after: str) -> None:
    """Our table is there and denies, whatever the other firewall has just done."""
    wait_until(lambda: "plan_" in rollouts.sh(HOST, "nft list table inet ringfence"))
    assert not rollouts.reaches(HOST, timeout=0.5), after


def rules_of(rollouts: Rollouts, firewall: Firewall) -> str:
    """Return the other firewall's table without its counters, once it is written (firewalld says too early it is)."""
    seen = [""]

    def settled() -> bool:
        seen.append(rollouts.lab.exec(HOST, ["nft", "-s", "list", "table", *firewall.table.split()]).stdout)
        time.sleep(0.3)
        return seen[-1] == seen[-2] != ""

    wait_until(settled)
    return seen[-1]


def unproven(rollouts: Rollouts, plan: Path) -> set[str]:
    """Return what verify says that it cannot see behind, where all else is proven."""
    (verified,) = rollouts.play("verify", plan).hosts.values()
    assert verified.ok, verified.reason
    return set(verified.result["not_proven"])  # type: ignore[call-overload]


@pytest.mark.parametrize("name", FIREWALLS)
def test_ours_stands_whatever_another_firewall_does_and_that_keeps_its_own(rollouts: Rollouts, name: str) -> None:
    firewall = FIREWALLS[name]
    done(rollouts, firewall.prepare)
    plan = rollouts.hold({HOST: CLOSED})
    try:
        done(rollouts, firewall.start)
        stands(rollouts, "start")
        for command in (firewall.reload, firewall.restart):
            done(rollouts, command)
            stands(rollouts, command)
        theirs = rules_of(rollouts, firewall)
        # ours goes in and out beside it
        opened = rollouts.hold({HOST: OPEN})
        rollouts.answers(HOST)
        assert rollouts.playbook_drift(opened) == {}
        plan = rollouts.hold({HOST: CLOSED})
        assert rules_of(rollouts, firewall) == theirs
        rollouts.lab.reboot(HOST)
        wait_until(lambda: firewall.unproven <= unproven(rollouts, plan))
        stands(rollouts, "reboot")
        done(rollouts, firewall.stop)
        stands(rollouts, "stop")
        assert rollouts.drift(plan) == {}
        done(rollouts, firewall.start)
        theirs = rules_of(rollouts, firewall)
        rollouts.remove()
        assert rules_of(rollouts, firewall) == theirs
    finally:
        rollouts.sh(HOST, firewall.stop)
        rollouts.sh(HOST, "for table in filter nat; do nft delete table ip $table; nft delete table ip6 $table; done")


def test_a_login_with_sudo_applies_confirms_and_removes(rollouts: Rollouts) -> None:
    done(
        rollouts,
        "id deploy || useradd --create-home --shell /bin/sh deploy; "
        "echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy; "
        "install -d -m 700 -o deploy /home/deploy/.ssh; "
        "install -m 600 -o deploy /root/.ssh/authorized_keys /home/deploy/.ssh/authorized_keys",
    )
    login: dict[str, object] = {"ansible_user": "deploy", "ansible_become": True, "ansible_become_method": "sudo"}
    refused = rollouts.roll_out(rollouts.plan({HOST: Wanted(control=("192.0.2.0/24",))}), more=login)
    assert refused.hosts[HOST].result["rule"] == "lockout"
    plan = rollouts.plan({HOST: CLOSED})
    assert rollouts.roll_out(plan, more=login).hosts[HOST].state == "confirmed"
    assert rollouts.play("verify", plan, more=login).hosts[HOST].ok
    assert not rollouts.reaches(HOST)
    assert rollouts.play("remove", more=login).hosts[HOST].ok
    assert rollouts.remains(HOST) == ""


def test_a_login_whose_sudo_wants_a_password_applies_with_the_one_that_is_given(rollouts: Rollouts) -> None:
    done(
        rollouts,
        "id careful || useradd --create-home --shell /bin/sh careful; "
        "echo 'careful:correct horse' | chpasswd; "
        "echo 'careful ALL=(ALL) ALL' >/etc/sudoers.d/careful; "
        "install -d -m 700 -o careful /home/careful/.ssh; "
        "install -m 600 -o careful /root/.ssh/authorized_keys /home/careful/.ssh/authorized_keys",
    )
    login: dict[str, object] = {"ansible_user": "careful", "ansible_become": True, "ansible_become_method": "sudo"}
    plan = rollouts.plan({HOST: CLOSED})
    for wrong in (Passwords(), Passwords(become="horse correct")):
        with wrong.offered():
            assert not rollouts.roll_out(plan, more=login).ok
        assert rollouts.remains(HOST) == ""
    with Passwords(become="correct horse").offered():
        assert rollouts.roll_out(plan, more=login).hosts[HOST].state == "confirmed"
        assert rollouts.play("verify", plan, more=login).hosts[HOST].ok
        assert rollouts.play("remove", more=login).hosts[HOST].ok
    assert "correct horse" not in rollouts.sh(HOST, "journalctl --no-pager; cat /var/log/auth.log 2>/dev/null")


def cut_off(rollouts: Rollouts, address: str) -> None:
    """Have the host hold a quarantine of an address, on a machine that has iptables alone."""
    put = format([Emergency("q-0123abcd", "quarantine", int(time.time()), remote=(address,))])
    done(rollouts, "mv /usr/sbin/nft /usr/sbin/nft.away")
    sent = order("emergency", {}, emergency_order(put, []).encode(), "iptables")
    command = [*rollouts.lab.ssh_command(HOST), COMMAND]
    told = subprocess.run(command, input=sent, capture_output=True, timeout=60, check=False)
    assert parse_reply(told.stdout.decode()).last("state") == "held", told


def test_what_firewalld_flushes_of_iptables_comes_back_with_what_is_cut_off(rollouts: Rollouts) -> None:
    """It flushes tables of others: at its start behind what systemd waits for, at a reload that only D-Bus tells."""
    firewalld = FIREWALLS["firewalld"]
    rollouts.enforcer = "iptables"
    done(rollouts, firewalld.prepare)
    entered = " && ".join(
        f"{name} -C INPUT -j rf_in && {name} -t mangle -C INPUT -j rfe_in" for name in ("iptables", "ip6tables")
    )

    def both(after: str) -> None:
        wait_until(lambda: rollouts.lab.exec(HOST, ["sh", "-c", entered]).returncode == 0)
        assert not rollouts.reaches(HOST, timeout=0.5), after

    try:
        plan = rollouts.hold({HOST: CLOSED})
        cut_off(rollouts, "192.0.2.7")
        both("quarantine")
        for command in (firewalld.start, *firewalld.reload.split(" && "), firewalld.restart):
            done(rollouts, command)
            both(command)
        assert rollouts.drift(plan) == {}
        rollouts.lab.reboot(HOST)
        wait_until(lambda: rollouts.sh(HOST, "systemctl is-active firewalld; true").strip() == "active")
        both("reboot")
        done(rollouts, firewalld.stop)
        both("stop")
    finally:
        rollouts.sh(HOST, f"{firewalld.stop}; test -e /usr/sbin/nft || mv /usr/sbin/nft.away /usr/sbin/nft")
        rollouts.ask(HOST, "remove", "iptables", force="1")
