"""The unit that follows containers on machines of an old and a new release; a command stands in for Docker's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ringfence.enforcers import enforcer
from ringfence.lab.spec import HostSpec
from ringfence.model.assets import Control
from ringfence.plan import Circumstances
from ringfence.plan.build import build
from ringfence.plan.store import write

from tests.lab.rollouts import Rollouts, wait_until
from tests.lab_fixtures import MakeLab
from tests.rollout_plans import CONTROLLER
from tests.unit.enforcers.containers import HOST, compiled
from tests.unit.plan.plan_estates import INPUTS

pytestmark = [pytest.mark.lab, pytest.mark.machines]
DOCKER = """#!/bin/sh
case $1 in
ps) echo 0a ;;
inspect) cat /root/told ;;
events) exec tail -n 0 -f /root/events ;;
esac
"""
BEFORE = "/shop-web-1 172.30.1.2\n/shop-app-1 172.30.1.3 172.30.2.2\n/shop-db-1 172.30.2.3\n"
AFTER = "/shop-web-1 172.30.1.2\n/shop-app-1 172.30.1.3 172.30.2.3\n/shop-db-1 172.30.2.2\n"


@pytest.fixture(params=("bullseye", "trixie"))
def rollouts(request: pytest.FixtureRequest, make_lab: MakeLab, tmp_path: Path) -> Iterator[Rollouts]:
    lab = make_lab([HostSpec(HOST, release=request.param)], "machines")
    one = Rollouts(lab, tmp_path)
    lab.exec(HOST, ["sh", "-c", "cat >/usr/local/bin/docker; chmod 755 /usr/local/bin/docker"], input=DOCKER)
    tell(one, BEFORE)
    return one


def tell(rollouts: Rollouts, told: str) -> None:
    """Have containers these addresses, and the engine tell of it."""
    rollouts.lab.exec(HOST, ["sh", "-c", "cat >/root/told; echo start >>/root/events"], input=told)


def filled(rollouts: Rollouts, told: str) -> bool:
    """Return whether the host's maps have the addresses that containers have."""
    listed = json.loads(rollouts.sh(HOST, "nft -j list map inet ringfence containers_in4"))
    elements = next(one["map"].get("elem", []) for one in listed["nftables"] if "map" in one)
    chains = {str(address): verdict["goto"]["target"] for address, verdict in elements}
    names = {address: line.split()[0] for line in told.splitlines() for address in line.split()[1:]}
    same = {(names[address], chain) for address, chain in chains.items() if address in names}
    return chains.keys() == names.keys() and len(same) == len(set(names.values()))


def test_the_unit_fills_in_what_containers_have_also_after_a_reboot_and_goes_with_the_rest(rollouts: Rollouts) -> None:
    compilation = compiled(control=Control(CONTROLLER), without=("client",))
    draft = build(compilation, enforcer, Circumstances(INPUTS, 1, datetime.now(UTC)))
    plan = write(draft, rollouts.directory / "plans")
    result = rollouts.roll_out(plan)
    assert result.ok, (result.data(), result.complaint)
    assert filled(rollouts, BEFORE)
    wait_until(lambda: "active" in rollouts.sh(HOST, "systemctl is-active ringfence-containers; true").split(), 10)
    tell(rollouts, AFTER)
    wait_until(lambda: filled(rollouts, AFTER))
    assert rollouts.playbook_drift(plan) == {}
    rollouts.reboot([HOST])
    wait_until(lambda: filled(rollouts, AFTER))
    rollouts.sh(HOST, "systemctl stop ringfence-containers")
    assert "does not run" in str(rollouts.playbook_drift(plan))
    rollouts.remove()
    assert rollouts.remains(HOST) == ""
