"""Raising the lab, looking at it, taking it down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence.model.errors import InputError
from ringfence.operations.execution import Cancellation
from ringfence.operations.lab import lab_state, raise_lab, take_lab_down, write_lab_workspace

from ringfence_tui.engine.questions import Questions
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.lab.model import LabHost, LabRequest, LabShown, Share


class _Raising:
    """What raises the lab in this process: one at a time, and who stops it waits for its end."""

    def __init__(self) -> None:
        self._working = threading.Lock()
        self._cancel: Cancellation | None = None

    @contextmanager
    def by(self, cancel: Cancellation) -> Iterator[None]:
        """Raise the lab within this. Raise InputError where it is being raised already."""
        if not self._working.acquire(blocking=False):
            raise InputError("the lab is being raised already", remedy="wait for it, or stop it: esc on its screen")
        try:
            self._cancel = cancel
            yield
        finally:
            self._cancel = None
            self._working.release()

    def stop(self) -> None:
        """Have it end, and wait until it has."""
        cancel = self._cancel
        if cancel is not None:
            cancel.cancel()
        with self._working:
            pass


_RAISING = _Raising()


def look(_session: EngineSession, _request: None, _tell: Tell) -> LabShown:
    """Return the hosts."""
    return _shown()


def up(session: EngineSession, request: LabRequest, tell: Tell) -> LabShown:
    """Raise it, and write the workspace that was asked for."""
    session.writable("raise a lab")
    with _RAISING.by(tell.cancel):
        return _up(session, request, tell)


def stop(_session: EngineSession, _request: None, _tell: Tell) -> LabShown:
    """Have what raises the lab end, and return what is there once it has; nothing of it is left."""
    _RAISING.stop()
    return _shown()


def _up(session: EngineSession, request: LabRequest, tell: Tell) -> LabShown:
    directory = Path(request.directory).expanduser().absolute() if request.directory else None
    if directory is not None and directory.exists() and any(directory.iterdir()):
        raise InputError(f"there is something in {directory} already", remedy="choose another directory")
    if not lab_state().hosts or directory is None:
        raise_lab(lambda text, share: tell(Share(text, share)), session.execution(tell))
    if directory is not None:
        write_lab_workspace(directory)
        session.chosen = directory
        session.forget()
    return _shown(str(directory or ""))


def down(session: EngineSession, _request: None, _tell: Tell) -> LabShown:
    """Take it down."""
    session.writable("take a lab down")
    take_lab_down()
    return _shown()


def _shown(directory: str = "") -> LabShown:
    state = lab_state()
    hosts = tuple(
        LabHost(one.name, str(one.kind), one.release, " ".join(one.addresses), str(one.state)) for one in state.hosts
    )
    return LabShown(state.name, hosts, state.lacks, directory)


QUESTIONS: Questions = {"look": look, "up": up, "stop": stop, "down": down}
