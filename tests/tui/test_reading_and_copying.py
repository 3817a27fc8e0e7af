"""Long texts over a screen are scrolled and searched; what is copied can be had where a terminal takes no copies."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

from ringfence_tui import clipboard
from ringfence_tui.app import RingfenceApp
from ringfence_tui.widgets.sheet import Sheet

from tests.tui.stub_engine import StubEngine, journey, shown
from tests.tui.terminal import Terminal
from tests.unit.cli_shop import shop

RINGFENCE = [sys.executable, "-m", "ringfence.cli"]
DATA = base64.b64encode(b"ringfence check").decode()


@journey
async def test_help_scrolls_to_its_end_and_back_and_says_how_far_it_is() -> None:
    async with RingfenceApp(StubEngine({}), first="assets").run_test(size=(90, 24)) as pilot:
        await pilot.press("question_mark")
        sheet = pilot.app.screen.query_one(Sheet)
        await pilot.pause()
        assert f"1-20 of {len(sheet.rows)}" in shown(pilot.app)
        for last, first in (("G", "g"), ("end", "home")):
            await pilot.press(last)
            assert "differs from what hosts hold" in shown(pilot.app)
            await pilot.press(first)
            assert sheet.top == 0
        sheet.post_message(_wheel(sheet))
        await pilot.pause()
        assert sheet.top == 3


@journey
async def test_help_is_searched_and_escape_leaves_the_search_first() -> None:
    async with RingfenceApp(StubEngine({}), first="assets").run_test(size=(90, 24)) as pilot:
        await pilot.press("question_mark", "slash", *"passw")
        text = shown(pilot.app)
        assert "Give the passwords" in text
        assert "Mark all rows" not in text
        await pilot.press("enter", "escape")
        assert "Mark all rows" in shown(pilot.app)
        await pilot.press("escape")
        assert not pilot.app.screen.query(Sheet)


def test_a_copy_goes_through_gnu_screen_and_to_other_terminals_as_it_is() -> None:
    plain = f"\x1b]52;c;{DATA}\x07"
    assert clipboard.wrapped("ringfence check", {}) == plain
    assert clipboard.wrapped("ringfence check", {"STY": "1.pts", "TMUX": "x"}) == plain
    assert clipboard.wrapped("ringfence check", {"STY": "1.pts"}) == f"\x1bP{plain}\x1b\\"


def test_nothing_counts_as_copied_where_no_copy_can_arrive() -> None:
    assert clipboard.refused("a", {"TERM": "linux"})
    assert clipboard.refused("a", {"TERM": "vt220"})
    assert clipboard.refused("a" * 600, {"TERM": "screen", "STY": "1.pts"})
    assert not clipboard.refused("a" * 600, {"TERM": "xterm-kitty"})


def test_the_command_is_shown_whole_and_printed_at_the_end_and_the_mouse_can_mark_it(tmp_path: Path) -> None:
    workspace = tmp_path / ("a-workspace-with-a-long-name-" * 4)
    shop(workspace)
    with Terminal([*RINGFENCE, "--workspace", workspace], cwd=tmp_path) as terminal:
        terminal.wait_for("covered      4 of 4")
        terminal.press("y")
        terminal.wait_for("leaving prints it")
        joined = "".join(line.strip() for line in terminal.screen())
        assert f"ringfence check --workspace {workspace}"[-60:] in joined, "not cut off"
        before = len(terminal.written)
        terminal.press("M")
        terminal.wait_for("the mouse marks text now")
        assert b"\x1b[?1003l" in terminal.written[before:]
        before = len(terminal.written)
        terminal.press("M")
        terminal.wait_for("the mouse chooses")
        assert b"\x1b[?1003h" in terminal.written[before:]
        terminal.press("q")
        assert terminal.wait_end() == 0
    assert f"the command: ringfence check --workspace {workspace}\r\n".encode() in terminal.written


def test_the_mouse_can_be_the_terminals_from_the_start(tmp_path: Path) -> None:
    shop(tmp_path)
    with Terminal(RINGFENCE, cwd=tmp_path, env={"RINGFENCE_MOUSE": "off"}) as terminal:
        terminal.wait_for("NEXT")
        assert b"\x1b[?1000h" not in terminal.written
        terminal.press("M")
        terminal.wait_for("the mouse chooses")
        assert b"\x1b[?1000h" in terminal.written


def _wheel(sheet: Sheet) -> object:
    from textual import events

    return events.MouseScrollDown(sheet, 1, 1, 0, 1, 0, shift=False, meta=False, ctrl=False)
