"""How long ago things were, on screens that stand: it is said anew, and what says the same is not written again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ringfence_tui.app import MINUTE, RingfenceApp
from ringfence_tui.engine.client import EngineError
from ringfence_tui.screens.assets.model import Begin, Current, Listed, Rows, Told
from ringfence_tui.screens.overview.model import Done
from ringfence_tui.widgets.listing import Listing

from tests.tui.stub_engine import StubEngine, journey
from tests.tui.test_overview_model import ASSETS
from tests.tui.waiting import until

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Clock(datetime):
    """A clock that the test moves."""

    at = NOW

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return cls.at


@pytest.mark.parametrize(
    ("screen", "module"), [("overview", "overview.screen"), ("assets", "assets.finding"), ("policy", "")]
)
@journey
async def test_ages_go_on_while_a_screen_stands_and_nothing_is_written_for_those_that_stay(
    screen: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock.at = NOW
    if module:
        monkeypatch.setattr(f"ringfence_tui.screens.{module}.datetime", Clock)

    def overview(_request: object, hear: Any) -> Done:
        hear(ASSETS)
        return Done()

    def everything(_request: object, hear: Any) -> Listed:
        hear(Begin(1))
        hear(Rows((("db-1", "10.0.0.1", "aws", "nftables", "default", "", ()),)))
        hear(Current())
        hear(Told("seen", 0, ((NOW - timedelta(minutes=4)).isoformat(),)))
        return Listed()

    def unknown(*_: object) -> None:
        raise EngineError("not asked here")

    answers = {"overview.show": overview, "assets.everything": everything, "policy.show": unknown}
    app = RingfenceApp(StubEngine(answers), first=screen)
    async with app.run_test(size=(120, 40)) as pilot:
        assert MINUTE >= 60
        if not module:
            app.age()
            return
        app.page.work(app.page.load())  # type: ignore[attr-defined]
        await until(pilot, " min" if screen == "assets" else "aws")
        await pilot.pause()
        painted: list[int] = []
        for widget in app.page.query(Listing):
            monkeypatch.setattr(widget, "repaint", painted.extend)
            monkeypatch.setattr(widget, "refresh", lambda *_, **__: painted.append(-1))
        app.age()
        assert painted == []
        Clock.at += timedelta(minutes=7)
        app.age()
        assert painted
