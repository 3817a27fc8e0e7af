"""The engine process: it answers, sends parts, is cancelled, tells errors, and is begun anew where it died."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from ringfence_tui.engine.client import Engine, EngineError, EngineGone
from ringfence_tui.engine.server import _unforeseen
from ringfence_tui.opened import Opened


@asynccontextmanager
async def engine(directory: Path | None = None) -> AsyncIterator[Engine]:
    one = Engine(directory)
    one.begin()
    try:
        yield one
    finally:
        await one.end()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def within() -> None:
        await asyncio.wait_for(test(), 30)

    asyncio.run(within())


def test_it_answers_which_workspace_it_is(tmp_path: Path) -> None:
    async def test() -> None:
        async with engine(tmp_path) as one:
            assert await one.ask("workspace.opened", None, Opened) == Opened(str(tmp_path), tmp_path.name, False)

    run(test)


def test_an_unknown_question_is_an_error_with_its_name(tmp_path: Path) -> None:
    async def test() -> None:
        async with engine(tmp_path) as one:
            for name in ("nothing.there", "workspace.nothing", "../x.y"):
                with pytest.raises(EngineError, match="no question is called"):
                    await one.ask(name, None, Opened)

    run(test)


def test_parts_come_before_the_answer_and_in_order(tmp_path: Path) -> None:
    async def test() -> None:
        async with engine(tmp_path) as one:
            parts: list[int] = []
            assert await one.ask("workspace.count", 5, int, parts.append) == 5
            assert parts == [0, 1, 2, 3, 4]

    run(test)


def test_a_part_that_cannot_be_shown_fails_its_question_and_no_other(tmp_path: Path) -> None:
    def refused(part: int) -> None:
        raise IndexError(part)

    async def test() -> None:
        async with engine(tmp_path) as one:
            with pytest.raises(IndexError):
                await one.ask("workspace.count", 5, int, refused)
            assert await one.ask("workspace.count", 2, int) == 2

    run(test)


def test_a_cancelled_task_cancels_its_question(tmp_path: Path) -> None:
    async def test() -> None:
        async with engine(tmp_path) as one:
            begun = asyncio.Event()
            task = asyncio.create_task(one.ask("workspace.count", 1_000_000_000, int, lambda _: begun.set()))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            running = await one.ask("workspace.running", None, tuple)
            while "workspace.count" in running:
                running = await one.ask("workspace.running", None, tuple)

    run(test)


def test_an_engine_that_died_is_told_and_the_next_question_begins_another(tmp_path: Path) -> None:
    async def test() -> None:
        async with engine(tmp_path) as one:
            told: list[EngineGone] = []
            one.on_gone = told.append
            begun = asyncio.Event()
            task = asyncio.create_task(one.ask("workspace.count", 1_000_000_000, int, lambda _: begun.set()))
            await begun.wait()
            os.kill(one.pid, signal.SIGKILL)
            with pytest.raises(EngineGone, match="signal 9"):
                await task
            assert len(told) == 1
            assert await one.ask("workspace.count", 2, int) == 2

    run(test)


def test_it_ends_with_the_application_also_while_it_works(tmp_path: Path) -> None:
    async def test() -> None:
        one = Engine(tmp_path)
        begun = asyncio.Event()
        task = asyncio.create_task(one.ask("workspace.count", 1_000_000_000, int, lambda _: begun.set()))
        await begun.wait()
        process = one._process
        one.close()
        assert process is not None
        assert await asyncio.to_thread(process.wait, 10) == 0
        task.cancel()

    run(test)


def test_a_file_that_the_machine_refuses_is_told_with_its_name_and_is_no_fault_of_ours() -> None:
    told = _unforeseen("map.picture", PermissionError(errno.EACCES, "Permission denied", "/shop/.ringfence"))

    assert told[:2] == ("Permission denied", "/shop/.ringfence")
    assert "report" not in told[2]
    assert "report" in _unforeseen("map.picture", ValueError("x"))[2]


def test_the_engine_of_the_application_leaves_no_spills(tmp_path: Path) -> None:
    program = """
import socket, sys
from pathlib import Path
from ringfence.flows.database import connect
from ringfence_tui.engine.server import Server
from ringfence_tui.engine.session import EngineSession
ours, theirs = socket.socketpair()
kept = connect(Path(sys.argv[1]))
ours.close()
Server(EngineSession(), theirs).serve()
"""
    assert subprocess.run([sys.executable, "-c", program, tmp_path], check=False).returncode == 0
    assert list(tmp_path.iterdir()) == []
