"""The assets' rows come anew: the cursor stays at its asset. What is copied is one command, whatever is filtered."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from ringfence.model.asset_events import AssetEvent, AssetHistory
from ringfence_tui.app import RingfenceApp
from ringfence_tui.opened import Opened
from ringfence_tui.screens.assets.detail import AssetDetail
from ringfence_tui.screens.assets.filter_words import command_words, why_nothing
from ringfence_tui.screens.assets.model import AssetTable, Begin, Current, Listed, Rows, Told
from ringfence_tui.screens.assets.screen import AssetsScreen
from ringfence_tui.screens.overview.model import Done
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.table import Table

from tests.tui.stub_engine import StubEngine, journey, shown
from tests.tui.waiting import until_true

KEPT = ("api-1", "api-2", "db-1", "db-2", "web-1")


def estate(now: tuple[str, ...], kept: tuple[str, ...] = KEPT) -> StubEngine:
    """Return an engine that tells the kept rows first, then those of now, as the real one does."""
    times = iter(((kept,), (kept, now)))

    def everything(_request: object, tell: Callable[[object], None]) -> Listed:
        for names in next(times):
            tell(Begin(len(names), names is kept))
            tell(Rows(tuple((name, "10.0.0.1", "inventory", "nftables", (), False, name) for name in names)))
        tell(Current())
        return Listed()

    return StubEngine(
        {
            "workspace.opened": lambda _request, _tell: Opened("/shop", "shop", False),
            "assets.everything": everything,
        }
    )


@journey
async def test_the_cursor_stays_at_its_asset_as_others_come_and_go() -> None:
    async with RingfenceApp(estate(("aaa", "api-1", "db-1", "db-2")), first="assets").run_test() as pilot:
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, AssetsScreen)
        await pilot.press("j", "j")
        assert screen.name_at_cursor() == "db-1"
        screen.entered()
        await pilot.pause()
        assert len(screen.found) == 4
        assert screen.name_at_cursor() == "db-1"


@journey
async def test_fewer_rows_than_the_cursor_had_above_it_are_shown() -> None:
    async with RingfenceApp(estate(("only-1",)), first="assets").run_test() as pilot:
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, AssetsScreen)
        await pilot.press("G")
        assert screen.name_at_cursor() == "web-1"
        screen.entered()
        await pilot.pause()
        assert screen.name_at_cursor() == "only-1"


def test_a_filter_is_words_of_the_copied_command_and_no_other_command() -> None:
    screen = AssetsScreen("assets", "Assets")
    screen.filter_text = "env=prod|dev !mode=full role=$(id);reboot"

    assert shlex.split(screen.command()) == ["ringfence", "assets", "env=prod|dev", "role=$(id);reboot"]
    assert shlex.quote("env=prod|dev") in screen.command()
    assert screen.unsaid() == "!mode=full"


@pytest.mark.parametrize(
    ("typed", "said", "unsaid"),
    [
        ("web role=db", ["web", "role=db"], []),
        ("role=d", ["role=db|dns"], []),
        ("role=db|w", ["role=db|web"], []),
        ("role=db,env=prod", ["role=db", "env=prod"], []),
        ("!role=db|web", ["{not: {role: ['db', 'web']}}"], []),
        ("!role=it's", ["{not: {role: ['it''s']}}"], []),
        ("!role mode=full stale !x", [], ["!role", "mode=full", "stale", "!x"]),
        ("10.0.0.0/8 role=db", ["10.0.0.0/8", "role=db"], []),
    ],
)
def test_the_command_lists_what_the_filter_shows_or_says_what_it_lacks(
    typed: str, said: list[str], unsaid: list[str]
) -> None:
    values = {"role": {"db", "dns", "web"}, "env": {"prod"}}
    assert command_words(typed, values) == (said, unsaid)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("role==db", "no asset has 'role==db'; role is api, web"),
        ("rol=web", "nothing is called 'rol' here: did you mean role="),
        ("colour=web", "nothing is called 'colour' here: there are enforcer, realm, role, source"),
        ("web zzz", "no asset has 'zzz' in a name, an address or a label; write role=db for a label"),
        ("=x", "no asset has '=x' in a name, an address or a label; write role=db for a label"),
        ("role=web role=api", ""),
        ("!role=api role=api", ""),
    ],
)
def test_a_filter_that_finds_nothing_says_which_word_no_asset_has(typed: str, why: str) -> None:
    table = AssetTable()
    for name, role in (("web-1", "web"), ("api-1", "api")):
        table.add([(name, "10.0.0.1", "inventory", "nftables", "default", False, (f"role={role}",))])
    assert not table.find(typed)
    assert why_nothing(typed, table) == why


@journey
async def test_work_that_was_cancelled_before_it_began_leaves_no_complaint_of_python() -> None:
    async def never() -> None:
        raise AssertionError

    async with RingfenceApp(estate(KEPT), first="assets").run_test() as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, AssetsScreen)
        task = never()
        screen.work(task, "tried")
        screen.workers.cancel_group(screen, "tried")
        await pilot.pause()
        assert inspect.getcoroutinestate(task) == inspect.CORO_CLOSED


@journey
async def test_escape_takes_the_filter_away_then_the_marks_and_then_goes_back() -> None:
    async with RingfenceApp(estate(KEPT), first="assets").run_test() as pilot:
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, AssetsScreen)
        await pilot.press("space")
        await pilot.press("slash", "d", "b", "enter")
        assert len(screen.found) == 2
        await pilot.press("escape")
        assert (len(screen.found), len(screen.marked)) == (5, 1)
        await pilot.press("escape")
        assert not screen.marked
        assert pilot.app.screen is screen


@journey
async def test_the_history_of_the_asset_at_the_cursor_is_told_above_its_labels_with_room_to_read_it() -> None:
    time = datetime(2026, 11, 26, 7, tzinfo=UTC)
    told = AssetHistory("api-1", (AssetEvent(time, "label role: web → db", "20261126T070000Z.json"),), 3, 3)
    engine = estate(KEPT)
    engine.answers["assets.detail"] = lambda request, _tell: AssetDetail(request.name, (), (("realm", "default"),))
    engine.answers["assets.history"] = lambda _request, _tell: told
    async with RingfenceApp(engine, first="assets").run_test(size=(100, 40)) as pilot:
        await pilot.pause()
        await pilot.press("H")
        await pilot.pause()
        assert isinstance(pilot.app, RingfenceApp)
        lines = shown(pilot.app).splitlines()
        (at,) = [number for number, line in enumerate(lines) if "2026-11-26 07:00  label role: web → db" in line]
        assert "3 snapshots kept" in lines[at + 1]
        assert "realm" in lines[at + 2]


@journey
async def test_rows_that_are_the_same_when_the_screen_is_shown_again_are_painted_once() -> None:
    engine = estate(KEPT)
    engine.answers["assets.everything"] = told_whole
    engine.answers["overview.show"] = lambda _request, _tell: Done()
    async with RingfenceApp(engine, first="assets").run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        table = pilot.app.screen.query_one("#assets", Table)
        await pilot.press("1")
        await pilot.pause()
        painted: list[int] = []
        refresh = table.refresh
        table.refresh = lambda *regions, **how: (painted.append(len(regions)), refresh(*regions, **how))[1]  # type: ignore[assignment,method-assign]
        await pilot.press("2")
        await pilot.pause()
        assert isinstance(pilot.app.screen, AssetsScreen)
        assert pilot.app.screen.table.of("mode", 0) == "full"
        assert painted == []


@journey
async def test_nothing_is_told_of_an_asset_that_the_filter_left_out() -> None:
    engine = estate(KEPT)
    engine.answers["assets.detail"] = lambda request, _tell: AssetDetail(request.name, (), ())
    async with RingfenceApp(engine, first="assets").run_test(size=(100, 30)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, AssetsScreen)
        await until_true(pilot, lambda: screen.detail is not None)
        await pilot.press("slash", *"zzz")
        await pilot.pause()
        assert len(screen.found) == 0
        assert not screen.query_one("#detail", Lines).rows


def told_whole(_request: object, tell: Callable[[object], None]) -> Listed:
    """Tell the same rows each time, and the same of each."""
    tell(Begin(len(KEPT), False))
    tell(Rows(tuple((name, "10.0.0.1", "inventory", "nftables", "default", "", ()) for name in KEPT)))
    tell(Current())
    tell(Told("mode", 0, ("full",) * len(KEPT)))
    return Listed()
