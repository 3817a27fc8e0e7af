"""A host that has signers of its own takes nothing that none of them signed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ringfence.lab.spec import HostSpec

from tests.lab.rollouts import Rollouts, Wanted
from tests.lab_fixtures import MakeLab, echo_unit

pytestmark = [pytest.mark.lab, pytest.mark.machines]
UNITS = Wanted(allow={"echo.service": (7000,), None: (1,)}, names={"pay.example": 443})


def sign(plan: Path, key: Path) -> None:
    (plan / "plan.json.sig").unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", "ringfence-plan", str(plan / "plan.json")]
    subprocess.run(command, check=True, capture_output=True)


def test_a_host_with_signers_of_its_own_takes_signed_plans_only(make_lab: MakeLab, tmp_path: Path) -> None:
    lab = make_lab([HostSpec("guarded", "trixie", units=(echo_unit(),)), HostSpec("other", "trixie")], "machines")
    rollouts = Rollouts(lab, tmp_path / "workspace")
    rollouts.directory.mkdir()
    for name in ("ada", "eve"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    signers = f"ada@example.net {(tmp_path / 'ada.pub').read_text()}"
    lab.exec("guarded", ["sh", "-c", "mkdir -p /etc/ringfence; cat >/etc/ringfence/allowed_signers"], input=signers)
    rollouts.sh("guarded", "echo guarded >/etc/ringfence/name")
    plan = rollouts.plan({"guarded": UNITS, "other": Wanted()})

    def rule(check: bool = False) -> object:
        return rollouts.roll_out(plan, check=check).hosts["guarded"].result.get("rule")

    assert rule(check=True) == rule() == "unsigned"
    sign(plan, tmp_path / "eve")
    assert rule() == "signature"
    sign(plan, tmp_path / "ada")
    assert rollouts.roll_out(plan, check=True).hosts["guarded"].changed
    outcome = rollouts.roll_out(plan)
    assert outcome.ok, outcome.data()
    assert rollouts.playbook_drift(plan) == {}
    # the same signed plan, and another host's name in it, is not this host's
    rollouts.sh("guarded", "echo other >/etc/ringfence/name; rm -r /var/lib/ringfence")
    assert "differs from what was sent for other" in rollouts.roll_out(plan).hosts["guarded"].reason
