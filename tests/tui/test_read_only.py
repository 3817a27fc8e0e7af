"""`--read-only`: every key of every screen and every action of the palette, and nothing is written or asked to be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ringfence_tui.app import RingfenceApp
from ringfence_tui.engine.session import EngineSession
from ringfence_tui.keys import APPLICATION, LET_THROUGH, MARK, MOVES, QUARANTINE, RELEASE
from ringfence_tui.page import Page
from ringfence_tui.screens import SCREENS
from ringfence_tui.widgets.overlay import Overlay
from textual.pilot import Pilot

from tests.tui.policy_pilot import RealEngine, application
from tests.tui.stub_engine import journey, shown
from tests.tui.waiting import until
from tests.unit.cli_shop import NOW, ringfence, shop

OPENED = [entry for entry in SCREENS if not entry.name.startswith("start")]
FIRST = "overview"  # there what every screen has is tried
ENDS = {"quit", "suspend_process", "help_quit"}  # what would end the test
# Questions that change something, or have something changed.
CHANGE = re.compile(
    r"emergency\.(cut|permission|quarantine|allow_for|release)|overview\.collect|assets\.write|"
    r"map\.(take|undo|redo|write)|policy\.(keep|drop)|suggest\.(take|reject)|explain\.take|"
    r"rollout\.(make|begin|steer|roll_back)|verify\.keep|lab\.(up|stop|down)|start\.begin"
)


def tree(directory: Path) -> dict[str, bytes]:
    """Return every file of a workspace with what is in it."""
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in directory.rglob("*")}


async def leave_overlays(pilot: Pilot[int], page: Page) -> None:
    """Close whatever lies over the screen."""
    for _ in range(5):
        if not page.query(Overlay):
            return
        await pilot.press("escape")
        await pilot.pause()


async def back_to(pilot: Pilot[int], app: RingfenceApp, name: str) -> None:
    """Have a screen again, without what lies over it."""
    await leave_overlays(pilot, app.page)
    if app.page.page_name != name:
        app.go(name)
        await pilot.pause()


@pytest.mark.parametrize("name", [entry.name for entry in OPENED])
@journey
async def test_no_key_and_no_action_changes_anything(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    workspace = shop(tmp_path / "shop")
    assert ringfence(workspace, "flows", "add", str(workspace / "flows.csv"), "--format", "csv").exit_code == 0
    assert ringfence(workspace, "plan").exit_code == 0
    refused: list[str] = []
    writable = EngineSession.writable

    def asked(self: EngineSession, what: str) -> None:
        refused.append(what)
        writable(self, what)

    def reached(*_args: object, **_options: object) -> None:
        raise AssertionError("hosts are reached")

    monkeypatch.setattr(EngineSession, "writable", asked)
    monkeypatch.setattr("ringfence.rollout.run_playbook", reached)
    monkeypatch.setattr("ringfence.files._refused", [True])
    before = tree(workspace)
    app = application(workspace, name, read_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "read-only")
        page, actions = app.page, app._every()
        assert not any(key.changes for key in page.shown_keys())
        everywhere = (*APPLICATION, *MOVES, MARK) if name == FIRST else (QUARANTINE, LET_THROUGH, RELEASE)
        keys = [key for key in (*page.KEYS, *everywhere) if key.action not in ENDS]
        for key in keys:
            await pilot.press(key.keys.split(",")[0])
            await pilot.pause()
            await back_to(pilot, app, name)
        assert {one.run for one in actions if one.on == "screen"} <= {key.action for key in keys}
        for action in actions if name == FIRST else ():
            if action.on == "app" and action.run.partition("(")[0] not in ENDS:
                await app.run_action(action.run, app)
                await pilot.pause()
                await back_to(pilot, app, name)
        assert "read-only" in shown(app).splitlines()[0]
    engine = app.engine
    assert isinstance(engine, RealEngine)
    assert [question for question, _ in engine.asked if CHANGE.fullmatch(question)] == []
    assert refused == []
    assert tree(workspace) == before
