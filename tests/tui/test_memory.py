"""Garbage: what stays is not looked through again and again, since that would hold keys up."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest
from ringfence_tui.engine.client import Engine, _Waiting
from ringfence_tui.engine.protocol import Answer, Part, packed

from tests.tui.stub_engine import StubEngine, journey


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


@journey
async def test_what_the_engine_tells_at_once_is_never_looked_through() -> None:
    values = [[number, []] for number in range(20_000)]
    engine, heard, reader = Engine(), [], asyncio.StreamReader()
    waiting = _Waiting(asyncio.get_running_loop().create_future(), lambda part: heard.append((part, gc.isenabled())))
    engine._waiting[1] = waiting
    for message in (Part(1, values), Part(1, "a word"), Answer(1, "done")):
        reader.feed_data(packed(message))
    reader.feed_eof()
    await engine._read(reader)
    assert [enabled for _, enabled in heard] == [False, True]
    assert gc.isenabled()
    assert heard[0][0] == values
    assert not {id(one) for one in heard[0][0]} & {id(one) for one in gc.get_objects()}


@journey
async def test_modules_and_screens_that_stay_are_never_looked_through() -> None:
    from ringfence_tui.app import RingfenceApp

    app = RingfenceApp(StubEngine({}))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.go("assets")
        await pilot.pause()
        assert app.page.page_name == "assets"
        held = {id(one) for one in gc.get_objects()}
        assert not any(id(page) in held for page in app.pages)
