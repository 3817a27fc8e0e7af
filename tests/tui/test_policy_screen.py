"""The Policy screen by Textual's pilot."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from ringfence_tui.screens.policy.screen import PolicyScreen
from ringfence_tui.widgets.editor import Editor, editable

from tests.tui.map_estate import POLICY, drawn
from tests.tui.policy_pilot import application
from tests.tui.stub_engine import journey, shown
from tests.tui.waiting import until
from tests.unit.cli_shop import NOW

SHOP = "policy/shop.yml"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


@journey
async def test_a_rule_is_edited_with_completion_and_errors_taken_and_written(tmp_path: Path) -> None:
    app = application(drawn(tmp_path), "policy")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "NO DRAFT")
        await pilot.press("slash", *"any host", "enter")
        await until(pilot, ">  any host to databases")
        await pilot.press("e")
        await until(pilot, "line 8")
        editor = app.page.query_one(Editor)
        await pilot.press("down", "end", "left", *"ro")
        await until(pilot, "completes role:")
        await pilot.press("tab", *" we", "tab")
        assert editor.document.get_line(8) == "    from: {role: web}"
        await pilot.press("end", "x")
        await until(pilot, "✗ line 9")
        await pilot.press("backspace")
        await until(pilot, "the policy can be read")
        await pilot.press("ctrl+s")
        text = await until(pilot, "newly denied")
        assert "draft 1 *" in text
        await until(pilot, "+  9     from: {role: web}")
        assert (tmp_path / SHOP).read_text() == POLICY
        await pilot.press("w")
        await until(pilot, "1 change in 1 file")
        await pilot.press("enter")
        await until(pilot, "written: policy/shop.yml")
        assert (tmp_path / SHOP).read_text() == POLICY.replace("from: {}", "from: {role: web}")


@journey
async def test_read_only_says_so_and_changes_nothing(tmp_path: Path) -> None:
    app = application(drawn(tmp_path), "policy", read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "NO DRAFT")
        for key in ("e", "E", "x", "u", "w"):
            await pilot.press("j", key)
            await until(pilot, "read-only")
        assert not (tmp_path / ".ringfence/draft.json").exists()


@journey
async def test_what_the_editor_leaves_goes_into_the_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i "s/tcp.8443/tcp\\/9443/" "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    app = application(drawn(tmp_path), "policy")
    async with app.run_test(size=(80, 24)) as pilot:
        monkeypatch.setattr(app, "suspend", nullcontext)
        await until(pilot, "NO DRAFT")
        await pilot.press("G", "k", "E")
        await until(pilot, "draft 1 *")
        await until(pilot, "tcp/9443")
        monkeypatch.setenv("EDITOR", "false")
        await pilot.press("E")
        await until(pilot, "false ended with 1")


@journey
async def test_what_an_editor_saves_after_it_returned_is_taken_by_the_next_e(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "open"
    editor = tmp_path / "code"
    editor.write_text(f'#!/bin/sh\necho "$1" > {path}\n')  # as `code` does: the window goes on without it
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    app = application(drawn(tmp_path), "policy")
    async with app.run_test(size=(80, 24)) as pilot:
        monkeypatch.setattr(app, "suspend", nullcontext)
        await until(pilot, "NO DRAFT")
        await pilot.press("G", "k", "E")
        await until(pilot, "saved nothing yet")
        await until(pilot, "--wait")
        opened = Path(path.read_text().strip())
        opened.write_text(opened.read_text().replace("tcp/8443", "tcp/9443"))
        await pilot.press("E")
        await until(pilot, "draft 1 *")
        await until(pilot, "tcp/9443")
        assert not opened.exists(), "it is in the draft"


@journey
async def test_what_was_typed_is_not_lost_by_leaving_without_a_word(tmp_path: Path) -> None:
    app = application(drawn(tmp_path), "policy")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "NO DRAFT")
        await pilot.press("G", "k", "e", "#", "ctrl+q")
        await until(pilot, "is not in the draft yet")
        await pilot.press("#", "ctrl+q")
        await pilot.pause()
        assert app.is_running
        await pilot.press("ctrl+q")
        await pilot.pause()
    assert app.return_code == 0


@journey
async def test_a_text_that_cannot_be_shown_byte_by_byte_is_not_edited_here(tmp_path: Path) -> None:
    app = application(drawn(tmp_path, {SHOP: POLICY.replace("# agreed", "# \u202eagreed")}), "policy")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "NO DRAFT")
        await pilot.press("G", "k", "e")
        await until(pilot, "E edits it in $EDITOR")
        assert "\u202e" not in shown(app)
        page = app.page
        assert isinstance(page, PolicyScreen)
        assert page.editing is None
    assert editable("a: [b]\n  c: ä\n")
    assert not editable("a: \x1b[31m")


@journey
async def test_errors_that_have_no_room_below_the_text_are_counted(tmp_path: Path) -> None:
    app = application(drawn(tmp_path), "policy")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "NO DRAFT")
        await pilot.press("slash", *"any host", "enter")
        await until(pilot, ">  any host to databases")
        await pilot.press("e")
        await until(pilot, "line 8")
        editor = app.page.query_one(Editor)
        wrong = "".join(f"  - name: rule {number}\n    nothing: is known by this name\n" for number in range(20))
        editor.text = f"{POLICY}{wrong}"
        await until(pilot, "more lines: ctrl+s, then t lists every error")
