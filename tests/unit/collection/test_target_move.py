"""A host that changes its enforcer is never without a table, goes back to the old one, and keeps one in the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import Plan

from tests.lone_target import LoneTarget, wait_until
from tests.rollout_plans import Wanted
from tests.unit.collection.test_iptables_target import NEW, OLD, IptablesTarget
from tests.unit.enforcers.iptables_kernel import EMPTY, FAMILIES, open_iptables

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
OTHER = {"iptables": "nftables", "nftables": "iptables"}


@pytest.fixture(params=["iptables", "nftables"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IptablesTarget]:
    """A target that holds a plan of one enforcer."""
    opened = open_iptables("nft")
    one = IptablesTarget(tmp_path, opened.kernel, ["dash", "-s"], variant="nft", enforcer=request.param)
    one.enforce(OLD)
    yield one
    for name in OTHER:
        one.enforcer = name
        one.ask("remove")
    opened.close()


def kernel(target: IptablesTarget) -> dict[str, str]:
    """Return the plan whose table each enforcer has in the kernel, as far as it has one."""
    found = {"nftables": LoneTarget.in_kernel(target), "iptables": IptablesTarget.in_kernel(target)}
    return {name: plan for name, plan in found.items() if plan}


def moved(target: IptablesTarget, wanted: Wanted = NEW, seconds: str = "30") -> tuple[str, Plan]:
    """Apply a plan of the other enforcer, which waits then beside what stands; return the old one and the plan."""
    before = target.enforcer
    target.enforcer = OTHER[before]
    target.seconds = seconds
    plan = target.plan(wanted)
    reply = target.apply(plan)
    assert reply.last("state") == "waiting", reply.values
    return before, plan


def files(target: IptablesTarget) -> set[str]:
    return {path.name for path in target.state.iterdir() if not path.is_symlink()} - {"history", "new"}


def test_the_old_table_goes_when_the_new_one_was_confirmed(target: IptablesTarget) -> None:
    old = kernel(target)
    _before, plan = moved(target)
    assert kernel(target) == {**old, target.enforcer: plan.digest}
    assert target.ask("status")[1].last("pending") == "armed"
    assert target.confirm(plan).last("state") == "confirmed"
    assert kernel(target) == {target.enforcer: plan.digest}
    assert files(target) == {"confirmed.nft", "ringfence.sh"}
    status = target.ask("status")[1]
    assert (status.last("stands"), status.all("damaged")) == ("confirmed", [])
    assert target.enforce(OLD).digest == kernel(target)[target.enforcer]


@pytest.mark.parametrize("how", ["rollback", "timer", "another plan"])
def test_what_is_not_confirmed_leaves_the_old_table_as_it_was(target: IptablesTarget, how: str) -> None:
    old = kernel(target)
    before, plan = moved(target, seconds="1" if how == "timer" else "30")
    if how == "rollback":
        assert target.ask("rollback")[1].last("state") == "restored"
    elif how == "timer":
        wait_until(lambda: kernel(target) == old, 10)
        wait_until(lambda: not (target.state / "other.sh").exists(), 5)
    else:
        target.enforcer = before
        refused = target.apply(target.plan(NEW))
        assert refused.last("refused") == "enforcer"
        assert f"plan {plan.digest} of" in refused.last("reason")
        target.enforcer = OTHER[before]
        assert target.ask("rollback")[1].last("state") == "restored"
    assert kernel(target) == old
    assert files(target) == {"confirmed.nft", "ringfence.sh"}
    target.enforcer = before
    assert target.ask("status")[1].last("stands") == "confirmed"
    target.enforce(NEW)


def test_a_boot_in_the_wait_loads_the_old_table(target: IptablesTarget) -> None:
    old = kernel(target)
    before, _plan = moved(target)
    target.kernel.nft("flush", "ruleset")
    for command in FAMILIES.values():
        target.kernel.run(f"{command}-nft-restore", text=EMPTY)
    shutil.rmtree(target.memory)
    assert target.ask("boot")[0] == 0
    assert kernel(target) == old
    target.enforcer = before
    assert target.ask("status")[1].last("stands") == "confirmed"
    target.enforce(NEW)


def test_a_confirmation_that_was_cut_short_is_ended_by_the_next_apply(target: IptablesTarget) -> None:
    _before, plan = moved(target)
    whole = target.stand_ins
    target.stand_ins += "forget_wait() { exit 9; }\n"
    target.ask("confirm", {"plan": plan.digest, "port": "22"})
    target.stand_ins = whole
    assert len(kernel(target)) == 2
    assert any("cut short" in said for said in target.ask("status")[1].all("damaged"))
    assert target.apply(plan).last("state") == "confirmed"
    assert kernel(target) == {target.enforcer: plan.digest}
    assert files(target) == {"confirmed.nft", "ringfence.sh"}


def test_where_the_old_enforcer_cannot_come_back_nothing_is_changed(target: IptablesTarget) -> None:
    old, before = kernel(target), target.enforcer
    (target.state / "ringfence.sh").write_text(f"filter_tool={before}\n")
    target.enforcer = OTHER[before]
    refused = target.apply(target.plan(NEW))
    assert refused.last("refused") == "enforcer"
    assert "it could not be rolled back" in refused.last("reason")
    assert kernel(target) == old
