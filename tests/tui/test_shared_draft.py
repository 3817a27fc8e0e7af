"""Several applications on one draft, and a draft that is damaged: Policy and Map show what is, and go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.operations import draft
from ringfence.operations.draft import AddRule
from ringfence_tui.screens.map import shared_draft

from tests.tui.map_estate import drawn
from tests.tui.policy_pilot import application
from tests.tui.stub_engine import journey
from tests.tui.waiting import until
from tests.unit.cli_shop import NOW

SHOP = "policy/shop.yml"
HEAD = {"scope": {"app": "shop"}}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


def denied(name: str) -> AddRule:
    return AddRule(SHOP, {"name": name, "from": "any", "to": {"role": "db"}, "deny": "tcp/23"}, HEAD)


def said_by_kim(directory: Path) -> None:
    """Have the draft on disk be what another process wrote."""
    path = directory / ".ringfence/draft.json"
    data = json.loads(path.read_text())
    data["by"] = {"who": "kim", "host": "ops-1", "pid": 4411, "at": "2026-11-24T14:02:00Z"}
    path.write_text(json.dumps(data))


@pytest.mark.parametrize("screen", ["policy", "map"])
@journey
async def test_a_change_of_another_application_is_not_taken_back_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, screen: str
) -> None:
    monkeypatch.setattr(shared_draft, "LOOK_EVERY", 3600)
    estate = Estate(drawn(tmp_path))
    draft.change(estate, denied("mine"))
    async with application(tmp_path, screen).run_test(size=(120, 40)) as pilot:
        await until(pilot, "draft 1")
        draft.change(estate, denied("of kim"))
        said_by_kim(tmp_path)
        await pilot.press("u")
        await until(pilot, "kim (process 4411 of ops-1, 14:02 UTC) changed the draft meanwhile")
        await until(pilot, "draft 2")
        assert len(draft.show(estate).changes) == 2
        await pilot.press("u")
        await until(pilot, "taken back")
        assert len(draft.show(estate).changes) == 1


@pytest.mark.parametrize("screen", ["policy", "map"])
@journey
async def test_what_another_application_changes_is_shown_with_who_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, screen: str
) -> None:
    monkeypatch.setattr(shared_draft, "LOOK_EVERY", 0.05)
    estate = Estate(drawn(tmp_path))
    async with application(tmp_path, screen).run_test(size=(120, 40)) as pilot:
        await until(pilot, "NO DRAFT" if screen == "policy" else "prod shop web")
        draft.change(estate, denied("of kim"))
        said_by_kim(tmp_path)
        text = await until(pilot, "kim (process 4411 of ops-1, 14:02 UTC) changed the draft: it is shown as it is now")
        assert "draft 1" in text


@pytest.mark.parametrize("screen", ["policy", "map"])
@journey
async def test_a_damaged_draft_is_told_and_kept_and_everything_else_works(tmp_path: Path, screen: str) -> None:
    estate = Estate(drawn(tmp_path))
    path = tmp_path / ".ringfence/draft.json"
    path.write_text('{"format": 1,\n "changes": [')
    async with application(tmp_path, screen).run_test(size=(120, 40)) as pilot:
        await until(pilot, "a draft is damaged (no JSON: Expecting value)")
        text = await until(pilot, "mend it and move it back, or delete it")
        (kept,) = path.parent.glob("draft-damaged-*.json")
        assert f"{kept.name}:2:14" in text
        assert not path.exists()
        draft.change(estate, denied("new"))
        await pilot.press("4", "3") if screen == "map" else await pilot.press("3", "4")
        await until(pilot, "draft 1")
    assert kept.read_text().startswith('{"format": 1')
