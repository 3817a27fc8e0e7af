"""The Simulate screen by Textual's pilot."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence_tui.messages import PairSubject
from ringfence_tui.screens.simulate.screen import SimulateScreen

from tests.tui.map_estate import drawn
from tests.tui.policy_pilot import application
from tests.tui.stub_engine import journey, shown
from tests.tui.waiting import until
from tests.unit.cli_shop import NOW


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn(tmp_path_factory.mktemp("shop"))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


@journey
async def test_from_what_is_newly_denied_to_the_flow_and_why(directory: Path) -> None:
    app = application(directory, "simulate")
    async with app.run_test(size=(80, 24)) as pilot:
        text = await until(pilot, "still allowed")
        assert "files against what hosts hold   flows of 7d   by category" in text
        await pilot.press("enter")
        await until(pilot, "category newly denied")
        text = await until(pilot, "default")
        await pilot.press("enter", "enter")
        text = await until(pilot, lambda text: "SERVICE" in text and "tcp/" in text)
        assert "newly denied  ›  rule default" in text
        assert "no rule decides" in text
        page = app.page
        assert isinstance(page, SimulateScreen)
        said: list[tuple[str, object]] = []
        page.go = lambda screen, subject=None: said.append((screen, subject))  # type: ignore[method-assign]
        await pilot.press("e")
        await pilot.pause()
        assert said[0][0] == "explain"
        assert isinstance(said[0][1], PairSubject)
        await pilot.press("escape", "escape", "escape")
        await until(pilot, "all flows")


@journey
async def test_b_shows_the_same_flows_by_other_rows_and_y_has_the_command(directory: Path) -> None:
    app = application(directory, "simulate")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "still allowed")
        for word in ("by rule", "by ruleset", "by label pair", "by asset", "by flow"):
            await pilot.press("b")
            await until(pilot, word)
        assert app.page.command() == "ringfence simulate --since 7d --by flow"
        await pilot.press("t")
        await until(pilot, "flows of 30d")


@journey
async def test_a_commit_that_there_is_not_leaves_what_is_shown(directory: Path) -> None:
    app = application(directory, "simulate")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "still allowed")
        await pilot.press("c", *"nope", "enter")
        await until(pilot, "✗")
        assert "against what hosts hold" in shown(app)
