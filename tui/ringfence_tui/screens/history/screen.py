"""The runs of the workspace, and the board of one, stepped through event by event."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from ringfence_tui.changing_page import unfocused
from ringfence_tui.clock import clock
from ringfence_tui.keys import Key
from ringfence_tui.messages import RunSubject
from ringfence_tui.page import Page
from ringfence_tui.screens.history.model import Replay, RunList, RunRow
from ringfence_tui.screens.rollout.board_rows import BoardRows, board_rows, detail_rows, head_rows
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.folded import folded_rows
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.listing import Listing
from ringfence_tui.widgets.table import Cells, Column, Table

OPEN = Key("b", "board", "board", "Open the run at the cursor on the rollout screen, to follow or repeat it")
STEP = Key("right_square_bracket", "step(1)", "step", "One event on", shown_as="[ ]")
STEP_BACK = Key("left_square_bracket", "step(-1)", "", "One event back")
FIRST = Key("left_curly_bracket", "ends(0)", "", "The beginning of the run")
LAST = Key("right_curly_bracket", "ends(1)", "", "The end of the run")
HEAD = 5  # lines above the board
MOST_LINES = 6  # of one thing that is told there
COLUMNS = (
    Column("RUN", 30),
    Column("STATE", 12, grow=1),
    Column("BY", 8, grow=1, rank=2),
    Column("COMMIT", 8, rank=3),
    Column("HOSTS", 6, right=True, rank=1),
    Column("LASTED", 8, right=True, rank=1),
)


class HistoryScreen(Page):
    """Runs, the newest first; below the board of the one at the cursor."""

    KEYS = (STEP, STEP_BACK, FIRST, LAST, OPEN)
    DEFAULT_CSS = """
    HistoryScreen #runs { height: 8; }
    HistoryScreen #head { height: 5; max-height: 12; }
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.runs = RunList(())
        self.replay: Replay | None = None
        self.number = 0
        self.rows = BoardRows((), ())
        self.toggled: frozenset[int] = frozenset()

    def body(self) -> ComposeResult:
        """Yield the list, and the board."""
        yield Table(COLUMNS, id="runs")
        yield unfocused(Lines(id="head"))
        yield Lines(selectable=True, id="board")

    def entered(self) -> None:
        """Ask for the runs."""
        self.work(self._load(), "list")

    def asset_at_cursor(self) -> str:
        """Return the host at the board's cursor, nothing on a wave or in the list of runs."""
        board = self.query_one("#board", Lines)
        if not board.has_focus or board.cursor >= len(self.rows.subjects):
            return ""
        subject = self.rows.subjects[board.cursor]
        return subject if isinstance(subject, str) else ""

    def command(self) -> str:
        """Return the command."""
        return "ringfence runs"

    async def _load(self) -> None:
        with self.waiting("reading the runs …"):
            self.runs = await self.engine.ask("history.runs", None, RunList)
        self.query_one("#runs", Table).show(len(self.runs.rows), self._cells, names=[one.run for one in self.runs.rows])
        if not self.runs.rows:
            self.query_one("#head", Lines).show([row(Span(" no plan was rolled out here yet", Tone.DIM))])
        self._ask_replay()

    def _cells(self, index: int) -> Cells:
        one = self.runs.rows[index]
        tone = Tone.GOOD if one.well else Tone.STRONG if one.lives else Tone.BAD
        hosts = "" if one.damage else str(one.hosts)
        return (one.run, Span(one.state, tone), one.who, one.commit[:8], hosts, one.lasted)

    def _at_cursor(self) -> RunRow | None:
        cursor = self.query_one("#runs", Table).cursor
        return self.runs.rows[cursor] if cursor < len(self.runs.rows) else None

    @on(Listing.Moved, "#runs")
    def _moved(self, event: Listing.Moved) -> None:
        self._ask_replay()

    @on(Listing.Chosen, "#runs")
    def _chosen(self, event: Listing.Chosen) -> None:
        self.query_one("#board", Lines).focus()

    @on(Listing.Chosen, "#board")
    def _toggled(self, event: Listing.Chosen) -> None:
        subject = self.rows.subjects[event.index] if event.index < len(self.rows.subjects) else None
        if isinstance(subject, int):
            self.toggled = self.toggled ^ {subject}
            self._show()

    @on(Listing.Moved, "#board")
    def _board_moved(self, event: Listing.Moved) -> None:
        self._show()

    def _ask_replay(self) -> None:
        one = self._at_cursor()
        if one is not None and one.damage:
            self._show_damage(one)
        elif one is not None and (self.replay is None or self.replay.run != one.run or one.lives):
            self.work(self._load_replay(one.run), "replay")

    def _show_damage(self, one: RunRow) -> None:
        """Say why a run cannot be shown, and what to do."""
        self.workers.cancel_group(self, "replay")
        self.replay, self.rows = None, BoardRows((), ())
        head = (row(Span(f" ✗ {one.damage}", Tone.BAD)), row(Span(f"   {one.remedy}", Tone.DIM)))
        told = folded_rows(head, self.size.width, MOST_LINES)
        pane = self.query_one("#head", Lines)
        pane.styles.height = max(HEAD, len(told))
        pane.show(told)
        self.query_one("#board", Lines).show(())

    async def _load_replay(self, run: str) -> None:
        with self.waiting("reading the run …"):
            self.replay = await self.engine.ask("history.replay", run, Replay)
        self.number = len(self.replay.frames) - 1
        self.toggled = frozenset()
        self._show()

    def _show(self) -> None:
        board = self.replay.board(self.number) if self.replay is not None else None
        if board is None or self.replay is None:
            return
        lines = self.query_one("#board", Lines)
        at = lines.cursor
        subject = self.rows.subjects[at] if at < len(self.rows.subjects) else None
        self.rows = board_rows(board, self.toggled)
        time = clock(self.replay.frames[self.number].time) or "the end is not known"
        step = row(Span(f" event {self.number} of {len(self.replay.frames) - 1}, {time}", Tone.DIM))
        head = (*head_rows(board.head), step)
        told = folded_rows(detail_rows(board, subject)[1:2] or ((),), self.size.width, MOST_LINES)
        pane = self.query_one("#head", Lines)
        pane.styles.height = len(head) + len(told)
        pane.show((*head, *told))
        lines.show(self.rows.rows, self.rows.subjects)

    def action_step(self, by: int) -> None:
        """Go an event on or back."""
        if self.replay is not None:
            self.number = self.replay.at(self.number + by)
            self._show()

    def action_ends(self, end: int) -> None:
        """Go to the beginning or the end."""
        if self.replay is not None:
            self.number = self.replay.at(len(self.replay.frames) if end else 0)
            self._show()

    def action_board(self) -> None:
        """Open the run on the rollout screen."""
        one = self._at_cursor()
        if one is not None and not one.damage:
            self.go("rollout", RunSubject(one.run))
