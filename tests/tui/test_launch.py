"""Opening the application: over a terminal, and one sentence where there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ringfence_tui.launch import way_back

from tests.tui.terminal import Terminal

RINGFENCE = [sys.executable, "-m", "ringfence.cli"]


def test_alone_it_opens_the_application_and_q_leaves_it(tmp_path: Path) -> None:
    with Terminal(RINGFENCE, cwd=tmp_path) as terminal:
        terminal.wait_for("Begin a new workspace")
        assert "q quit" in terminal.screen()[-1]
        terminal.press("q")
        assert terminal.wait_end() == 0


def test_without_a_terminal_it_says_so_in_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(RINGFENCE, cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: the application needs a terminal at both ends")
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr


def test_closed_ends_are_no_terminal(tmp_path: Path) -> None:
    closed = ["sh", "-c", 'exec "$@" <&- >&-', "sh", *RINGFENCE]
    done = subprocess.run(closed, cwd=tmp_path, stderr=subprocess.PIPE, text=True)

    assert done.returncode == 2
    assert done.stderr.startswith("error: the application needs a terminal at both ends")


@pytest.mark.parametrize(
    ("term", "size", "said"),
    [
        ("dumb", (80, 24), "TERM is 'dumb'"),
        ("", (80, 24), "not set"),
        ("xterm", (79, 24), "79 and 24"),
        ("xterm", (80, 23), "80 and 23"),
    ],
)
def test_a_terminal_that_is_too_little_is_refused_without_an_escape(
    tmp_path: Path, term: str, size: tuple[int, int], said: str
) -> None:
    with Terminal(RINGFENCE, size, cwd=tmp_path, term=term) as terminal:
        assert terminal.wait_end() == 2
        assert said in terminal.written.decode()
        assert b"\x1b" not in terminal.written


def test_a_screen_file_of_the_directory_is_not_imported(tmp_path: Path) -> None:
    for name in ("textual", "ringfence_tui", "ringfence"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(99)")
    program = Path(sys.executable).parent / "ringfence"
    with Terminal([program], cwd=tmp_path, env={"PYTHONPATH": ""}) as terminal:
        assert "no workspace" in terminal.wait_for("RINGFENCE")


def test_leaving_says_how_to_open_a_workspace_that_is_elsewhere() -> None:
    here = Path("/home/kim")

    assert way_back("/home/kim/ringfence-demo", here) == "ringfence --workspace ringfence-demo"
    assert way_back("/srv/our shop", here) == "ringfence --workspace '/srv/our shop'"
    assert "\x1b" not in way_back("/srv/\x1b[2Jshop", here)
    assert [way_back(one, here) for one in ("", "/home/kim", "/home")] == ["", "", ""]


def test_a_workspace_right_below_is_offered_and_opened_by_its_letter(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/ringfence.yml").write_text("control: {from: [10.0.0.1], port: 22}\n")
    with Terminal(RINGFENCE, cwd=tmp_path) as terminal:
        terminal.wait_for("a  Open shop")
        terminal.press("a")
        terminal.wait_for("ASSETS")
        terminal.press("q")
        assert terminal.wait_end() == 0
        assert "ringfence --workspace shop" in terminal.text()
