"""What `ringfence` alone runs: the refusals, then the engine process and the application side by side."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO

from ringfence.model.safe_text import clean_line

from ringfence_tui.room import LEAST_COLUMNS, LEAST_LINES, is_enough


def run(workspace: Path | None = None, *, read_only: bool = False) -> int:
    """Open the application and return its exit status: 2, and one sentence, where it cannot be opened here."""
    refused = refusal(sys.stdin, sys.stdout, os.environ)
    if refused is None and workspace is not None and not workspace.is_dir():
        refused = f"there is no directory '{workspace}'"
    if refused is not None:
        print(f"error: {refused}", file=sys.stderr)  # noqa: T201  # before there is a screen
        return 2
    return open_application(workspace, read_only=read_only)


def open_application(workspace: Path | None, *, read_only: bool) -> int:
    """Open the application where it has a screen, and return its exit status."""
    from ringfence_tui.engine.client import Engine

    engine = Engine(workspace.absolute() if workspace is not None else None, read_only)
    engine.begin()
    from ringfence_tui.app import RingfenceApp
    from ringfence_tui.memory import kept_long
    from ringfence_tui.remembered_theme import chosen_theme
    from ringfence_tui.theme import DARK, OF_WORD

    theme = OF_WORD.get(chosen_theme(os.environ), DARK)
    app = RingfenceApp(engine, no_color=bool(os.environ.get("NO_COLOR")), theme=theme)
    kept_long()  # the modules
    try:
        status = app.run(mouse=os.environ.get("RINGFENCE_MOUSE", "") != "off")
    finally:
        engine.close()
        gc.freeze()  # else Python looks once more through all that is about to go: seconds after a long session
    if app.copied:
        print(f"the command: {app.copied}")  # noqa: T201  # for who could not copy it
    if app.opened is not None and (again := way_back(app.opened.directory, Path.cwd())):
        print(f"the workspace: {again}")  # noqa: T201  # the screen is gone
    return app.return_code or 0 if status is None else status


def way_back(directory: str, here: Path) -> str:
    """Return the command that opens a workspace again; empty where `ringfence` alone does, or none was open."""
    if not directory or Path(directory) in (here, *here.parents):
        return ""
    found = Path(directory)
    shown = found.relative_to(here) if found.is_relative_to(here) else found
    return clean_line(f"ringfence --workspace {shlex.quote(str(shown))}")


def refusal(stdin: TextIO | None, stdout: TextIO | None, environment: Mapping[str, str]) -> str | None:
    """Return why the application cannot be opened here, in a sentence with the way out; None where it can."""
    if stdin is None or stdout is None or not (stdin.isatty() and stdout.isatty()):  # None: they are closed
        return "the application needs a terminal at both ends; 'ringfence --help' lists the commands that do not"
    if environment.get("TERM", "") in {"", "dumb"}:
        return "the application needs a terminal that can place text, and TERM is 'dumb' or not set"
    columns, lines = os.get_terminal_size(stdout.fileno())
    if not is_enough(columns, lines):
        return (
            f"the application needs {LEAST_COLUMNS} columns and {LEAST_LINES} lines, and this terminal has "
            f"{columns} and {lines}"
        )
    if find_spec("textual") is None:
        return "the application needs the extra: pip install 'ringfence[tui]'"
    return None
