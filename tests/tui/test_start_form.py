"""The forms of the first run: keys that go between their fields, and words that fit the smallest screen."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ringfence.model.errors import RingfenceError
from ringfence_tui.app import RingfenceApp
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.opened import Opened
from ringfence_tui.screens.start.model import FORMS, Begin, Form, Way, choices, welcome
from ringfence_tui.screens.start.questions import begin
from ringfence_tui.spans import plain
from ringfence_tui.widgets.field import Field

from tests.tui.stub_engine import StubEngine, journey
from tests.tui.waiting import until


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.way)
def test_no_sentence_of_a_form_is_cut_at_80_columns(form: Form) -> None:
    assert [line for line in form.does if len(line) + 4 > 80] == []
    assert [ask.help for ask in form.asks if len(ask.help) + 17 > 80] == []


def test_no_sentence_of_the_choice_is_cut_at_80_columns() -> None:
    assert [plain(row) for row in (*welcome(""), *choices(("x" * 20,))) if len(plain(row)) > 80] == []


@journey
async def test_every_form_begins_below_its_sentences() -> None:
    answers = {"workspace.opened": lambda *_: Opened("", "", read_only=False, why="none here")}
    for form in FORMS:
        app = RingfenceApp(StubEngine(answers))
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, "none here")
            await pilot.press(form.key)
            await until(pilot, form.asks[-1].help)
            assert app.page.query(Field).first().region.y == 6, form.title


@pytest.mark.parametrize(
    ("way", "values", "said"),
    [
        (Way.NEW, {"directory": " "}, "a workspace needs a directory"),
        (Way.NEW, {"directory": "~no-such-user/net"}, "there is no such user"),
        (Way.NEW, {"directory": "a" * 300}, "File name too long"),
        (Way.NEW, {"directory": "a\0b"}, "no NUL character"),
        (Way.NEW, {"directory": "file"}, "cannot be written"),
        (Way.NEW, {"directory": "file/below"}, "cannot be written"),
        (Way.NEW, {"directory": "begun"}, "these files are already there"),
        (Way.TAKE_OVER, {"directory": "new", "inventory": ""}, "which inventory is not said"),
        (Way.TAKE_OVER, {"directory": "new", "inventory": "nothing"}, "there is no such inventory"),
    ],
)
def test_a_directory_that_cannot_be_a_workspace_is_said_and_nothing_is_written(
    way: Way, values: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun/ringfence.yml").write_text("mine")
    with pytest.raises(RingfenceError, match=said):
        begin(EngineSession(None), Begin(way, values), Tell(lambda _: None))
    assert (tmp_path / "file").read_text() == (tmp_path / "begun/ringfence.yml").read_text() == "mine"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["mit Leer ü", "repository/net", "full"])
def test_a_workspace_begins_in_odd_places_and_says_what_comes_next(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q", "repository"], check=True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    begun = begin(EngineSession(None), Begin(Way.NEW, {"directory": name}), Tell(lambda _: None))
    assert (tmp_path / name / "ringfence.yml").exists()
    assert begun.in_git
    assert not (tmp_path / "repository/net/.git").exists()
    assert (tmp_path / "full/notes.txt").read_text() == "mine"
    assert "git keeps them" in begun.words()
    assert "hosts.csv" in begun.words()


@journey
async def test_the_key_line_and_help_name_only_what_works(tmp_path: Path) -> None:
    app = RingfenceApp(StubEngine({"workspace.opened": lambda *_: Opened("", "", read_only=False, why="none here")}))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "Begin a new workspace")
        await pilot.press("question_mark")
        text = await until(pilot, "Keys of Begin")
        assert "n           Begin a new workspace" in text
        assert "Go to Map" not in text
        assert "Quarantine" not in text
        await pilot.press("escape", "3")
        await until(pilot, "choose how to begin")
        await pilot.press("n")
        text = await until(pilot, "managed from")
        bar = (await until(pilot, "ctrl+p command")).splitlines()[-1]
        assert "? help" not in bar, "a field takes it as a letter"
        assert "y command" not in bar


@journey
async def test_tab_and_the_arrows_go_between_the_fields_and_none_leaves_the_form() -> None:
    app = RingfenceApp(StubEngine({}), first="start_inventory")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "Take over an Ansible inventory")
        seen = []
        for key in ("tab", "down", "down", "up", "shift+tab"):
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(app.focused, Field)
            seen.append(app.focused.id)
        assert seen == ["field-directory", "field-control", "field-inventory", "field-control", "field-directory"]
