"""The demonstration's workspace: three sources that know its hosts, each in part, and what comes of that."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ringfence.lab.access import make_keys, write_inventory
from ringfence.lab.demonstration.records import NEVER_INSTALLED, OUTDATED
from ringfence.lab.demonstration.workspace_files import write_workspace
from ringfence.lab.estate import shop
from ringfence.lab.spec import HostSpec, addressed

LAB, CMDB, OPERATIONS = "inventory/10-lab.yml", "inventory/20-cmdb.yml", "inventory/30-operations.yml"


@pytest.fixture(scope="module")
def hosts() -> list[HostSpec]:
    return addressed(shop())


@pytest.fixture(scope="module")
def workspace(hosts: list[HostSpec], tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("lab")
    make_keys(directory)
    write_workspace(directory / "workspace", write_inventory(directory, hosts), hosts, processes=True)
    return directory / "workspace"


def ringfence(workspace: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ringfence.cli", *words], cwd=workspace, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def assets(workspace: Path) -> dict[str, dict]:
    return {one["name"]: one for one in json.loads(ringfence(workspace, "assets", "--explain", "--json"))}


def test_a_machine_of_three_sources_is_one_asset_and_has_every_label_of_the_estate(
    assets: dict[str, dict], hosts: list[HostSpec]
) -> None:
    assert sorted(assets) == sorted([*(host.name for host in hosts), NEVER_INSTALLED])
    assert assets["web-1"]["sources"] == [LAB, CMDB, OPERATIONS]
    assert assets["web-1"]["identity"]["hosts"].keys() == {"web-1", "web-1.shop.example", "rack-1"}
    assert assets["web-1"]["identity"]["by"] == ["address 10.203.0.11", "serial sn-4701"]
    for host in hosts:
        given = {key: label["value"] for key, label in assets[host.name]["labels"].items()}
        assert given == dict(host.labels), host.name


def test_every_label_says_which_source_it_came_from(assets: dict[str, dict]) -> None:
    labels = assets["pay-1"]["labels"]
    came = {key: [one["source"] for one in label["evidence"]] for key, label in labels.items()}
    assert came == {"app": [CMDB], "pci": [CMDB], "env": [OPERATIONS], "role": [OPERATIONS], "loc": [OPERATIONS]}
    assert {one["source"] for label in assets["bastion-1"]["labels"].values() for one in label["evidence"]} == {LAB}


def test_the_contradiction_is_listed_and_the_preferred_source_counts(workspace: Path, assets: dict[str, dict]) -> None:
    (found,) = json.loads(ringfence(workspace, "assets", "contradictions", "--json"))
    assert (found["asset"], found["attribute"]) == (OUTDATED, "onprem.Environment")
    assert [(one["source"], one["value"]) for one in found["said"]] == [
        (OPERATIONS, "development"),
        (CMDB, "production"),
    ]
    assert assets[OUTDATED]["labels"]["env"]["value"] == "dev"
    assert f"onprem.Environment of '{OUTDATED}'" in ringfence(workspace, "check")


def test_a_machine_that_only_the_cmdb_knows_is_in_no_wave_and_the_plan_says_why(workspace: Path) -> None:
    plan = json.loads(ringfence(workspace, "plan", "--no-flows", "--json"))
    assert NEVER_INSTALLED not in [name for wave in plan["waves"] for name in wave]
    assert plan["left_out"] == {NEVER_INSTALLED: "it has no address"}
