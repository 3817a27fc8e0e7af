"""Applying never locks out: what is refused, what comes back by itself, and what survives."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ringfence.lab.session import Lab

from tests.lab.rollouts import Rollouts, Wanted, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.machines]
RELEASES = ("bullseye", "bookworm", "trixie")
OPEN = Wanted()
CLOSED = Wanted(allow={None: (1,)})
ELSEWHERE = Wanted(control=("192.0.2.0/24",))


@pytest.fixture
def rollouts(machines: Lab, tmp_path: Path) -> Iterator[Rollouts]:
    """The three machines without anything of ours, before and after."""
    one = Rollouts(machines, tmp_path)
    yield one
    one.clear()
    for release in RELEASES:
        assert one.remains(release) == ""


def everywhere(wanted: Wanted) -> dict[str, Wanted]:
    return dict.fromkeys(RELEASES, wanted)


def test_a_plan_is_enforced_confirmed_and_proven_and_a_second_run_changes_nothing(rollouts: Rollouts) -> None:
    plan = rollouts.apply(everywhere(CLOSED))
    assert rollouts.playbook_drift(plan) == {}
    assert not any(rollouts.reaches(host) for host in RELEASES)
    again = rollouts.roll_out(plan)
    assert again.ok
    assert not any(host.changed for host in again.hosts.values())
    rollouts.hold(everywhere(OPEN))
    for host in RELEASES:
        rollouts.answers(host)


def test_check_mode_says_what_would_change_and_changes_nothing(rollouts: Rollouts) -> None:
    plan = rollouts.plan(everywhere(CLOSED))
    foreseen = rollouts.roll_out(plan, check=True)
    assert {name: host.changed for name, host in foreseen.hosts.items()} == dict.fromkeys(RELEASES, True)
    assert not (plan / "journal.jsonl").exists()
    assert all(rollouts.remains(host) == "" for host in RELEASES)


def test_check_and_diff_mode_tell_in_words_what_of_the_standing_table_the_plan_changes(rollouts: Rollouts) -> None:
    rollouts.hold({"trixie": CLOSED})
    foreseen = rollouts.roll_out(rollouts.plan({"trixie": OPEN}), check=True).hosts["trixie"]
    words = foreseen.result["diff"]["prepared"]  # type: ignore[index]
    assert "tcp/7000" in words
    assert "tcp/1," in words
    assert not rollouts.reaches("trixie", timeout=0.5)


def test_other_tables_are_left_alone_and_named_where_ours_cannot_see_behind_them(rollouts: Rollouts) -> None:
    foreign = (
        "table ip nat { chain pre { type nat hook prerouting priority -100; policy accept; "
        "tcp dport 8080 redirect to :7000; }; }; "
        "table inet fw { chain forward { type filter hook forward priority 0; policy accept; "
        "ct state established accept; }; };"
    )
    for host in RELEASES:
        rollouts.lab.exec(host, ["nft", "-f", "-"], input=foreign.replace("; }", ";\n}").replace("};", "}\n"))
    before = {host: rollouts.sh(host, "nft list table ip nat; nft list table inet fw") for host in RELEASES}
    plan = rollouts.apply(everywhere(CLOSED))
    for verified in rollouts.play("verify", plan).hosts.values():
        assert verified.ok
        assert set(verified.result["not_proven"]) >= {"ip nat: NAT", "inet fw: forward chain"}  # type: ignore[call-overload]
    rollouts.remove()
    for host in RELEASES:
        assert before[host] == rollouts.sh(host, "nft list table ip nat; nft list table inet fw")
        rollouts.sh(host, "nft delete table ip nat; nft delete table inet fw")


def test_a_control_path_that_does_not_hold_the_controller_is_refused(rollouts: Rollouts) -> None:
    outcome = rollouts.roll_out(rollouts.plan(everywhere(ELSEWHERE)))
    assert {name: host.state for name, host in outcome.hosts.items()} == dict.fromkeys(RELEASES, "refused")
    assert all("10.203.0.1" in host.reason and "control.from" in host.reason for host in outcome.hosts.values())
    for host in RELEASES:
        rollouts.answers(host)
    assert all("table inet ringfence" not in rollouts.sh(host, "nft list tables") for host in RELEASES)


def test_a_forced_lockout_is_undone_by_the_target_within_the_timer(rollouts: Rollouts) -> None:
    first = rollouts.hold(everywhere(OPEN))
    plan = rollouts.plan(everywhere(ELSEWHERE))
    outcome = rollouts.roll_out(plan, force_lockout_test=True, confirm_within=4)
    assert {name: host.state for name, host in outcome.hosts.items()} == dict.fromkeys(RELEASES, "rolled back")
    for host in RELEASES:
        rollouts.answers(host, 22)
        assert "timed-out" in rollouts.sh(host, "cat /var/lib/ringfence/history")
    assert rollouts.drift(first) == {}


def test_a_forced_lockout_is_undone_by_a_reboot_before_the_timer(rollouts: Rollouts) -> None:
    first = rollouts.hold(everywhere(OPEN))
    plan = rollouts.plan(everywhere(ELSEWHERE))
    with ThreadPoolExecutor() as threads:
        running = threads.submit(rollouts.roll_out, plan, force_lockout_test=True, confirm_within=300)
        for host in RELEASES:
            wait_until(lambda host=host: not rollouts.reaches(host, 22))
        rollouts.reboot(RELEASES)
        for host in RELEASES:
            rollouts.answers(host, 22)
            assert "abandoned" in rollouts.sh(host, "cat /var/lib/ringfence/history")
        outcome = running.result()
    assert {name: host.state for name, host in outcome.hosts.items()} == dict.fromkeys(RELEASES, "rolled back")
    assert rollouts.drift(first) == {}


def test_the_confirmed_table_stands_after_a_reboot_and_before_the_network(rollouts: Rollouts) -> None:
    plan = rollouts.hold(everywhere(CLOSED))
    rollouts.reboot(RELEASES)
    for host in RELEASES:
        assert not rollouts.reaches(host)
        # the network of these machines is there before they are, and yet sshd has waited for the table
        assert rollouts.sh(host, "systemctl is-active ringfence.service").strip() == "active"
        order = rollouts.sh(host, "systemctl show -p Before ringfence.service")
        assert "network-pre.target" in order
        shown = "systemctl show -P ActiveEnterTimestampMonotonic ringfence.service ssh.service"
        ours, sshd = map(int, rollouts.sh(host, shown).split())
        assert ours <= sshd
    assert rollouts.drift(plan) == {}


def test_the_table_stands_beside_the_distributions_own_service(rollouts: Rollouts) -> None:
    plan = rollouts.hold(everywhere(CLOSED))
    for host in RELEASES:
        for command in ("enable --now", "reload", "restart", "stop", "disable --now"):
            rollouts.sh(host, f"systemctl {command} nftables.service")
            assert "plan_" in rollouts.sh(host, "nft list table inet ringfence"), (host, command)
    assert rollouts.drift(plan) == {}
    for host in RELEASES:
        rollouts.sh(host, "systemctl enable nftables.service")
    rollouts.reboot(RELEASES)
    for host in RELEASES:
        wait_until(lambda host=host: rollouts.sh(host, "systemctl is-active nftables.service") == "active\n")
    assert rollouts.drift(plan) == {}
    for host in RELEASES:
        rollouts.sh(host, "systemctl disable --now nftables.service")


def test_an_old_plan_is_not_taken_again_and_one_that_expects_something_else_neither(rollouts: Rollouts) -> None:
    old = rollouts.hold(everywhere(OPEN))
    rollouts.hold(everywhere(CLOSED))
    replayed = rollouts.roll_out(old)
    assert {host.result["rule"] for host in replayed.hosts.values()} == {"sequence"}
    other = rollouts.plan(everywhere(OPEN), expects=dict.fromkeys(RELEASES, "0" * 64))
    assert {host.result["rule"] for host in rollouts.roll_out(other).hosts.values()} == {"expects"}
    assert not rollouts.reaches("trixie")


def test_removal_leaves_nothing_behind(rollouts: Rollouts) -> None:
    listing = "find /etc /var/lib /run/systemd -xdev | grep -v -e /run/systemd/journal -e /run/systemd/sessions | sort"
    before = {host: rollouts.sh(host, listing) for host in RELEASES}
    rollouts.hold(everywhere(CLOSED))
    rollouts.remove()
    for host in RELEASES:
        rollouts.answers(host)
        # the directory that an enabled unit links from is systemd's own and may stay
        added = set(rollouts.sh(host, listing).split()) - set(before[host].split())
        assert {path for path in added if "ringfence" in path} == set()


def test_a_table_that_was_tampered_with_is_loaded_anew_where_that_is_said(rollouts: Rollouts) -> None:
    plan = rollouts.apply(everywhere(CLOSED))
    for host in RELEASES:
        rollouts.sh(host, "nft insert rule inet ringfence input tcp dport 7000 accept")
    assert rollouts.roll_out(plan).ok
    assert set(rollouts.playbook_drift(plan)) == set(RELEASES)
    for host in RELEASES:
        rollouts.answers(host)
    assert all(host.changed for host in rollouts.roll_out(plan, renew=True).hosts.values())
    assert rollouts.drift(plan) == {}
    assert not any(rollouts.reaches(host, timeout=0.5) for host in RELEASES)


def test_what_was_denied_is_told_with_its_rule_by_info_and_before_the_next_swap(rollouts: Rollouts) -> None:
    plan = rollouts.hold(everywhere(CLOSED))
    assert not any(rollouts.reaches(host, timeout=0.5) for host in RELEASES)

    def told(entries: object) -> set[tuple[object, ...]]:
        keys = ("effect", "direction", "peer", "protocol", "port", "rule")
        return {tuple(entry[key] for key in keys) for entry in entries}  # type: ignore[attr-defined]

    denied = ("deny", "in", "10.203.0.1", 6, 7000, "default")
    for host in rollouts.play("info", plan).hosts.values():
        assert denied in told(host.result["denials"])
        counted = [one for one in host.result["counters"] if one["effect"] == "deny"]  # type: ignore[attr-defined]
        assert counted[0]["packets"] > 0
    for host in rollouts.roll_out(rollouts.plan(everywhere(OPEN))).hosts.values():
        assert denied in told(host.result["denials"])


def test_a_confirmed_table_that_does_not_load_leaves_the_host_open_and_says_so(rollouts: Rollouts) -> None:
    rollouts.hold(everywhere(CLOSED))
    for host in RELEASES:
        rollouts.sh(host, "echo nonsense >>/var/lib/ringfence/confirmed.nft")
    outcome = rollouts.roll_out(rollouts.plan(everywhere(ELSEWHERE)), force_lockout_test=True, confirm_within=3)
    assert not outcome.ok
    for host in RELEASES:
        rollouts.answers(host, 22)
        rollouts.answers(host)
        assert "table inet ringfence" not in rollouts.sh(host, "nft list tables")
    told = rollouts.play("info").hosts
    assert all("is not the ruleset that was confirmed" in str(told[host].result["damaged"]) for host in RELEASES)
    assert {told[host].state for host in RELEASES} == {"lost"}
