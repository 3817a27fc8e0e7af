"""The Explain screen by Textual's pilot."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence_tui.messages import PairSubject

from tests.tui.map_estate import drawn
from tests.tui.policy_pilot import application
from tests.tui.stub_engine import journey, shown
from tests.tui.waiting import until
from tests.unit.cli_shop import NOW, data


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


@journey
async def test_typed_ends_are_explained_reversed_and_allowed_in_the_draft(tmp_path: Path) -> None:
    app = application(drawn(tmp_path), "explain")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda _text: app.focused is not None and app.focused.id == "client")
        await pilot.press(*"web-1", "tab", *"db", "tab", "tab", *"tcp/6379", "enter")
        text = await until(pilot, "4 connections")
        assert "x DENIED  by db-1, inbound" in text
        assert "mode   observe  policy/shop.yml:14:5" in text
        assert app.page.command() == "ringfence explain web-1 db-1 tcp/6379"
        await pilot.press("r")
        await until(pilot, "db-1, outbound")
        await pilot.press("r")
        await until(pilot, "4 connections")
        await pilot.press("a")
        await until(pilot, "into the draft of policy/shop.yml")
        await pilot.press("enter")
        await until(pilot, lambda text: "draft +" in text and "files x" in text)
        assert data(tmp_path, "draft", "show")["files"] == ["policy/shop.yml"]


@journey
async def test_another_screen_sends_a_pair_and_services_are_stepped_through(tmp_path: Path) -> None:
    app = application(drawn(tmp_path), "explain")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "enter answers")
        app.page.take(PairSubject("dev-api-1", "db-1", "tcp/1-65535"))
        app.page.entered()
        first = await until(pilot, "answer 1 of 2")
        await pilot.press("n")
        second = await until(pilot, "answer 2 of 2")
        assert first.splitlines()[3] != second.splitlines()[3]


@journey
async def test_what_is_wrong_is_said_and_nothing_old_stays(tmp_path: Path) -> None:
    app = application(drawn(tmp_path), "explain", read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "enter answers")
        app.page.take(PairSubject("web-1", "nobody", "tcp/1"))
        app.page.entered()
        await until(pilot, "neither an asset nor an address")
        await pilot.press("a")
        await until(pilot, "read-only")
        assert "DENIED" not in shown(app)
