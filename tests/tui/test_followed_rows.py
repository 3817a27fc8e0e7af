"""Lists that are renewed: the cursor stays at what it stood at, and a screen says what it waits for."""

from __future__ import annotations

import asyncio

from ringfence_tui.app import RingfenceApp
from ringfence_tui.opened import Opened
from ringfence_tui.screens.policy.model import Linted, RuleRow, Uses, cells
from ringfence_tui.screens.verify.model import Finding, VerifyRow, VerifyView
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.table import Table

from tests.tui.stub_engine import StubEngine, journey, shown
from tests.tui.waiting import until


def hosts(*names: str) -> VerifyView:
    """Return what was read of hosts."""
    return VerifyView(rows=tuple(VerifyRow(name, Finding.EQUAL, "holds its plan", "", "", "") for name in names))


@journey
async def test_the_cursor_stays_at_its_host_when_others_come_and_go() -> None:
    view = hosts("api-1", "db-1", "web-1")
    engine = StubEngine({"verify.kept": lambda _request, _tell: view})
    async with RingfenceApp(engine, first="verify").run_test(size=(90, 30)) as pilot:
        screen = pilot.app.screen
        screen._show(view)
        table = screen.query_one("#hosts", Table)
        await pilot.press("j")
        assert screen.asset_at_cursor() == "db-1"
        screen._show(hosts("aaa-1", "aaa-2", "api-1", "db-1", "web-1"))
        assert screen.asset_at_cursor() == "db-1"
        screen._show(hosts("db-1", "web-1"))
        assert (screen.asset_at_cursor(), table.cursor) == ("db-1", 0)
        screen._show(hosts("web-1"))
        assert (screen.asset_at_cursor(), table.cursor) == ("web-1", 0), "its host is gone"


@journey
async def test_what_to_do_next_stays_at_the_cursor_when_more_is_known() -> None:
    async with RingfenceApp(StubEngine({}), first="overview").run_test(size=(90, 30)) as pilot:
        lines = pilot.app.screen.query_one("#next", Lines)
        lines.show([(), (), (), ()], ("", "", "l", "a"))
        lines.move_to(3)
        lines.show([(), (), (), (), ()], ("", "", "m", "l", "a"))
        assert lines.cursor == 4


@journey
async def test_a_screen_that_waits_says_for_what_and_stops_saying_it() -> None:
    asked = asyncio.Event()

    async def late(_request: object, _tell: object) -> VerifyView:
        await asked.wait()
        return hosts("api-1")

    opened = Opened("/shop", "shop", read_only=False)
    engine = StubEngine({"verify.kept": late, "workspace.opened": lambda *_: opened})
    async with RingfenceApp(engine, first="verify").run_test(size=(90, 30)) as pilot:
        pilot.app.screen.entered()
        await until(pilot, "reading what was kept")
        asked.set()
        await until(pilot, "api-1")
        assert "reading what was kept" not in shown(pilot.app)


def test_what_rules_do_is_not_waited_for_where_it_cannot_be_known() -> None:
    rule = RuleRow("policy/a.yml", "web", 3, "web → db", "tcp/1", "allow", "0a0b0c0d")
    assert cells(rule, None, Linted(), ())[3] == "…"
    assert cells(rule, Uses(known=False), Linted(), ())[3:5] == ("–", "")
    assert cells(rule, Uses(), Linted(), ())[3:5] == ("0", "never")
