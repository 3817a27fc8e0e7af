"""Where a user's own files are."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from ringfence.doctor.workspace import workspace_checks
from ringfence.estate.file_cache import cache_directory
from ringfence.model.errors import InputError
from ringfence.user_directories import user_directory, whose
from ringfence_tui.engine.questions import find
from ringfence_tui.engine.session import EngineSession, Tell

from tests.unit.cli_shop import shop


@pytest.mark.parametrize("chosen", ["", ".", "state here", "../x", "~/state"])
def test_a_path_that_is_not_absolute_is_ignored(chosen: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_directory("XDG_STATE_HOME", {"XDG_STATE_HOME": chosen}) == tmp_path / ".local/state"
    assert user_directory("XDG_CACHE_HOME", {"XDG_CACHE_HOME": chosen}) == tmp_path / ".cache"


def test_an_absolute_path_counts(tmp_path: Path) -> None:
    assert user_directory("XDG_STATE_HOME", {"XDG_STATE_HOME": str(tmp_path)}) == tmp_path


def test_a_home_that_nobody_knows_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", _none)
    with pytest.raises(InputError, match="home directory of user") as caught:
        user_directory("XDG_STATE_HOME", {})
    assert caught.value.remedy == "set HOME, or XDG_STATE_HOME, to an absolute path"
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert not cache_directory().is_absolute(), "what only saves time is done without"


def test_a_home_that_is_no_path_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "here")
    with pytest.raises(InputError, match="home directory"):
        user_directory("XDG_STATE_HOME", {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to another user")
def test_root_in_the_workspace_of_another_user_is_told(tmp_path: Path) -> None:
    shop(tmp_path)
    assert not whose(tmp_path)
    assert not whose(tmp_path / "nowhere")
    os.chown(tmp_path, pwd.getpwnam("nobody").pw_uid, -1)
    assert whose(tmp_path) == "nobody"
    (check,) = [one for one in workspace_checks(tmp_path, (), None, ()) if one.name == "state"]
    assert check.detail == "you are root, and the workspace is nobody's: what is written here becomes root's"
    opened = find("workspace.opened")(EngineSession(tmp_path), None, Tell(lambda _part: None))
    assert opened.owner == "nobody"


def _none() -> Path:
    raise RuntimeError("Could not determine home directory.")
