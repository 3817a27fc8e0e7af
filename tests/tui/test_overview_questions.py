"""The overview of a workspace in which something is broken: that is told, and everything else stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.overview import questions
from ringfence_tui.screens.overview.model import Broken, Findings

from tests.unit.cli_shop import shop


def parts(directory: Path) -> list[object]:
    told: list[object] = []
    questions.show(EngineSession(directory), None, Tell(told.append))
    return told


def broken(told: list[object]) -> dict[str, str]:
    return {part.part: part.wrong[0].place for part in told if isinstance(part, Broken)}


def test_a_damaged_draft_a_damaged_run_and_plans_without_a_directory_are_told_and_take_nothing_away(
    tmp_path: Path,
) -> None:
    shop(tmp_path)
    run = tmp_path / ".ringfence/runs/20261124T070000Z-5f3a00000000/run.json"
    run.parent.mkdir(parents=True)
    run.write_text("{junk")
    (tmp_path / ".ringfence/draft.json").write_text("{junk")
    (tmp_path / "plans").write_text("junk")
    told = parts(tmp_path)

    assert broken(told) == {}
    assert len(told) > 3
    (findings,) = [one for one in told if isinstance(one, Findings)]
    said = [f"{one.place} {one.message}" for one in findings.wrong]
    for words in ("run.json this run is damaged", "a draft is damaged", "plans is no directory"):
        assert any(words in one for one in said), said
    assert not any(one.error for one in findings.wrong)
    (aside,) = (tmp_path / ".ringfence").glob("draft-damaged-*.json")
    assert aside.read_text() == "{junk"


def test_what_the_machine_refuses_takes_only_its_own_part_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_estate: object) -> None:
        raise PermissionError(13, "Permission denied", "/shop/plans")

    monkeypatch.setattr(questions, "rollout_summary", refused)
    told = parts(shop(tmp_path))

    assert broken(told) == {"rollout": "/shop/plans"}
    assert len(told) > 3


def test_what_is_kept_is_told_before_the_languages_are_loaded() -> None:
    script = (
        "import sys\nimport ringfence_tui.screens.overview.questions\n"
        "heavy = {'pydantic', 'duckdb', 'ruamel.yaml', 'ansible_runner'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
