"""A plan's directory is used only if it is what its name says, in time, and signed where that is wanted."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import (
    PlanError,
    check_signature,
    check_validity,
    load_plan,
)

from tests.rollout_plans import PlanMaker, Wanted

HOSTS = {"web-1": Wanted(), "db-1": Wanted(allow={None: (5432,)})}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return PlanMaker(tmp_path).write(HOSTS, waves=[["web-1"], ["db-1"]])


def rule(refused: pytest.ExceptionInfo[PlanError]) -> str:
    return refused.value.rule


def test_a_plan_tells_every_host_its_wave_its_files_and_its_control_path(directory: Path) -> None:
    plan = load_plan(str(directory))
    host = plan.host("db-1")
    assert (plan.identity, plan.sequence, host.wave) == (directory.name, 1, 1)
    assert host.control == {"from": ["10.203.0.1", "fd52:6600:0:1::1"], "port": 22}
    assert plan.ruleset(host.ruleset, "nft").startswith(b"table inet ringfence {}")
    assert plan.table(host.table)["control"] == host.control
    check_validity(plan)


def test_a_changed_plan_and_a_changed_file_are_refused(directory: Path) -> None:
    plan = load_plan(str(directory))
    ruleset = next((directory / "rulesets").iterdir())
    ruleset.write_text(ruleset.read_text() + "\n")
    with pytest.raises(PlanError, match="was changed after the plan was made") as refused:
        plan.ruleset(ruleset.stem, "nft")
    assert rule(refused) == "digest"
    text = (directory / "plan.json").read_text()
    (directory / "plan.json").write_text(text.replace('"cut": false', '"cut": true'))
    with pytest.raises(PlanError, match="was changed") as refused:
        load_plan(str(directory))
    assert rule(refused) == "digest"


def test_a_file_outside_the_plan_cannot_be_named(directory: Path) -> None:
    with pytest.raises(PlanError, match="not a digest"):
        load_plan(str(directory)).ruleset("../../../etc/passwd", "nft")


def test_a_host_that_the_plan_does_not_know_and_a_directory_without_a_plan_are_told_apart(directory: Path) -> None:
    with pytest.raises(PlanError, match="has no entry for web-9"):
        load_plan(str(directory)).host("web-9")
    with pytest.raises(PlanError, match="there is no plan in"):
        load_plan(str(directory / "rulesets"))


def test_a_plan_whose_time_is_over_is_refused(tmp_path: Path) -> None:
    old = PlanMaker(tmp_path).write(HOSTS, valid_for=timedelta(seconds=-5))
    with pytest.raises(PlanError, match="was valid until") as refused:
        check_validity(load_plan(str(old)))
    assert rule(refused) == "expired"


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here (openssh-client)")
def test_where_signers_are_installed_only_what_one_of_them_signed_is_used(directory: Path, tmp_path: Path) -> None:
    plan = load_plan(str(directory))
    assert check_signature(plan, None) is None
    for name in ("ada", "eve"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    public = (tmp_path / "ada.pub").read_text()
    (tmp_path / "allowed_signers").write_text(f'ada@example.net namespaces="ringfence-plan" {public}')
    with pytest.raises(PlanError, match="is not signed"):
        check_signature(plan, None)
    for who, accepted in (("eve", False), ("ada", True)):
        sign = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(tmp_path / who), "-n", "ringfence-plan"]
        (directory / "plan.json.sig").unlink(missing_ok=True)
        subprocess.run([*sign, str(directory / "plan.json")], check=True, capture_output=True)
        if accepted:
            assert check_signature(plan, None) == "ada@example.net"
        else:
            with pytest.raises(PlanError, match="by none of the signers"):
                check_signature(plan, None)
