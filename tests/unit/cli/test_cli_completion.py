"""A real shell completes commands, options, the names of plans and those of assets."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli_shop import ringfence, shop

SCRIPT = """
eval "$(ringfence completion bash)"
COMP_WORDS=(ringfence "$@") COMP_CWORD=$#
_ringfence_completion ringfence
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with one plan; planning keeps a snapshot of its assets."""
    directory = shop(tmp_path_factory.mktemp("shop"))
    assert ringfence(directory, "plan", "--no-flows").exit_code == 0
    return directory


def completed(directory: Path, *words: str) -> list[str]:
    """Return what bash offers for the last word."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash here")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "-c", SCRIPT, "bash", *words], cwd=directory, env={**os.environ, "PATH": path}, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().split()


def test_commands_and_options_are_offered(workspace: Path) -> None:
    assert completed(workspace, "ch") == ["check"]
    assert completed(workspace, "plan", "--res") == ["--restore"]


def test_plans_are_offered_by_name(workspace: Path) -> None:
    (plan,) = (one.name for one in (workspace / "plans").iterdir())
    assert completed(workspace, "show", plan[:2]) == [plan]
    assert completed(workspace, "apply", "l") == ["latest"]


def test_assets_are_offered_by_name(workspace: Path) -> None:
    assert completed(workspace, "explain", "we") == ["web-1", "web-2"]
    assert completed(workspace, "explain", "web-1", "db") == ["db-1"]
    assert completed(workspace, "render", "ap") == ["api-1"]
    assert completed(workspace, "blast", "ap") == completed(workspace, "impact", "ap") == ["api-1"]
    assert completed(workspace, "simulate", "--asset", "ap") == ["api-1"]


def test_outside_a_workspace_nothing_is_offered(tmp_path: Path) -> None:
    assert completed(tmp_path, "explain", "we") == []
    assert completed(tmp_path, "show", "1") == []
