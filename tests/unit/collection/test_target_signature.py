"""A target that has signers uses nothing of a plan before it has checked that one of them signed exactly that."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import Plan

from tests.lone_target import LoneTarget
from tests.rollout_plans import Wanted
from tests.unit.enforcers.nft_kernel import open_kernel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
SHELLS = [["dash", "-s"], ["busybox", "sh", "-s"]]
CONTROL = ("10.203.0.1", "10.0.0.0/8", "10.72.0.0/13", "fd52:6600:0:1::1", "fd00::/9", "::/0", "2001:db8::/47", "::1")
UNITS = {"a\\x2db.service": (7000,), "echo.service": (7000,), None: (1,)}
SIGNED = Wanted(allow=UNITS, names={"pay.example": 443}, control=CONTROL)
EVIL = "unit evil.service units_in goto in_u0\n"


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LoneTarget]:
    for needed in (request.param[0], "ssh-keygen"):
        if shutil.which(needed) is None:
            pytest.skip(f"no {needed} here")
    kernel = open_kernel()
    one = LoneTarget(tmp_path, kernel, request.param, seconds="30")
    for name in ("ada", "eve"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    (tmp_path / "allowed_signers").write_text(f"ada@example.net {(tmp_path / 'ada.pub').read_text()}")
    yield one
    one.ask("remove")
    kernel.close()


def signed(target: LoneTarget, plan: Plan, who: str = "ada") -> dict[str, str]:
    """Return what a controller sends beside a plan that somebody signed."""
    text = Path(plan.directory, "plan.json")
    Path(plan.directory, "plan.json.sig").unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(target.place / who), "-n", "ringfence-plan", str(text)]
    subprocess.run(command, check=True, capture_output=True)
    signature = Path(plan.directory, "plan.json.sig")
    return {"plan_text": text.read_text().rstrip("\n"), "signature": signature.read_text().rstrip("\n")}


def test_a_signed_plan_is_taken_as_it_is_and_in_no_other_way(target: LoneTarget) -> None:
    plan = target.plan(SIGNED)
    sent = signed(target, plan)
    right = target.values(plan)
    wrong = [
        {"processes": right["processes"] + EVIL},
        {"processes": ""},
        {"sequence": "5"},
        {"expects": "0" * 64},
        {"table": "0" * 64},
        {"port": "23"},
        {"control": right["control"] + " 4-00000000-FFFFFFFF"},
        {"control": right["control"].rpartition(" ")[0]},
    ]
    for check in ("", "1"):
        for changed in wrong:
            reply = target.apply(plan, **sent, check=check, **changed)
            assert (reply.last("refused"), reply.last("changed")) == ("signature", ""), changed
        assert target.apply(plan, check=check).last("refused") == "unsigned"
    assert not target.state.exists()
    assert target.in_kernel() == ""
    assert target.apply(plan, **sent, check="1").last("changed") == "yes"
    assert target.apply(plan, **sent).last("signed_by") == "ada@example.net"
    assert target.confirm(plan).last("state") == "confirmed"


def test_only_a_signer_of_this_target_counts(target: LoneTarget) -> None:
    plan = target.plan(SIGNED)
    assert target.apply(plan, **signed(target, plan, "eve")).last("refused") == "signature"


def test_a_newer_plan_with_the_same_ruleset_is_not_taken_over_unsigned(target: LoneTarget) -> None:
    plan = target.plan(SIGNED)
    target.apply(plan, **signed(target, plan))
    target.confirm(plan)
    newer = target.plan(SIGNED)
    more = target.values(newer)["processes"] + EVIL
    assert target.apply(newer, processes=more).last("refused") == "unsigned"
    assert target.apply(newer, **signed(target, newer), processes=more).last("refused") == "signature"
    confirmed = (target.state / "confirmed.nft").read_text()
    assert "evil" not in confirmed
    assert plan.digest in confirmed
    assert target.apply(newer, **signed(target, newer)).last("changed") == "no"
    assert target.ask("status")[1].last("plan") == newer.digest
