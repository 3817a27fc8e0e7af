"""A terminal that becomes too small says so and comes back whole; colours that were chosen are there the next time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from ringfence_tui.remembered_theme import chosen_theme, remember, theme_file

from tests.tui.terminal import Terminal
from tests.unit.cli_shop import shop

RINGFENCE = [sys.executable, "-m", "ringfence.cli"]


def test_a_terminal_that_shrinks_says_what_it_needs_and_comes_back_whole_and_colours_stay(tmp_path: Path) -> None:
    workspace = tmp_path / "shop"
    shop(workspace)
    environment = {"XDG_STATE_HOME": str(tmp_path / "state"), "RINGFENCE_THEME": ""}
    with Terminal(RINGFENCE, (100, 30), cwd=workspace, env=environment) as terminal:
        terminal.wait_for("covered      4 of 4")
        terminal.press("2")
        terminal.wait_for(lambda text: "managed from" in text and text.count("none ") >= 4)
        before = terminal.screen()
        terminal.press("L")
        terminal.wait_for("key=value")
        terminal.resize(60, 12)
        terminal.wait_for("80 columns and 24 lines are needed")
        assert "api-1" not in terminal.text()
        terminal.press("env=gone", "enter", "q")  # nobody sees what they would do
        for size in ((3, 2), (1, 1), (79, 24)):
            terminal.resize(*size)
            terminal.settle()
        terminal.wait_for("79 and 24")
        terminal.resize(100, 30)
        terminal.wait_for("key=value")
        assert "env=gone" not in terminal.text()
        terminal.press("esc")
        terminal.wait_for(lambda _shown: terminal.screen() == before)
        terminal.press(":", "colours: light")
        terminal.wait_for("Colours: light")
        terminal.press("enter")
        terminal.wait_for(lambda _shown: theme_file(environment).exists())
        terminal.press("q")
        assert terminal.wait_end() == 0
    assert chosen_theme(environment) == "light"
    assert not list(workspace.rglob("theme"))


@pytest.mark.parametrize("content", [b"", b"blue\n", b"\xff\xfe\0", b"dark\nlight\n"])
def test_a_broken_file_of_the_theme_counts_as_none(content: bytes, tmp_path: Path) -> None:
    environment = {"XDG_STATE_HOME": str(tmp_path)}
    theme_file(environment).parent.mkdir(parents=True)
    theme_file(environment).write_bytes(content)
    assert not chosen_theme(environment)


def test_what_is_no_file_and_what_is_no_place_count_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"XDG_STATE_HOME": str(tmp_path)}
    theme_file(environment).mkdir(parents=True)
    assert not chosen_theme(environment)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("RINGFENCE_THEME", raising=False)
    assert "directory" in remember("light")
    theme_file(environment).rmdir()
    os.mkfifo(theme_file(environment))
    assert not chosen_theme(environment)


def test_the_environment_counts_before_what_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("RINGFENCE_THEME", raising=False)
    assert not remember("terminal")
    assert chosen_theme(os.environ) == "terminal"
    assert chosen_theme({**os.environ, "RINGFENCE_THEME": "light"}) == "light"
    assert chosen_theme({**os.environ, "RINGFENCE_THEME": "blue"}) == "terminal"
    monkeypatch.setenv("RINGFENCE_THEME", "light")
    assert remember("dark") == "RINGFENCE_THEME chooses the next time"
