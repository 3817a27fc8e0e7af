"""iptables and ipset on machines of three Debian releases: the same rollouts, the same proof, in both variants."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ringfence.lab.session import Lab

from tests.lab.rollouts import Rollouts, Wanted, wait_until
from tests.rollout_plans import OneUnitOut

pytestmark = [pytest.mark.lab, pytest.mark.machines]
RELEASES = ("bullseye", "bookworm", "trixie")
OPEN = Wanted()
CLOSED = Wanted(allow={None: (1,)})
ELSEWHERE = Wanted(control=("192.0.2.0/24",), allow={None: (1,)})
OWN_RULE = "INPUT -p udp -m udp --dport 9 -j DROP"


@pytest.fixture(params=["legacy", "nft"])
def rollouts(machines: Lab, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rollouts]:
    """The three machines with a rule of their own in one variant, and nothing of ours before and after."""
    one = Rollouts(machines, tmp_path, enforcer="iptables")
    names = f"iptables-{request.param}", f"ip6tables-{request.param}"
    for release in RELEASES:
        for name in names:
            one.sh(release, f"{name} -A {OWN_RULE}")
    yield one
    one.clear()
    for release in RELEASES:
        assert one.remains(release) == ""
        for name in names:
            one.sh(release, f"{name} -D {OWN_RULE}")


def everywhere(wanted: Wanted) -> dict[str, Wanted]:
    return dict.fromkeys(RELEASES, wanted)


def test_a_plan_is_enforced_confirmed_and_proven_also_after_a_reboot(rollouts: Rollouts) -> None:
    plan = rollouts.apply(everywhere(CLOSED))
    assert rollouts.playbook_drift(plan) == {}
    assert not any(rollouts.reaches(host, timeout=0.5) for host in RELEASES)
    rollouts.lab.reboot("bullseye")
    assert rollouts.drift(plan) == {}
    assert not rollouts.reaches("bullseye", timeout=0.5)
    plan = rollouts.hold(everywhere(OPEN))
    assert rollouts.drift(plan) == {}
    for host in RELEASES:
        rollouts.answers(host)


def test_what_would_lock_out_goes_back_by_itself(rollouts: Rollouts) -> None:
    plan = rollouts.hold(everywhere(OPEN))
    outcome = rollouts.roll_out(rollouts.plan(everywhere(ELSEWHERE)), force_lockout_test=True, confirm_within=5)
    assert not outcome.ok
    wait_until(lambda: rollouts.drift(plan) == {})
    for host in RELEASES:
        rollouts.answers(host)


def test_a_unit_is_followed_through_its_restarts(rollouts: Rollouts) -> None:
    plan = rollouts.hold(everywhere(OneUnitOut()))
    assert rollouts.drift(plan) == {}
    for release in RELEASES:
        rollouts.sh(release, "systemctl restart echo.service")
        assert rollouts.sh(release, "systemctl is-active echo.service").strip() == "active"
    assert rollouts.drift(plan) == {}
    for release in RELEASES:
        rollouts.sh(release, "systemctl stop echo.service")
        # with a rule whose control group is gone, the legacy variant would load no table again
        assert rollouts.sh(release, "iptables-legacy -N tried && iptables-legacy -X tried") == ""
        # another program has the lock of iptables in this moment, as many do when a host boots
        rollouts.sh(release, "flock /run/xtables.lock sleep 0.5 & sleep 0.1; systemctl start echo.service")
    assert rollouts.drift(plan) == {}


def test_what_somebody_changes_by_hand_is_drift(rollouts: Rollouts) -> None:
    plan = rollouts.hold(everywhere(CLOSED))
    rollouts.sh("trixie", "iptables-legacy -C INPUT -j rf_in && iptables-legacy -I INPUT 1 -p tcp -j ACCEPT")
    rollouts.sh("trixie", "iptables-nft -C INPUT -j rf_in && iptables-nft -I INPUT 1 -p tcp -j ACCEPT")
    rollouts.sh("bookworm", "for set in $(ipset list -n | grep _r4_); do ipset add $set 192.0.2.1; done")
    drift = rollouts.playbook_drift(plan)
    assert drift.keys() == {"trixie", "bookworm"}
    assert any("comes before ours in chain INPUT" in line for line in drift["trixie"])
    rollouts.sh("trixie", "iptables-legacy -D INPUT -p tcp -j ACCEPT; iptables-nft -D INPUT -p tcp -j ACCEPT")
    assert rollouts.roll_out(plan, renew=True).ok
    assert rollouts.drift(plan) == {}
