"""Raising the lab, looking at it, taking it down."""

from __future__ import annotations

from pathlib import Path

from ringfence.model.errors import InputError
from ringfence.operations.lab import lab_state, raise_lab, take_lab_down, write_lab_workspace

from ringfence_tui.engine.questions import Questions
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.lab.model import LabHost, LabRequest, LabShown, Share


def look(_session: EngineSession, _request: None, _tell: Tell) -> LabShown:
    """Return the hosts."""
    return _shown()


def up(session: EngineSession, request: LabRequest, tell: Tell) -> LabShown:
    """Raise it, and write the workspace that was asked for."""
    session.writable("raise a lab")
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


QUESTIONS: Questions = {"look": look, "up": up, "down": down}
