"""`ringfence hygiene` on a small shop: findings, exit status, and the flows that a deletion would change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli_shop import data, ringfence, shop


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("shop"))


def asked(directory: Path, *arguments: str) -> list[str]:
    return ["hygiene", "--flows", str(directory / "flows.csv"), *arguments]


def test_strict_ends_with_one_where_a_rule_is_unused_and_not_where_nothing_is_known(workspace: Path) -> None:
    found: Any = data(workspace, *asked(workspace, "--unused-for", "1h", "--strict"), status=1)
    assert {one["name"]: one["finding"] for one in found["rules"]} == {
        "api to database": "unused",
        "web to api": "used",
    }
    assert found["rules"][0]["without_it"]["changes"] == {"closes": ["tcp/5432"]}
    days = ringfence(workspace, *asked(workspace, "--unused-for", "30d", "--strict"))
    assert days.exit_code == 0
    assert "its workloads were first seen 60 minutes ago" in days.output


def test_a_rule_that_is_named_is_told_with_the_flows_that_its_deletion_changes(workspace: Path) -> None:
    shown = ringfence(workspace, *asked(workspace, "--rule", "web to api", "--all"))
    assert "1 denied that are allowed, 0 allowed that are denied" in shown.output
    assert "web-1 → api-1 tcp/8443: newly denied, 10 times" in shown.output


def test_without_flows_strict_proves_nothing(workspace: Path) -> None:
    empty = ringfence(workspace, "hygiene", "--strict")
    assert empty.exit_code == 2
    assert "no flow was judged" in empty.stderr
    assert "'soon' is not a valid time" in ringfence(workspace, "hygiene", "--unused-for", "soon").stderr
