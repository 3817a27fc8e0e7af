"""The Map screen as far as it only looks: where one is in the picture, what it says of a cell, neighbours, flows."""

from __future__ import annotations

from functools import partial

from ringfence.model.picture import Neighbours, PictureCell, PictureEdge, PictureGroup
from textual import on
from textual.timer import Timer

from ringfence_tui.screens.map.answers import (
    CellRequest,
    NeighboursRequest,
)
from ringfence_tui.screens.map.cell_rows import flow_rows, panel_rows
from ringfence_tui.screens.map.heading import heading, neighbour_heading
from ringfence_tui.screens.map.model import Only
from ringfence_tui.screens.map.neighbour_list import NeighbourList
from ringfence_tui.screens.map.neighbours import neighbours_in
from ringfence_tui.screens.map.picture_page import Ends, Mode, PicturePage
from ringfence_tui.screens.map.strip import strip_lines
from ringfence_tui.spans import Row, Span, Tone
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.matrix import Matrix

PAUSE = 0.08  # seconds that the cursor rests before the engine is asked for a cell
PANEL_FROM = 180  # terminal columns from which what the strip says stands beside the matrix
TALL = 30  # terminal lines from which the strip has a line more
FLOWS = 500


class LookingPage(PicturePage):
    """Says of the cell under the cursor what is known; shows neighbours and flows in the place of the matrix."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.centre: PictureGroup | None = None
        self._resting: Timer | None = None

    def viewed(self) -> None:
        """Say what another picture says of the cell, or of the neighbours."""
        if self.mode is Mode.NEIGHBOURS:
            self._show_neighbours()
            if self.centre is not None:
                self.work(self._ask_neighbours(self.centre), group="neighbours")
        self.show_heading()
        self.show_cell()

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
            asks = "1 and t ask the hosts who talks to whom"
            nothing = asks if self.view.only is Only.ALL else f"nothing with only: {self.view.only.value}"
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

    def say_no_ends(self, what: str) -> None:
        """Say what a cursor at a group's name has to do first."""
        self.say(f"{what} has two ends: ", Span("→", Tone.KEY), " goes to a cell, which is a row's group to a column's")

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
    def cursor_moved(self, message: Matrix.Moved | NeighbourList.Moved) -> None:
        """Say what is known of another cell. What was said of a picture stays when it put the cursor there."""
        if not (isinstance(message, Matrix.Moved) and message.carried):
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
