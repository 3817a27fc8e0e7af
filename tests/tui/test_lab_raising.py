"""Raising the lab can be stopped: escape asks, nothing begins beside it, and stopping waits for its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from ringfence.model.errors import InputError, OutsideError
from ringfence.operations.execution import Execution
from ringfence.operations.lab import LabState
from ringfence_tui.app import RingfenceApp
from ringfence_tui.engine.client import EngineError
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.opened import Opened
from ringfence_tui.screens.lab import questions
from ringfence_tui.screens.lab.model import LabRequest, LabShown, Share

from tests.tui.stub_engine import StubEngine, journey, shown


def test_stopping_ends_what_raises_and_waits_for_it_and_a_second_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun, cancelled, ended = threading.Event(), threading.Event(), []

    def raising(_told: Callable[[str, float], None], execution: Execution) -> None:
        execution.cancel.on_cancel(cancelled.set)
        begun.set()
        assert cancelled.wait(120)
        ended.append("taken down")
        raise OutsideError("the lab was stopped while it was raised: nothing of it is left")

    monkeypatch.setattr(questions, "raise_lab", raising)
    monkeypatch.setattr(questions, "lab_state", lambda: LabState("demo", ()))
    session, tell = EngineSession(tmp_path), Tell(lambda _part: None)
    failures: list[OutsideError] = []

    def up() -> None:
        try:
            questions.up(session, LabRequest(), tell)
        except OutsideError as error:
            failures.append(error)

    thread = threading.Thread(target=up)
    thread.start()
    assert begun.wait(120)
    with pytest.raises(InputError, match="being raised already"):
        questions.up(session, LabRequest(), Tell(lambda _part: None))
    assert questions.stop(session, None, Tell(lambda _part: None)) == LabShown("demo", ())
    assert ended == ["taken down"]
    thread.join(10)
    assert "nothing of it is left" in failures[0].message


@journey
async def test_escape_asks_before_it_stops_and_leaves_only_where_nothing_is_raised() -> None:
    stopped = asyncio.Event()

    async def up(_request: object, tell: Callable[[object], None]) -> LabShown:
        tell(Share("db-1", 0.5))
        await stopped.wait()
        raise EngineError("the lab was stopped while it was raised: nothing of it is left")

    def stop(_request: object, _tell: object) -> LabShown:
        stopped.set()
        return LabShown("demo", ())

    engine = StubEngine(
        {
            "workspace.opened": lambda _request, _tell: Opened("/shop", "shop", False),
            "lab.look": lambda _request, _tell: LabShown("demo", ()),
            "lab.up": up,
            "lab.stop": stop,
        }
    )
    async with RingfenceApp(engine, first="lab").run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, RingfenceApp)
        await pilot.press("u")
        await pilot.pause()
        assert "lab 50%" in shown(app).splitlines()[0]
        await pilot.press("u", "escape")
        await pilot.pause()
        assert "Stop raising the lab" in shown(app)
        await pilot.press("escape")
        await pilot.pause()
        assert not stopped.is_set()
        await pilot.press("escape")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert stopped.is_set()
        assert "nothing of it is left" in shown(app)
        assert "lab 50%" not in shown(app)
        assert [name for name, _ in engine.asked].count("lab.up") == 1
