"""The application on a picture of many groups that no engine has to judge: `python -m tests.tui.map_program GROUPS`."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ringfence.model.picture import Picture, PictureCell
from ringfence_tui.app import RingfenceApp
from ringfence_tui.engine.client import Engine, EngineError
from ringfence_tui.opened import Opened
from ringfence_tui.screens.map.answers import MapAnswer, PictureRequest

from tests.tui.pictures import edge, picture

KEYS = ("env", "app", "role", "asset", "process")


@dataclass
class ToldEngine(Engine):
    """Answers from a table of functions, in the screen's own process; `asked` are the questions so far."""

    answers: dict[str, Callable[[Any], object]] = field(default_factory=dict)
    asked: list[tuple[str, object]] = field(default_factory=list)

    def begin(self) -> None:
        """Start nothing."""

    def close(self) -> None:
        """End nothing."""

    async def ask(self, question: str, request: object, kind: type, on_part: object = None) -> Any:  # type: ignore[override]
        """Return what the table has for a question."""
        self.asked.append((question, request))
        if question == "workspace.opened":
            return Opened("/nowhere", "drawn", False)
        if question not in self.answers:
            raise EngineError(f"nothing answers {question}")
        found = self.answers[question](request)
        assert isinstance(found, kind)
        return found


def many(groups: int, seed: int = 1) -> Picture:
    """Return a picture of so many groups, each with some traffic, of all signs."""
    drawn = random.Random(seed)
    names = [f"env{number * 5 // groups} app{number // 8} role{number % 8}" for number in range(groups)]
    edges = {}
    for client in range(groups):
        for server in drawn.sample(range(groups), min(groups, 6)):
            signs = " ".join(
                f"{sign}{drawn.randint(1, 50)}/{drawn.randint(1, 10**6)}"
                for sign in drawn.sample("x!?~+", drawn.choice((1, 1, 1, 2)))
            )
            edges[client, server] = edge(client, server, held=signs, files=signs)
    return picture(names, *edges.values())


def answering(shown: Picture) -> ToldEngine:
    """Return an engine that has one picture."""

    def asked(_request: PictureRequest) -> MapAnswer:
        return MapAnswer(shown, KEYS)

    def cell(request: Any) -> PictureCell:
        return PictureCell(request.client, request.server, shown.edge(request.client, request.server), 2, 1, {}, (), ())

    return ToldEngine(answers={"map.picture": asked, "map.cell": cell})


if __name__ == "__main__":
    RingfenceApp(answering(many(int(sys.argv[1]))), first="map").run()
