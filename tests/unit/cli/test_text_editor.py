"""A text in `$EDITOR`: what was saved in it is taken or kept, whatever the editor does."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.text_editor import NOTHING, EditorFile, may_be_open


def editor(
    directory: Path, script: str, monkeypatch: pytest.MonkeyPatch, name: str = "editor", words: str = ""
) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("EDITOR", f"{path} {words}".strip())
    monkeypatch.delenv("VISUAL", raising=False)


def test_a_saved_text_is_taken_and_stands_until_it_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(tmp_path, 'echo b > "$1"', monkeypatch)
    file = EditorFile("policy/shop.yml", "a\n")
    assert file.path.name == "shop.yml"
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    assert file.edit().text == "b\n"
    assert file.path.exists()
    file.forget()
    assert not file.path.parent.exists()


def test_an_editor_that_returns_at_once_may_still_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(tmp_path, ":", monkeypatch, "code")
    file = EditorFile("shop.yml", "a\n")
    left = file.edit()
    assert (left.text, left.open) == (None, True)
    assert "code --wait" in left.why
    file.path.write_text("later\n")
    assert file.saved() == "later\n"
    file.forget()


def test_an_editor_that_waits_changed_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(tmp_path, ":", monkeypatch, "code", "--wait")
    file = EditorFile("shop.yml", "a\n")
    assert (file.edit().why, file.path.exists()) == (NOTHING, False)


@pytest.mark.parametrize(
    ("script", "said", "kept"),
    [
        ("exit 3", "ended with 3", False),
        ('echo b > "$1"; exit 3', "what it left is kept in", True),
        ("printf '\\377' > \"$1\"", "no UTF-8: nothing is taken; it is kept in", True),
        ('rm "$1"', "has saved nothing yet", False),
    ],
)
def test_what_a_failing_editor_saved_is_kept_and_named(
    script: str, said: str, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(tmp_path, script, monkeypatch)
    file = EditorFile("shop.yml", "a\n")
    left = file.edit()
    assert left.text is None
    assert said in left.why
    assert file.path.exists() is kept
    file.forget()


def test_an_editor_that_is_not_there_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    for value, said in (("/no/such --wait", "cannot be started"), ("'", "quotes do not match")):
        monkeypatch.setenv("EDITOR", value)
        file = EditorFile("shop.yml", "a\n")
        assert said in file.edit().why
        assert not file.path.parent.exists()


@pytest.mark.parametrize(
    ("words", "open_"),
    [
        (["vi"], False),
        (["/usr/bin/nano", "-w"], False),
        (["code"], True),
        (["code", "-w"], False),
        (["gvim", "-f"], False),
    ],
)
def test_editors_of_a_terminal_and_those_told_to_wait_have_closed_the_file(words: list[str], open_: bool) -> None:
    assert may_be_open(words) is open_
