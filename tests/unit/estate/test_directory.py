"""The directory of a workspace, where the one that we are in is gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ringfence.estate.directory import workspace_directory
from ringfence.model.errors import InputError


def test_a_deleted_directory_is_told_and_a_named_workspace_still_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, there = tmp_path / "gone", tmp_path / "there"
    gone.mkdir()
    there.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    try:
        with pytest.raises(InputError, match="not there any more"):
            workspace_directory()
        assert workspace_directory(there) == there
    finally:
        os.chdir(tmp_path)  # monkeypatch goes back, but asks where it is first
