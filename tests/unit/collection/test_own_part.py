"""An enforcer that no shell script drives does the work by its own part of the collection, found by the plan's word."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.hostile_host import HostileHost
from tests.rollout_plans import PlanMaker, Wanted

COLLECTIONS = Path(__file__).parents[3] / "collections"
PART = """\
import os

SUFFIX = "json"


def act(verb, action, arguments, task_vars):
    with open(os.environ["PAPER"], "a") as file:
        file.write(f"{verb} {task_vars['inventory_hostname']} {action._task.check_mode}\\n")
    return {"changed": verb == "apply", "state": {"apply": "confirmed", "remove": "none"}.get(verb, verb)}
"""


@pytest.fixture
def collections(tmp_path: Path) -> Path:
    """Return a copy of the collection in which there is a part for `paper` too."""
    shutil.copytree(COLLECTIONS, tmp_path / "collections", ignore=shutil.ignore_patterns("__pycache__", "tests"))
    folder = tmp_path / "collections/ansible_collections/ringfence/core/plugins/plugin_utils/enforcers/paper"
    folder.mkdir()
    (folder / "__init__.py").write_text(PART)
    return tmp_path / "collections"


def plan_of_paper(directory: Path) -> Path:
    made = PlanMaker(directory).write({"web-1": Wanted()})
    plan = json.loads((made / "plan.json").read_text())
    plan["hosts"]["web-1"].update(enforcer="paper", control=None, options={}, runtime=[])
    text = json.dumps(plan, sort_keys=True, indent=1) + "\n"
    (made / "plan.json").write_text(text)
    return made.rename(made.with_name(hashlib.sha256(text.encode()).hexdigest()[:12]))


def test_its_part_does_every_step_and_the_host_gets_no_order(tmp_path: Path, collections: Path) -> None:
    plan = plan_of_paper(tmp_path)
    host = HostileHost(tmp_path / "host")
    host.runs(f"cat >{tmp_path}/sent")
    settings = {"ANSIBLE_COLLECTIONS_PATH": str(collections), "PAPER": str(tmp_path / "paper")}
    tasks: list[object] = [
        {f"ringfence.core.policy{step}": {}} for step in ("", "_confirm", "_verify", "_info", "_rollback", "_refresh")
    ]
    remove = {"ringfence.core.policy": {"state": "absent"}}
    given = ("-e", f"ringfence_plan={plan}", "-e", "ringfence_enforcer=paper")

    results, said = host.play([*tasks, remove], *given, settings=settings)

    lines = (tmp_path / "paper").read_text().splitlines()
    verbs = ("apply", "confirm", "verify", "info", "rollback", "refresh", "remove")
    assert lines == [f"{verb} web-1 False" for verb in verbs], said
    assert results["web-1"][0]["state"] == "confirmed"
    assert not (tmp_path / "sent").exists()
    events = [json.loads(line)["event"] for line in (plan / "journal.jsonl").read_text().splitlines()]
    assert events == ["started", "confirmed"]


def test_a_check_mode_applies_nothing_and_starts_no_journal(tmp_path: Path, collections: Path) -> None:
    plan = plan_of_paper(tmp_path)
    host = HostileHost(tmp_path / "host")
    settings = {"ANSIBLE_COLLECTIONS_PATH": str(collections), "PAPER": str(tmp_path / "paper")}
    host.play([{"ringfence.core.policy": {}}], "-e", f"ringfence_plan={plan}", "--check", settings=settings)
    assert (tmp_path / "paper").read_text() == "apply web-1 True\n"
    assert not (plan / "journal.jsonl").exists()


STAND_IN = """\
from ..nftables import PARTS, answer_age, filled, read, runtime_lines

SUFFIX = "txt"
MISSING = "paper"
OLDEST = {"paper": (1, 0)}


def features(reply):
    return {"paper": "1.8"}
"""


def test_where_the_usual_enforcer_is_missing_the_others_are_asked_and_that_is_told(
    tmp_path: Path, collections: Path
) -> None:
    part = collections / "ansible_collections/ringfence/core/plugins/plugin_utils/enforcers/paper/__init__.py"
    part.write_text(STAND_IN)
    host = HostileHost(tmp_path / "host")
    host.runs(
        f"cat >/dev/null; if mkdir {tmp_path}/asked 2>/dev/null; then "
        "printf 'ringfence:refused=nft\\nringfence:reason=nft is not installed\\n'; exit 3; "
        f"elif mkdir {tmp_path}/again 2>/dev/null; then "
        "printf 'ringfence:refused=iptables\\nringfence:reason=there is no ipset command\\n'; exit 3; "
        "else printf 'ringfence:table=absent\\n'; fi"
    )
    settings = {"ANSIBLE_COLLECTIONS_PATH": str(collections)}

    results, said = host.play([{"ringfence.core.policy_info": {"counters": False}}], settings=settings)

    (result,) = results["web-1"]
    assert result["enforcer"] == "paper", said
    assert result["features"] == {"nft": "", "iptables": "", "paper": "1.8"}
    assert result["state"] == "none"
    (tmp_path / "asked").rmdir()
    named, said = host.play(
        [{"ringfence.core.policy_info": {"enforcer": "nftables", "counters": False}}], settings=settings
    )
    assert (named["web-1"][0]["state"], named["web-1"][0]["rule"]) == ("refused", "nft"), said


@pytest.mark.parametrize(
    ("told", "answers", "features"),
    [
        ("nft=0.9.0", "iptables", {"nft": "0.9.0", "iptables": "1.8.4", "ipset": "7.1"}),
        ("nft=0.9.3", "nftables", {"nft": "0.9.3"}),
    ],
)
def test_a_host_with_an_old_nft_tells_what_it_has_of_iptables_too(
    tmp_path: Path, told: str, answers: str, features: dict[str, str]
) -> None:
    host = HostileHost(tmp_path / "host")
    host.runs(
        f"cat >/dev/null; if mkdir {tmp_path}/asked 2>/dev/null; then printf 'ringfence:{told}\\n'; "
        "else printf 'ringfence:iptables=1.8.4\\nringfence:ipset=7.1\\n'; fi; printf 'ringfence:table=absent\\n'"
    )
    results, said = host.play([{"ringfence.core.policy_info": {"counters": False}}])
    (result,) = results["web-1"]
    assert (result["enforcer"], result["features"]) == (answers, features), said


def test_a_host_with_an_old_nft_and_an_old_ipset_tells_both_and_stays_with_the_usual_enforcer(tmp_path: Path) -> None:
    host = HostileHost(tmp_path / "host")
    host.runs(
        f"cat >/dev/null; if mkdir {tmp_path}/asked 2>/dev/null; then printf 'ringfence:nft=0.9.0\\n'; "
        "else printf 'ringfence:iptables=1.8.4\\nringfence:ipset=6.11\\n'; fi; printf 'ringfence:table=absent\\n'"
    )
    results, said = host.play([{"ringfence.core.policy_info": {"counters": False}}])
    (result,) = results["web-1"]
    assert result["enforcer"] == "nftables", said
    assert result["features"] == {"nft": "0.9.0", "iptables": "1.8.4", "ipset": "6.11"}


def test_a_host_with_an_old_nft_and_no_iptables_says_that_it_has_none(tmp_path: Path) -> None:
    host = HostileHost(tmp_path / "host")
    host.runs(
        f"cat >/dev/null; if mkdir {tmp_path}/asked 2>/dev/null; then printf 'ringfence:nft=0.9.0\\n'; "
        "else printf 'ringfence:refused=iptables\\n'; exit 3; fi; printf 'ringfence:table=absent\\n'"
    )
    results, said = host.play([{"ringfence.core.policy_info": {"counters": False}}])
    (result,) = results["web-1"]
    assert result["enforcer"] == "nftables", said
    assert result["features"] == {"nft": "0.9.0", "iptables": ""}


@pytest.mark.parametrize("refused", ["enforcer", "nft"])
def test_removal_takes_out_what_the_host_holds_of_another_enforcer(tmp_path: Path, refused: str) -> None:
    host = HostileHost(tmp_path / "host")
    host.runs(
        f"cat >/dev/null; if mkdir {tmp_path}/asked 2>/dev/null; then printf 'ringfence:refused={refused}\\n'; exit 3; "
        "else printf 'ringfence:changed=yes\\nringfence:state=none\\n'; fi"
    )
    results, said = host.play([{"ringfence.core.policy": {"state": "absent"}}])
    assert (results["web-1"][0].get("changed"), results["web-1"][0].get("state")) == (True, "none"), said
