"""Beginning a workspace."""

from __future__ import annotations

from pathlib import Path

from ringfence.model.errors import InputError, Place
from ringfence.operations.execution import Execution
from ringfence.operations.init import make_repository, write_workspace

from ringfence_tui.engine.questions import Questions
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.engine.telling import Telling
from ringfence_tui.screens.start.model import Begin, Begun, Way


def begin(session: EngineSession, request: Begin, tell: Tell) -> Begun:
    """Write a workspace. Raise InputErrors for what cannot be, before anything is written."""
    session.writable("begin a workspace")
    given = request.values
    directory = _path(given.get("directory", ""), "a workspace needs a directory")
    networks = tuple(given.get("control", "").replace(",", " ").split())
    inventory = None
    if request.way is Way.TAKE_OVER:
        inventory = _path(given.get("inventory", ""), "which inventory is not said")
    written = write_workspace(directory, networks, inventory=inventory)
    telling = Telling(tell)
    in_git = make_repository(directory, Execution(telling, cancel=tell.cancel))
    session.chosen = directory
    session.forget()
    return Begun(str(directory), len(written), in_git, tuple(telling.warnings))


def _path(typed: str, lacking: str) -> Path:
    """Return the path that was typed. Raise InputError where it is none."""
    text = typed.strip()
    if not text:
        raise InputError(lacking, remedy="'.' is this directory")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise InputError("there is no such user", Place(text.partition("/")[0])) from error


QUESTIONS: Questions = {"begin": begin}
