"""A workspace that one may read but not write opens read-only and says why; parts that may not be read are named."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.tui.terminal import Terminal
from tests.unit.cli_shop import shop

RINGFENCE = [sys.executable, "-m", "ringfence.cli"]
OTHER = 65534  # nobody


def without_privileges() -> list[str]:
    """Return what runs a command that permissions count for, also where the tests are root's."""
    if os.geteuid():
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root is allowed everything, and there is no setpriv to take that away")
    return [setpriv, "--bounding-set=-all", "--inh-caps=-all", "--"]


def somebody_elses(directory: Path) -> None:
    """Let everybody read what is in a directory, and nobody but another user write it."""
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
        if not os.geteuid():
            os.chown(path, OTHER, OTHER)


def test_a_workspace_that_one_may_only_read_is_looked_at_and_says_why_nothing_is_written(tmp_path: Path) -> None:
    workspace = tmp_path / "shop"
    shop(workspace)
    somebody_elses(workspace)
    before = sorted(workspace.rglob("*"))
    with Terminal([*without_privileges(), *RINGFENCE], (100, 30), cwd=workspace) as terminal:
        terminal.wait_for("you may not write in")
        assert "read-only" in terminal.wait_for("covered      4 of 4")
        terminal.press("2")
        terminal.wait_for(">api-1")
        terminal.press("L")
        terminal.wait_for("cannot write labels.yml; you may not write in")
        terminal.press("D")
        terminal.wait_for("inventory/hosts.yml  4 hosts in")
        terminal.press("4")
        terminal.wait_for("tests 1/1")
        terminal.press("q")
        assert terminal.wait_end() == 0
    assert sorted(workspace.rglob("*")) == before


def test_policy_that_one_may_not_read_is_named_and_the_assets_are_shown(tmp_path: Path) -> None:
    workspace = tmp_path / "shop"
    shop(workspace)
    somebody_elses(workspace)
    (workspace / "policy").chmod(0o300)
    try:
        with Terminal([*without_privileges(), *RINGFENCE], (100, 30), cwd=workspace) as terminal:
            terminal.wait_for("policy cannot be read: Permission denied")
            terminal.press("c")
            terminal.wait_for("let yourself read it")
            terminal.press("q")
            assert terminal.wait_end() == 0
    finally:
        (workspace / "policy").chmod(0o755)
