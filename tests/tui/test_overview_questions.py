"""The overview of a workspace in which something is broken: that is told, and everything else stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.overview import questions
from ringfence_tui.screens.overview.model import Broken

from tests.unit.cli_shop import shop


def parts(directory: Path) -> list[object]:
    told: list[object] = []
    questions.show(EngineSession(directory), None, Tell(told.append))
    return told


def broken(told: list[object]) -> dict[str, str]:
    return {part.part: part.wrong[0].place for part in told if isinstance(part, Broken)}


def test_a_damaged_draft_is_told_and_stays_as_it_is(tmp_path: Path) -> None:
    shop(tmp_path)
    (tmp_path / ".ringfence").mkdir()
    (tmp_path / ".ringfence/draft.json").write_text("{junk")
    told = parts(tmp_path)

    assert broken(told) == {"draft": ".ringfence/draft.json"}
    assert len(told) > 3
    assert (tmp_path / ".ringfence/draft.json").read_text() == "{junk"


def test_what_the_machine_refuses_takes_only_its_own_part_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_estate: object) -> None:
        raise PermissionError(13, "Permission denied", "/shop/plans")

    monkeypatch.setattr(questions, "rollout_summary", refused)
    told = parts(shop(tmp_path))

    assert broken(told) == {"rollout": "/shop/plans"}
    assert len(told) > 3
