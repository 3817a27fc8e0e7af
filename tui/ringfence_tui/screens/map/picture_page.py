"""The Map screen as far as it asks for a picture: which one, its edges as they come, and its matrix."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from typing import ClassVar

from ringfence.model.picture import Picture, PictureCell, PictureGroup
from textual.app import ComposeResult

from ringfence_tui.engine.client import EngineError
from ringfence_tui.engine.progress import Progress as Doing
from ringfence_tui.screens.map.answers import Edges, MapAnswer, PictureRequest, Progress
from ringfence_tui.screens.map.levels import Level
from ringfence_tui.screens.map.model import Matrix as MatrixModel
from ringfence_tui.screens.map.model import View, comparisons_of, matrix_steps, worst_steps
from ringfence_tui.screens.map.neighbour_list import NeighbourList
from ringfence_tui.screens.map.sending import put_together
from ringfence_tui.screens.map.shared_draft import SharedDraftPage
from ringfence_tui.screens.map.steps import Steps, at_once, in_turns
from ringfence_tui.screens.map.times import Times
from ringfence_tui.spans import Span, Tone
from ringfence_tui.widgets.body import Beside
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.matrix import Matrix

IDLE = 0.3  # seconds that nothing is asked before the engine makes ready for drafts
PANEL = 56  # columns of what stands beside the matrix on a wide terminal
AT_ONCE = 1_000  # edges; a matrix of more is made in turns with keys
Ends = tuple[PictureGroup, PictureGroup]


class Mode(StrEnum):
    """What the middle of the screen shows."""

    MATRIX = "matrix"
    NEIGHBOURS = "neighbours"
    FLOWS = "flows"


class PicturePage(SharedDraftPage):
    """Asks for a picture, and shows its matrix."""

    AUTO_FOCUS = "#matrix"
    DEFAULT_CSS: ClassVar[str] = f"""
    PicturePage #heading {{ height: 1; }}
    PicturePage #strip {{ height: 5; }}
    PicturePage.tall #strip {{ height: 6; }}
    PicturePage #panel {{ width: {PANEL}; display: none; }}
    PicturePage.wide #panel {{ display: block; }}
    PicturePage.wide #strip {{ display: none; }}
    PicturePage #neighbours, PicturePage #flows {{ display: none; }}
    PicturePage.neighbours #neighbours, PicturePage.flows #flows {{ display: block; }}
    PicturePage.neighbours #matrix, PicturePage.flows #matrix {{ display: none; }}
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.answer: MapAnswer | None = None
        self.level: Level | None = None
        self.times = Times()
        self.view = View()
        self.model: MatrixModel | None = None
        self.mode = Mode.MATRIX
        self._chose_comparison = False
        self._details: dict[Ends, PictureCell] = {}
        self._changes = 0

    def body(self) -> ComposeResult:
        """Yield the heading, the matrix or what stands in its place, and the strip."""
        yield Lines(id="heading")
        with Beside():
            yield Matrix(id="matrix")
            yield NeighbourList(id="neighbours")
            yield Lines(id="flows", selectable=True)
            yield Lines(id="panel")
        yield Lines(id="strip")

    def entered(self) -> None:
        """Ask for the picture anew: files, flows or the draft may be others."""
        self.load()

    def left(self) -> None:
        """Say no more how far judging is."""
        self._tell_job("")

    # The picture

    def load(self, level: Level | None = None, times: Times | None = None) -> None:
        """Ask for the picture of a level and a time; what was asked before is cancelled."""
        self.work(self._load(level or self.level, times or self.times), group="picture")

    async def draft_changed(self) -> None:
        """Show the picture of the draft as it is now."""
        await self._load(self.level, self.times)

    async def _load(self, level: Level | None, times: Times) -> None:
        shown = self.answer
        known = shown.name if shown is not None else ""
        request = PictureRequest(level.shown if level else (), level.inside if level else None, times.when, known)
        if self.answer is None:
            self.query_one("#heading", Lines).show([(Span(" reading flows", Tone.DIM),)])
        parts: list[Edges] = []

        def hear(part: object) -> None:
            if isinstance(part, Edges):
                parts.append(part)
            elif isinstance(part, Progress) and part.of:
                self._tell_job(f"judging {part.done * 100 // part.of} %")
            elif isinstance(part, Doing):
                self._tell_job(part.text)

        try:
            answer = await self.engine.ask("map.picture", request, MapAnswer, hear)
        except EngineError:
            if self.answer is None:
                self.query_one("#heading", Lines).show([(Span(" no picture: what is wrong stands below", Tone.WARN),)])
            raise
        finally:
            self._tell_job("")
        if answer.follows and shown is not None:
            edges = put_together(shown.picture.edges, parts)
        else:
            edges = (*answer.picture.edges, *(edge for part in parts for edge in part.edges))
        picture = replace(answer.picture, edges=edges)
        answer = replace(answer, picture=picture)
        depth = level.depth if level is not None and not answer.notes else len(picture.levels)
        self.level = (level or Level(answer.keys, depth)).shown_as(answer.keys, depth)
        self.times = times
        self.take_answer(answer)
        self.work(self._prepare(), group="prepare")

    async def _prepare(self) -> None:
        """Have the engine be ready for the first sheet while nobody asks it anything."""
        await asyncio.sleep(IDLE)
        with suppress(EngineError):
            await self.engine.ask("map.prepare", None, bool)

    def take_answer(self, answer: MapAnswer) -> None:
        """Show another picture, with the cursor at the groups at which it was."""
        self.answer = answer
        self._changes = answer.draft.changes
        self._details.clear()
        self.draft_shown(answer.draft.version, answer.draft.damaged)
        for note in answer.notes:
            self.call_after_refresh(self.say, Span(note, Tone.WARN))  # behind what the cursor says
        if answer.draft.conflict:
            self.say(Span("✗ ", Tone.BAD), Span(f"the draft: {answer.draft.conflict}"))
        offered = comparisons_of(answer.picture)
        if not self._chose_comparison or self.view.comparison not in offered:
            self.view = replace(self.view, comparison=offered[0])
        self.show_view()

    def show_view(self) -> None:
        """Show the picture as it is looked at now; one of many edges soon, so that keys are heard meanwhile."""
        if self.answer is None:
            return
        self.workers.cancel_group(self, "view")
        steps = self._seen(self.answer.picture, self.view)
        if len(self.answer.picture.edges) <= AT_ONCE:
            self._show(*at_once(steps))
        else:
            self.work(self._show_soon(steps), group="view")

    def _seen(self, picture: Picture, view: View) -> Steps[tuple[MatrixModel, tuple[int, int] | None]]:
        """Make the matrix, and find where one begins in it; None where one is in another already."""
        model = yield from matrix_steps(picture, view)
        first = self._at_cursor(self.query_one("#matrix", Matrix)) is None
        return model, ((yield from worst_steps(model)) if first else None)

    async def _show_soon(self, steps: Steps[tuple[MatrixModel, tuple[int, int] | None]]) -> None:
        self._show(*await in_turns(steps))

    def _show(self, model: MatrixModel, start: tuple[int, int] | None) -> None:
        matrix = self.query_one("#matrix", Matrix)
        ends = self._at_cursor(matrix)
        self.model = model
        row, column = (start or (0, 0)) if ends is None else (self._position(one) for one in ends)
        matrix.show(model.content, row, column)
        self.viewed()

    def viewed(self) -> None:
        """Do what has to wait until the picture is shown."""

    def _at_cursor(self, matrix: Matrix) -> tuple[PictureGroup | int, PictureGroup | int] | None:
        model = self.model
        if model is None or not model.shown:
            return None
        row, column = matrix.row, matrix.column
        return (model.group(row) if row >= 0 else row), (model.group(column) if column >= 0 else column)

    def _position(self, end: PictureGroup | int) -> int | None:
        if isinstance(end, int) or self.model is None:
            return end if isinstance(end, int) else None
        groups = self.model.picture.groups
        return self.model.position_of(groups.index(end)) if end in groups else None

    def _tell_job(self, text: str) -> None:
        self.job(text)
