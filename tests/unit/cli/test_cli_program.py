"""The program itself: quick to start, complete, honest about what is not there, data with --json alone."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from ringfence.cli import main
from ringfence.cli.program import COMMANDS, Program

from tests.unit.cli_shop import data, ringfence, shop

LEAST_OF = 5
VERSION_SECONDS = 0.2


def test_every_command_of_the_overview_is_there_and_has_help() -> None:
    for name, _, _ in COMMANDS:
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0, result.output
        assert "Usage: " in result.output


def test_the_overview_imports_no_command() -> None:
    script = (
        "import sys\nfrom ringfence.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'pydantic', 'duckdb', 'rich', 'pyroaring', 'ansible_runner', 'ruamel.yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)


def seconds_of(*words: str) -> float:
    """Return the least CPU seconds of several runs; the clock would tell how busy this machine is."""
    spent = []
    for _ in range(LEAST_OF):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(spent)


def test_the_version_is_said_at_once() -> None:
    said = subprocess.run([sys.executable, "-m", "ringfence.cli", "--version"], capture_output=True, text=True)
    assert said.stdout.startswith("ringfence ")
    least = seconds_of("-m", "ringfence.cli", "--version")
    assert least < VERSION_SECONDS or least < 2.5 * seconds_of("-c", "import click")


def test_alone_it_opens_the_application_which_wants_a_terminal() -> None:
    result = CliRunner().invoke(main, [])

    assert result.exit_code == 2
    assert "needs a terminal" in result.output


def test_read_only_is_not_for_a_command() -> None:
    result = CliRunner().invoke(main, ["--read-only", "check"])

    assert result.exit_code == 2
    assert "opens without a command" in result.output


def test_the_workspace_may_be_named_before_the_command(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--workspace", str(shop(tmp_path)), "labels"])

    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_program(shell: str) -> None:
    assert "_RINGFENCE_COMPLETE" in CliRunner().invoke(main, ["completion", shell]).output


def test_words_are_completed() -> None:
    assert isinstance(main, Program)
    result = CliRunner().invoke(
        main,
        [],
        prog_name="ringfence",
        env={"_RINGFENCE_COMPLETE": "bash_complete", "COMP_WORDS": "ringfence ex", "COMP_CWORD": "1"},
    )

    assert "explain" in result.output


def test_schemas_are_printed_and_written(tmp_path: Path) -> None:
    printed = json.loads(CliRunner().invoke(main, ["schema", "policy.json"]).output)
    written = CliRunner().invoke(main, ["schema", "--output", str(tmp_path)])

    assert printed["title"]
    assert written.exit_code == 0
    assert json.loads((tmp_path / "policy.json").read_text()) == printed


def test_no_colour_leaves_the_program_where_nobody_watches(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ringfence.cli", "check", "--workspace", str(shop(tmp_path))],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "\x1b" not in done.stdout + done.stderr


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    command = f"{sys.executable} -m ringfence.cli render db-1 --workspace {shop(tmp_path)} | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)

    assert "Traceback" not in done.stderr


def test_json_is_all_that_comes_with_json(tmp_path: Path) -> None:
    workspace = shop(tmp_path)
    for arguments in (("assets",), ("labels",), ("check",), ("lint",), ("plan",), ("show",), ("reach",)):
        data(workspace, *arguments)
    assert ringfence(workspace, "plan", "--no-flows").exit_code == 0
