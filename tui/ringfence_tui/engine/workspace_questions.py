"""Questions that every screen may ask: which workspace this is."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

from ringfence.files import refuse_writing
from ringfence.model.errors import InputError
from ringfence.model.workspace_files import POLICY, SETTINGS, STATE
from ringfence.user_directories import whose

from ringfence_tui.engine.questions import Questions
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.opened import Opened


def opened(session: EngineSession, _request: None, _tell: Tell) -> Opened:
    """Return which workspace was found; none is no error."""
    try:
        directory = session.directory
    except InputError as error:
        below = sorted(Path.cwd().glob(f"*/{SETTINGS}"))
        return Opened("", "", session.read_only, error.message, tuple(str(one.parent) for one in below))
    if not session.read_only and not any(os.access(one, os.W_OK) for one in (directory, *_written_to(directory))):
        session.read_only, session.why = True, f"you may not write in {directory}"
        refuse_writing()
    return Opened(str(directory), directory.name, session.read_only, session.why, owner=whose(directory))


def _written_to(directory: Path) -> Iterator[Path]:
    return (directory / name for name in (POLICY, STATE))


def count(_session: EngineSession, request: int, tell: Tell) -> int:
    """Return a number after telling those below it: what the pipe is tried with."""
    for number in range(request):
        tell(number)
    return request


def running(_session: EngineSession, _request: None, _tell: Tell) -> tuple[str, ...]:
    """Return the names of the questions that are worked on."""
    return tuple(thread.name for thread in threading.enumerate())


def colours(_session: EngineSession, request: str, _tell: Tell) -> str:
    """Return why a theme is not remembered for the next start, empty where it is."""
    from ringfence_tui.remembered_theme import remember

    return remember(request)


QUESTIONS: Questions = {"opened": opened, "count": count, "running": running, "colours": colours}
