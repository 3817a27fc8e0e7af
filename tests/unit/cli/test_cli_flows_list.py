"""`ringfence flows list`: what the store was made of, when, and how much of it was wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ringfence.flows.kept_sources import FILE

from tests.unit.cli_shop import FILES, data, ringfence, shop

WRONG = "10.0.1.1,10.0.1.3,http,tcp,1,2026-11-24T06:00:00Z\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return shop(tmp_path, {"wrong.csv": FILES["flows.csv"].replace("06:00", "07:00") + WRONG})


def listed(workspace: Path) -> Any:
    return data(workspace, "flows", "list")


def test_sources_are_listed_with_time_rows_wrong_rows_days_and_size(workspace: Path) -> None:
    assert "no flow is kept" in ringfence(workspace, "flows", "list").output
    good, wrong = workspace / "flows.csv", workspace / "wrong.csv"
    ringfence(workspace, "flows", "add", str(good))
    assert ringfence(workspace, "flows", "add", str(wrong)).exit_code == 2

    first, second = listed(workspace)["sources"]
    assert (first["name"], first["read_as"], first["flows"], first["wrong"]) == (str(good), "csv", 2, 0)
    assert (second["name"], second["flows"], second["wrong"]) == (str(wrong), 2, 1)
    assert first["days"] == ["2026-11-24"]
    assert first["size"] == good.stat().st_size
    assert first["added"].startswith("2026-")
    shown = ringfence(workspace, "flows", "list").output
    assert "wrong rows" in shown
    assert "4 flows of 1 day, 2026-11-24" in shown


def test_what_is_added_again_stays_once_and_what_is_forgotten_goes(workspace: Path) -> None:
    for _ in range(2):
        ringfence(workspace, "flows", "add", str(workspace / "flows.csv"))
    (one,) = listed(workspace)["sources"]
    assert one["flows"] == 2

    ringfence(workspace, "flows", "forget", "--before", "2026-11-25")
    assert listed(workspace) == {"flows": 0, "size": 0, "sources": [], "days": []}


def test_a_damaged_list_is_named_and_costs_no_flow(workspace: Path) -> None:
    ringfence(workspace, "flows", "add", str(workspace / "flows.csv"))
    (path,) = workspace.glob(f".ringfence/**/{FILE}")
    path.write_text('[{"name": 3}]')
    shown = ringfence(workspace, "flows", "list")
    assert shown.exit_code == 3
    assert "no flow depends on it" in shown.output
    path.unlink()
    assert [one["flows"] for one in listed(workspace)["sources"]] == [2]
