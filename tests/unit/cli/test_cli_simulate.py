"""`simulate` against a commit and by parts; `plan` and `show` name the workloads that there is no evidence for."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli_shop import FILES, data, ringfence, shop


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose committed policy lets more through than its files."""
    directory = shop(tmp_path_factory.mktemp("shop"))
    policy = directory / "policy/shop.yml"
    policy.write_text(
        FILES["policy/shop.yml"].replace("postgresql", "any").replace(", process: {unit: shop-api.service}", "")
    )
    (directory / "labels.yml").write_text(
        "labels:\n  - {role: api, when: \"vm.role == 'web'\"}\n  - role: vm.role\n".replace(
            "role: vm.role", "tier: vm.role"
        )
    )
    for command in ("init --quiet", "add ringfence.yml labels.yml policy", "commit --quiet -m wider"):
        git = ["git", "-C", str(directory), "-c", "user.name=a", "-c", "user.email=a@b", *command.split(" ")]
        subprocess.run(git, check=True)
    return shop(directory)


def simulated(directory: Path, *arguments: str, status: int = 0) -> dict[str, Any]:
    found = data(directory, "simulate", "--flows", str(directory / "flows.csv"), *arguments, status=status)
    assert isinstance(found, dict)
    return found


def flows_of(found: dict[str, Any]) -> dict[str, int]:
    return {name: count["flows"] for name, count in found["categories"].items() if count["flows"]}


def test_the_files_are_compared_with_the_policy_and_the_labels_of_a_commit(workspace: Path) -> None:
    """At the commit web servers are labelled as api, which reaches nothing labelled as db."""
    found = simulated(workspace, "--against", "HEAD")
    assert flows_of(found) == {"newly_allowed": 1, "still_denied": 1}
    assert found["against"]["subject"] == "wider"
    assert found["against"]["uncommitted"] == ["labels.yml", "policy/shop.yml"]
    assert flows_of(simulated(workspace)) == {"still_allowed": 1, "newly_denied": 1}
    words = ringfence(workspace, "simulate", "--flows", str(workspace / "flows.csv"), "--against", "HEAD").output
    assert "with what is not committed: labels.yml, policy/shop.yml" in words


def test_strict_judges_every_flow_against_a_commit(workspace: Path) -> None:
    assert simulated(workspace, "--strict", status=1)["against"] is None
    simulated(workspace, "--strict", "--against", "HEAD")
    assert "no revision 'nope'" in ringfence(workspace, "simulate", "--against", "nope").stderr


def test_parts_are_shown_by_rule_ruleset_pair_and_asset_down_to_the_flow(workspace: Path) -> None:
    (flow,) = simulated(workspace, "--pair", "role=web", "role=db")["flows"]
    assert (flow["client_asset"], flow["category"]) == ("web-1", "newly_denied")
    by_ruleset = {one["ruleset"]: one["still_allowed"]["flows"] for one in simulated(workspace)["by_ruleset"]}
    assert by_ruleset == {"policy/shop.yml": 1, "none": 0}
    chosen = simulated(workspace, "--ruleset", "shop", "--by", "rule")["chosen"]
    assert [one["name"] for one in chosen["by_rule"]] == ["web to api", "web to api"]
    assets = simulated(workspace, "--by", "asset", "--asset", "role=web")["by_asset"]
    assert [(one["asset"], one["first_seen"]) for one in assets] == [("web-1", "2026-11-24T06:00:00Z"), ("web-2", None)]
    for wrong, near in (
        ("--ruleset=shp", "did you mean 'shop'?"),
        ("--rule=web to apii", "did you mean 'web to api'?"),
    ):
        assert near in ringfence(workspace, "simulate", wrong).stderr


def test_a_plan_names_the_workloads_that_it_has_no_evidence_for(workspace: Path) -> None:
    made = ringfence(workspace, "plan", "--flows", str(workspace / "flows.csv"))
    assert "no flow of 1 workload was seen: web-2" in made.stderr
    shown = ringfence(workspace, "show").output
    assert "no evidence for 1 workload, no flow was seen there: web-2" in shown
    assert "the flows were seen from 2026-11-24T06:00:00Z to 2026-11-24T06:00:00Z" in shown
    plan: Any = data(workspace, "show")
    assert plan["simulation"]["unseen"] == ["web-2"]
    assert ringfence(workspace, "plan", "--no-flows").exit_code == 0
    assert "no flow was looked at" in ringfence(workspace, "show").output


def test_refused_attempts_are_listed_in_short_and_not_beside_chosen_flows(workspace: Path, tmp_path: Path) -> None:
    rows = [f"10.0.1.1,10.0.1.3,{port},tcp,1,2026-11-24T06:00:00Z,refused\n" for port in range(1, 13)]
    head = "client,server,port,protocol,connections,first_seen,outcome\n"
    good = "10.0.1.1,10.0.1.3,8443,tcp,1,2026-11-24T06:00:00Z,answered\n"
    scan = tmp_path / "scan.csv"
    scan.write_text(head + good + "".join(rows), encoding="utf-8")
    simulate = ("simulate", "--flows", str(scan))

    shown = ringfence(workspace, *simulate).output
    chosen = ringfence(workspace, *simulate, "--asset", "web-1").output

    assert "12 attempts were refused when they were seen, not judged" in shown
    assert "2 more (--limit N --json)" in shown
    assert "12 refused, not judged" in chosen
    assert "attempts were" not in chosen
