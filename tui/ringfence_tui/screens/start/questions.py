"""Beginning a workspace."""

from __future__ import annotations

from pathlib import Path

from ringfence.model.errors import InputError
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
    text = given.get("directory", "").strip()
    if not text:
        raise InputError("a workspace needs a directory", remedy="'.' is this one")
    directory = Path(text).expanduser().absolute()
    networks = tuple(given.get("control", "").replace(",", " ").split())
    inventory = None
    if request.way is Way.TAKE_OVER:
        inventory = Path(given.get("inventory", "").strip()).expanduser().absolute()
    written = write_workspace(directory, networks, inventory=inventory)
    telling = Telling(tell)
    in_git = make_repository(directory, Execution(telling, cancel=tell.cancel))
    session.chosen = directory
    session.forget()
    return Begun(str(directory), len(written), in_git, tuple(telling.warnings))


QUESTIONS: Questions = {"begin": begin}
