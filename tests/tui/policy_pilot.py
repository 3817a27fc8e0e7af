"""The application by Textual's pilot on the questions of the engine process, asked in the test's own process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence.model.errors import InputError, InputErrors
from ringfence_tui.app import RingfenceApp
from ringfence_tui.engine.client import EngineError, Fault
from ringfence_tui.engine.questions import find
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.opened import Opened

from tests.tui.stub_engine import StubEngine


class RealEngine(StubEngine):
    """Answers every question by its own function, on a workspace."""

    def __init__(self, directory: Path, *, read_only: bool = False) -> None:
        super().__init__({}, read_only=read_only)
        self.session = EngineSession(directory, read_only=read_only)

    async def ask(
        self, question: str, request: object, kind: type[Any], on_part: Callable[[Any], None] | None = None
    ) -> Any:
        """Return what the question's function returns, as errors of the engine what it raises."""
        self.asked.append((question, request))
        await asyncio.sleep(0)
        if question == "workspace.opened":
            return Opened(str(self.session.directory), "shop", self.read_only)
        try:
            return find(question)(self.session, request, Tell(on_part or (lambda _part: None)))
        except InputErrors as errors:
            faults = [Fault(one.message, str(one.place or ""), one.remedy or "") for one in errors.errors]
        except InputError as error:
            faults = [Fault(error.message, str(error.place or ""), error.remedy or "")]
        raise EngineError(faults[0].message, faults[0].place, faults[0].remedy, tuple(faults))


def application(directory: Path, first: str, *, read_only: bool = False) -> RingfenceApp:
    """Return the application on a workspace, with a screen as its first."""
    return RingfenceApp(RealEngine(directory, read_only=read_only), first=first)
