"""The Map screen as far as it only looks: the picture, where one is in it, and what it says of a cell."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import ClassVar

from ringfence.model.picture import Neighbours, Picture, PictureCell, PictureEdge, PictureGroup
from textual import on
from textual.app import ComposeResult
from textual.timer import Timer

from ringfence_tui.engine.client import EngineError
from ringfence_tui.memory import kept_long, many_values
from ringfence_tui.page import Page
from ringfence_tui.screens.map.answers import (
    CellRequest,
    Edges,
    MapAnswer,
    NeighboursRequest,
    PictureRequest,
    Progress,
)
from ringfence_tui.screens.map.cell_rows import flow_rows, panel_rows
from ringfence_tui.screens.map.heading import heading, neighbour_heading
from ringfence_tui.screens.map.levels import Level
from ringfence_tui.screens.map.model import Matrix as MatrixModel
from ringfence_tui.screens.map.model import Only, View, comparisons_of, matrix_steps, worst_steps
from ringfence_tui.screens.map.neighbour_list import NeighbourList
from ringfence_tui.screens.map.neighbours import neighbours_in
from ringfence_tui.screens.map.sending import put_together
from ringfence_tui.screens.map.steps import Steps, at_once, in_turns
from ringfence_tui.screens.map.strip import strip_lines
from ringfence_tui.screens.map.times import Times
from ringfence_tui.spans import Row, Span, Tone
from ringfence_tui.widgets.body import Beside
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.matrix import Matrix

IDLE = 0.3  # seconds that nothing is asked before the engine makes ready for drafts
PAUSE = 0.08  # seconds that the cursor rests before the engine is asked for a cell
PANEL_FROM, PANEL = 180, 56  # terminal columns from which the strip stands beside the matrix, and how wide
TALL = 30  # terminal lines from which the strip has a line more
FLOWS = 500
AT_ONCE = 1_000  # edges; a matrix of more is made in turns with keys
Ends = tuple[PictureGroup, PictureGroup]


class Mode(StrEnum):
    """What the middle of the screen shows."""

    MATRIX = "matrix"
    NEIGHBOURS = "neighbours"
    FLOWS = "flows"


class LookingPage(Page):
    """Keeps a picture on the screen, and says of the cell under the cursor what is known."""

    AUTO_FOCUS = "#matrix"
    DEFAULT_CSS: ClassVar[str] = f"""
    LookingPage #heading {{ height: 1; }}
    LookingPage #strip {{ height: 5; }}
    LookingPage.tall #strip {{ height: 6; }}
    LookingPage #panel {{ width: {PANEL}; display: none; }}
    LookingPage.wide #panel {{ display: block; }}
    LookingPage.wide #strip {{ display: none; }}
    LookingPage #neighbours, LookingPage #flows {{ display: none; }}
    LookingPage.neighbours #neighbours, LookingPage.flows #flows {{ display: block; }}
    LookingPage.neighbours #matrix, LookingPage.flows #matrix {{ display: none; }}
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.answer: MapAnswer | None = None
        self.level: Level | None = None
        self.times = Times()
        self.view = View()
        self.model: MatrixModel | None = None
        self.mode = Mode.MATRIX
        self.centre: PictureGroup | None = None
        self._chose_comparison = False
        self._details: dict[Ends, PictureCell] = {}
        self._resting: Timer | None = None
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

        try:
            with many_values():
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
            if len(edges) > AT_ONCE:
                kept_long()
        picture = replace(answer.picture, edges=edges)
        answer = replace(answer, picture=picture)
        self.level = replace(level, keys=answer.keys) if level is not None else Level(answer.keys, len(picture.levels))
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
        if self.mode is Mode.NEIGHBOURS:
            self._show_neighbours()
            if self.centre is not None:
                self.work(self._ask_neighbours(self.centre), group="neighbours")
        self.show_heading()
        self.show_cell()
        self.viewed()

    def viewed(self) -> None:
        """Do what has to wait until the picture is shown."""

    def show_heading(self) -> None:
        """Show the line above the matrix."""
        if self.model is None or self.level is None:
            return
        if self.mode is Mode.NEIGHBOURS and self.centre is not None:
            line = neighbour_heading(self.centre, self.view.comparison, self.times, self._changes)
            self.query_one("#heading", Lines).show([line])
            return
        matrix = self.query_one("#matrix", Matrix)
        line = heading(self.model, self.level, self.times, self.size.width, matrix.seen_rows, self._changes)
        if not len(self.model.content):
            nothing = "no flow was seen" if self.view.only is Only.ALL else f"nothing with only: {self.view.only.value}"
            line = (*line, Span(f"   {nothing}", Tone.WARN))
        self.query_one("#heading", Lines).show([line])

    # The cell under the cursor

    @property
    def ends(self) -> Ends | None:
        """Return client and server of the edge under the cursor, None on a header and where nothing is shown."""
        if self.mode is Mode.NEIGHBOURS:
            return self.query_one("#neighbours", NeighbourList).ends
        matrix = self.query_one("#matrix", Matrix)
        if self.model is None or min(matrix.row, matrix.column) < 0 or not len(self.model.content):
            return None
        return self.model.group(matrix.row), self.model.group(matrix.column)

    @property
    def edge(self) -> PictureEdge | None:
        """Return the traffic under the cursor, None where there is none."""
        if self.mode is Mode.NEIGHBOURS:
            neighbour = self.query_one("#neighbours", NeighbourList).neighbour
            return neighbour.edge if neighbour is not None else None
        matrix = self.query_one("#matrix", Matrix)
        return self.model.edge(matrix.row, matrix.column) if self.model is not None else None

    @property
    def group(self) -> PictureGroup | None:
        """Return the group of the row under the cursor, or of the column where the cursor is above the rows."""
        if self.mode is Mode.NEIGHBOURS:
            return self.centre
        matrix = self.query_one("#matrix", Matrix)
        position = matrix.row if matrix.row >= 0 else matrix.column
        if self.model is None or not 0 <= position < len(self.model.shown):
            return None
        return self.model.group(position)

    def show_cell(self) -> None:
        """Say what is known of the cell, and ask for the rest where the cursor rests on it."""
        ends = self.ends
        if ends is None or self.answer is None:
            self._show_group()
            return
        detail, edge = self._details.get(ends), self.edge
        if self.has_class("wide"):
            panel = self.query_one("#panel", Lines)
            panel.show(panel_rows(*ends, edge, detail, max(1, panel.size.height)))
        else:
            room = 5 if self.has_class("tall") else 4
            self._show_strip(strip_lines(*ends, edge, detail, room))
        if self._resting is not None:
            self._resting.stop()
        if detail is None and edge is not None:
            self._resting = self.set_timer(PAUSE, partial(self._rested, ends))

    def _rested(self, ends: Ends) -> None:
        if ends == self.ends:
            self.work(self._ask_cell(ends), group="cell")

    async def _ask_cell(self, ends: Ends) -> None:
        if self.level is None:
            return
        request = CellRequest(self.level.shown, *ends, self.times.when)
        self._details[ends] = await self.engine.ask("map.cell", request, PictureCell)
        if ends == self.ends:
            self.show_cell()

    def _show_group(self) -> None:
        group = self.group
        if group is None or self.model is None:
            self._show_strip(())
            return
        from ringfence_tui.screens.map.group_rows import group_rows

        rows = group_rows(group, self.model.picture, self.view.comparison)
        if self.has_class("wide"):
            self.query_one("#panel", Lines).show(rows)
        else:
            self._show_strip(rows)

    def _show_strip(self, rows: tuple[Row, ...]) -> None:
        rule = (Span("─" * self.size.width, Tone.RULE),)
        self.query_one("#strip", Lines).show([rule, *((Span(" "), *line) for line in rows)])

    # Neighbours and flows in the place of the matrix

    def set_mode(self, mode: Mode) -> None:
        """Show the matrix, neighbours, or flows."""
        self.mode = mode
        self.set_class(mode is Mode.NEIGHBOURS, "neighbours")
        self.set_class(mode is Mode.FLOWS, "flows")
        self.query_one(f"#{mode.value}").focus()
        self.renew_keys()
        self.show_heading()
        self.show_cell()

    def show_neighbours(self, group: PictureGroup) -> None:
        """Show who talks to a group: what the picture knows at once, then how many of its hosts."""
        self.centre = group
        self._show_neighbours()
        self.set_mode(Mode.NEIGHBOURS)
        self.work(self._ask_neighbours(group), group="neighbours")

    def _show_neighbours(self) -> None:
        if self.answer is not None and self.centre is not None:
            seen = neighbours_in(self.answer.picture, self.centre, self.view.comparison)
            self.query_one("#neighbours", NeighbourList).show(seen, self.view.comparison)

    async def _ask_neighbours(self, group: PictureGroup) -> None:
        if self.level is None:
            return
        request = NeighboursRequest(self.level.shown, group, self.times.when, self.level.inside)
        told = await self.engine.ask("map.neighbours", request, Neighbours)
        if self.mode is Mode.NEIGHBOURS and self.centre == group:
            self.query_one("#neighbours", NeighbourList).count(told)

    async def show_flows(self, ends: Ends) -> None:
        """Show the flows of a cell one by one."""
        if self.level is None or self.answer is None:
            return
        request = CellRequest(self.level.shown, *ends, self.times.when, FLOWS)
        detail = await self.engine.ask("map.cell", request, PictureCell)
        self._details[ends] = detail
        self.query_one("#flows", Lines).show(flow_rows(detail, tuple(self.answer.picture.totals)))
        self.set_mode(Mode.FLOWS)

    # What Textual calls

    def on_resize(self) -> None:
        """Have the strip below or beside."""
        self.set_class(self.app.size.width >= PANEL_FROM, "wide")
        self.set_class(self.app.size.height >= TALL, "tall")
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        self.show_heading()
        self.show_cell()

    @on(Matrix.Moved)
    @on(NeighbourList.Moved)
    def cursor_moved(self) -> None:
        """Say what is known of another cell."""
        self.say()
        self.show_cell()

    @on(Matrix.Scrolled)
    def rows_scrolled(self) -> None:
        """Say which rows are seen."""
        self.show_heading()

    @on(NeighbourList.Chosen)
    def neighbour_chosen(self, message: NeighbourList.Chosen) -> None:
        """Go to a neighbour."""
        self.show_neighbours(message.group)

    # Small things

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
