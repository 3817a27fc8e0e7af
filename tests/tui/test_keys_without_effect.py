"""A key that does nothing says so."""

from __future__ import annotations

from ringfence_tui.app import RingfenceApp
from ringfence_tui.widgets.notice import Notice

from tests.tui.stub_engine import StubEngine, journey, shown


@journey
async def test_a_key_that_no_screen_has_is_told() -> None:
    async with RingfenceApp(StubEngine({}), first="map").run_test(size=(90, 24)) as pilot:
        for key, said in (
            ("z", "z does nothing here"),
            ("ctrl+s", "ctrl+s does nothing here"),
            ("W", "W does nothing"),
        ):
            await pilot.press(key)
            await pilot.pause()
            assert said in shown(pilot.app)


@journey
async def test_a_key_that_may_change_nothing_says_what_it_would_do() -> None:
    app = RingfenceApp(StubEngine({}, read_only=True), first="map")
    async with app.run_test(size=(90, 24)) as pilot:
        await pilot.press("w")
        await pilot.pause()
        assert "read-only" in shown(pilot.app).splitlines()[-2]


@journey
async def test_keys_that_have_an_effect_are_no_complaint() -> None:
    async with RingfenceApp(StubEngine({}), first="assets").run_test(size=(90, 24)) as pilot:
        for key in (
            "j",
            "k",
            "G",
            "tab",
            "shift+tab",
            "question_mark",
            "z",
            "escape",
            "slash",
            "z",
            "space",
            "left",
            "escape",
        ):
            await pilot.press(key)
            await pilot.pause()
            assert "does nothing" not in str(pilot.app.screen.query_one(Notice).shown), key
