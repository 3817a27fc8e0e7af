"""An engine for pilot tests: answers come from functions of the test, so no process is started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Any

from ringfence_tui.app import RingfenceApp
from ringfence_tui.engine.client import Engine, EngineError

Answer = Callable[[Any, Callable[[Any], None]], Any]


class StubEngine(Engine):
    """Answers each question by its function of (request, tell); `asked` has what was asked, in order."""

    def __init__(self, answers: Mapping[str, Answer], *, read_only: bool = False) -> None:
        super().__init__(read_only=read_only)
        self.answers = dict(answers)
        self.asked: list[tuple[str, Any]] = []

    async def ask(
        self, question: str, request: object, kind: type[Any], on_part: Callable[[Any], None] | None = None
    ) -> Any:
        """Return what the function of the question returns; one that it lacks has no answer."""
        self.asked.append((question, request))
        await asyncio.sleep(0)
        if question not in self.answers:
            raise EngineError(f"no question is called '{question}'")
        answer = self.answers[question](request, on_part or (lambda _part: None))
        return await answer if asyncio.iscoroutine(answer) else answer


def shown(app: RingfenceApp) -> str:
    """Return the text of the screen, line by line."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips[:height])[: width * height * 4]


def journey(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Have a test that is a coroutine run in an event loop of its own."""

    @wraps(test)
    def run(*args: Any, **options: Any) -> None:
        asyncio.run(test(*args, **options))

    return run
