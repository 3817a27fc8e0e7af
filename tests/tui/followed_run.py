"""A run that a test of screens brings on, and the engine that answers for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence.presenting.rollout_fold import BoardFold
from ringfence_tui.opened import Opened
from ringfence_tui.screens.rollout.model import Opening
from ringfence_tui.screens.rollout.numbers import Numbers

from tests.tui.stub_engine import Answer, StubEngine
from tests.tui.test_rollout_model import VIEW
from tests.unit.rollout_events import WAVES, listed

RUN = "20261124T070000Z-5f3a00000000"


class Run:
    """A run that the test brings on: `tell` says what happened since, `end` ends it."""

    def __init__(self, directory: Path) -> None:
        """Begin with nothing told."""
        self.directory = directory / RUN
        self.directory.mkdir()
        self.fold = BoardFold(WAVES)
        self.state = "running"
        self.hear: Callable[[Any], None] | None = None
        self.over = asyncio.Event()

    def tell(self, *events: Any) -> None:
        """Tell events, and what follows from them."""
        for event in events:
            self.fold.take(event)
        if self.hear is not None:
            self.hear(self.fold.change(listed(self.directory, self.state)))

    def end(self, state: str) -> None:
        """End."""
        self.state = state
        self.over.set()

    async def follow(self, _request: str, hear: Callable[[Any], None]) -> Any:
        """Be followed."""
        self.hear = hear
        self.tell()
        await self.over.wait()
        change = self.fold.change(listed(self.directory, self.state))
        hear(change)
        return change.head


def engine(run: Run, *, living: bool = True, read_only: bool = False, **more: Answer) -> StubEngine:
    answers: dict[str, Answer] = {
        "workspace.opened": lambda _request, _hear: Opened("/shop", "shop", read_only),
        "rollout.opening": lambda _request, _hear: Opening(RUN if living else "", RUN, VIEW),
        "rollout.plan": lambda _request, _hear: VIEW,
        "rollout.follow": run.follow,
        "rollout.numbers": lambda _request, _hear: Numbers(RUN),
        "rollout.begin": lambda _request, _hear: RUN,
        "rollout.steer": lambda _request, _hear: "done",
        **{name.replace("__", "."): answer for name, answer in more.items()},
    }
    return StubEngine(answers, read_only=read_only)


def asked(stub: StubEngine, question: str) -> list[Any]:
    return [request for name, request in stub.asked if name == question]
