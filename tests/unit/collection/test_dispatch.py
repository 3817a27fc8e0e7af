"""The plan says which enforcer a host has, and its part of the collection works; a missing part fails one host."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils import enforcers
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import USUAL, enforcement, installed, too_old
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import script
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError
from ringfence.enforcers import enforcer

from tests.hostile_host import HostileHost
from tests.rollout_plans import PlanMaker, Wanted

OFFERS = ("SUFFIX", "PARTS", "MISSING", "OLDEST", "runtime_lines", "read", "filled", "features", "answer_age")


def plan_of_windows(directory: Path) -> Path:
    """Return a plan whose one host another enforcer is for than this collection has a part for."""
    made = PlanMaker(directory).write({"web-1": Wanted()})
    plan = json.loads((made / "plan.json").read_text())
    plan["hosts"]["web-1"]["enforcer"] = "windows"
    text = json.dumps(plan, sort_keys=True, indent=1) + "\n"
    (made / "plan.json").write_text(text)
    return made.rename(made.with_name(hashlib.sha256(text.encode()).hexdigest()[:12]))


@pytest.mark.parametrize("name", installed())
def test_a_part_offers_what_the_actions_ask_for_and_ends_its_files_as_its_engine_half_does(name: str) -> None:
    package = enforcement(name)
    assert [one for one in OFFERS if not hasattr(package, one)] == []
    assert enforcer(name).suffix == package.SUFFIX
    assert "ringfence_main() {" in script(name)


@pytest.mark.parametrize("name", installed())
def test_both_halves_of_an_enforcer_ask_for_the_same_versions(name: str) -> None:
    its = enforcer(name)
    for program, oldest in enforcement(name).OLDEST.items():
        before = [*oldest[:-1], oldest[-1] - 1]
        for numbers, lacking in ((oldest, False), (before, True)):
            told = dict.fromkeys(enforcement(name).OLDEST, "999") | {program: ".".join(map(str, numbers))}
            assert (bool(its.lacks(its.facts(told))), too_old(name, told)) == (lacking, lacking), told
        assert too_old(name, {program: ""})
    assert not too_old(name, {})


def test_the_usual_enforcer_comes_first() -> None:
    assert installed()[0] == USUAL


@pytest.mark.parametrize("name", ["windows", "../nftables", "nftables.reader", "", "os"])
def test_a_name_without_a_part_is_refused_by_name(name: str) -> None:
    with pytest.raises(PlanError, match="does not support it") as refused:
        enforcement(name)
    assert refused.value.rule == "enforcer"
    assert f"'{name}'" in str(refused.value)


@pytest.mark.parametrize("verb", ["policy", "policy_confirm", "policy_verify", "policy_info", "linux_policy"])
def test_a_host_whose_enforcer_has_no_part_here_fails_with_its_name_and_is_not_touched(
    tmp_path: Path, verb: str
) -> None:
    plan = plan_of_windows(tmp_path)
    host = HostileHost(tmp_path / "host")
    host.runs(f"cat >{tmp_path}/sent")
    results, said = host.play([{f"ringfence.core.{verb}": {}}], "-e", f"ringfence_plan={plan}")
    (result,) = results["web-1"]
    assert (result["state"], result["rule"]) == ("refused", "enforcer"), said
    assert "this host is enforced by 'windows'" in result["msg"]
    assert not (tmp_path / "sent").exists()
    assert not (plan / "journal.jsonl").exists()


def test_without_a_plan_somebody_says_which_enforcer_a_host_has(tmp_path: Path) -> None:
    host = HostileHost(tmp_path / "host")
    host.runs(f"cat >{tmp_path}/sent; printf 'ringfence:table=absent\\n'")
    for given in ("ringfence_enforcer=windows", '{"ringfence_enforcers": {"web-1": "windows"}}'):
        results, said = host.play([{"ringfence.core.policy_info": {}}], "-e", given)
        assert results["web-1"][0]["rule"] == "enforcer", said
    results, said = host.play([{"ringfence.core.policy_info": {}}], "-e", '{"ringfence_enforcers": {"web-2": "x"}}')
    assert results["web-1"][0]["enforcer"] == USUAL, said


def test_the_folder_of_each_part_is_one_package() -> None:
    folder = Path(str(enforcers.__file__)).parent
    assert {path.name for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(installed())
