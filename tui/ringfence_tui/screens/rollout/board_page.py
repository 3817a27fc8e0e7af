"""What the rollout shows: a plan's diff, the board of a run as it changes, its log."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

from ringfence.presenting.rollout_board import Board, BoardChange, BoardHead, merged
from textual import on
from textual.app import ComposeResult
from textual.events import Resize

from ringfence_tui.changing_page import ChangingPage, unfocused
from ringfence_tui.engine.client import EngineError, EngineGone
from ringfence_tui.keys import APPLICATION, Key
from ringfence_tui.screens.rollout.board_rows import (
    BoardRows,
    board_rows,
    detail_rows,
    head_rows,
    possible,
    possible_rows,
    usable,
)
from ringfence_tui.screens.rollout.keys import Shown, keys_of
from ringfence_tui.screens.rollout.model import PlanView, plan_rows, wrapped
from ringfence_tui.screens.rollout.numbers import Numbers, number_rows
from ringfence_tui.spans import Row, Span, Tone, fitting, row
from ringfence_tui.widgets.folded import folded_rows
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.listing import Listing

LOG_FOLDS = 12  # lines of one event in the log
MOST_FOLDS = 2  # lines of one thing that is known of a host
AGED = 10.0  # seconds after which the board of an ended run says how long it holds


class BoardPage(ChangingPage):
    """A page that shows a plan, or a run as its board or its log; what is done about them comes above it."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.shown = Shown.PLAN
        self.plan: PlanView | None = None
        self.board: Board | None = None
        self.rows = BoardRows((), ())
        self.subject: int | str | None = None
        self.toggled: frozenset[int] = frozenset()
        self.following = ""
        self.numbers: Numbers | None = None

    def body(self) -> ComposeResult:
        """Yield the head, the board or the diff, and what is known of the line at the cursor."""
        yield unfocused(Lines(id="head"))
        yield Lines(selectable=True, id="main")
        yield unfocused(Lines(id="foot"))

    def on_mount(self) -> None:
        """Say anew, now and then, how long a run holds that has ended: nothing is told of it any more."""
        self.set_interval(AGED, self.age)

    def age(self) -> None:
        """Show the board as of now; what it says as before is not painted again."""
        if self.is_current and self.shown is Shown.BOARD and self.board is not None and not self.board.head.lives:
            self._show_board()

    async def show_plan(self, name: str) -> None:
        """Show a plan."""
        self.plan = await self.engine.ask("rollout.plan", name, PlanView)
        self.turn_to(Shown.PLAN)
        self.show_diff()

    def turn_to(self, shown: Shown) -> None:
        """Lay the screen out for what is shown."""
        self.shown = shown
        self.set_class(shown is Shown.PLAN, "plan")
        self.set_class(shown is Shown.LOG, "log")
        self.renew_keys()

    def show_diff(self, why: str = "") -> None:
        """Show the plan, or why there is none."""
        nothing = (
            row(Span(f" {why or 'no plan was made yet'}", Tone.DIM)),
            row("   ", Span("p", Tone.KEY), " make one of the files"),
        )
        rows = wrapped(plan_rows(self.plan), self.size.width - 1) if self.plan is not None else nothing
        self.query_one("#main", Lines).show(rows)

    def show_run(self, run: str) -> None:
        """Show the board of a run, and what changes on it."""
        if self.following == run:
            self._show_board()
            return
        if self.board is None or self.board.head.run != run:
            self.board, self.toggled, self.subject = None, frozenset(), None
        self.work(self._follow(run), "follow")

    async def _follow(self, run: str) -> None:
        def hear(part: object) -> None:
            if isinstance(part, BoardChange):
                first = self.board is None
                paused = self.board is not None and self.board.head.pause
                self.board = merged(self.board, part)
                self._tell_job(part.head)
                if first:
                    self.turn_to(Shown.BOARD)
                    self.work(self._load_numbers(run), "numbers")
                elif paused is not part.head.pause:
                    self.renew_keys()
                if self.shown is Shown.BOARD:
                    self._show_board()

        self.following = run
        try:
            try:
                head = await self.engine.ask("rollout.follow", run, BoardHead, hear)
            except EngineGone:  # the run goes on without it, and another engine follows it
                head = await self.engine.ask("rollout.follow", run, BoardHead, hear)
        except EngineError:
            self.job("")
            raise
        finally:
            if self.following == run:
                self.following = ""
        self.job("")
        self.renew_keys()
        self.work(self._load_numbers(run), "numbers")
        if head.back_run:  # what was begun to bring the plan before back is what there is to watch now
            self.say("that run has ended; this one brings back what hosts held before it")
            self.call_later(self.show_run, head.back_run)
            return
        well = head.state == "successful"
        self.say(
            Span("✓ " if well else "✗ ", Tone.GOOD if well else Tone.BAD),
            f"run {head.run}: {head.state}",
            Span("  v verify" if well else "", Tone.DIM),
        )

    async def _load_numbers(self, run: str) -> None:
        self.show_numbers(await self.engine.ask("rollout.numbers", run, Numbers))

    def show_numbers(self, numbers: Numbers) -> None:
        """Show the numbers of the run, where its board is shown."""
        self.numbers = numbers
        if self.shown is Shown.BOARD:
            self._show_board()

    def _tell_job(self, head: BoardHead) -> None:
        done, all_hosts = sum(wave.done for wave in head.waves), sum(wave.hosts for wave in head.waves)
        self.job(f"rollout {done}/{all_hosts}" if head.lives else "")

    def _show_board(self) -> None:
        if self.board is None:
            return
        if self.shown is not Shown.BOARD:
            self.turn_to(Shown.BOARD)
        main = self.query_one("#main", Lines)
        before = self.rows.subjects
        self.rows = board_rows(self.board, self.toggled)
        more = number_rows(self.board, self.numbers, datetime.now(UTC))
        self.query_one("#head", Lines).show(head_rows(self.board.head))
        main.show((*self.rows.rows, *more))
        if before != self.rows.subjects and self.subject is not None:
            host = self.board.hosts.get(self.subject) if isinstance(self.subject, str) else None
            if host is not None and host.name not in self.rows.subjects:
                self.subject = host.wave  # its wave was closed
            main.move_to(self.rows.index_of(self.subject))
        self._show_foot()
        self.renew_keys()

    @property
    def no_way_back(self) -> str:
        """Return why the run that is shown cannot be rolled back, empty where it can or nobody knows yet."""
        known = self.numbers is not None and self.board is not None and self.numbers.run == self.board.head.run
        return self.numbers.no_way_back if self.numbers is not None and known else ""

    def _show_foot(self) -> None:
        if self.board is None or self.shown is not Shown.BOARD:
            return
        rule: Row = (Span("─" * self.size.width, Tone.RULE),)
        actions = possible_rows(possible(self.board, self.subject, self.no_way_back))
        detail = folded_rows(detail_rows(self.board, self.subject), self.size.width, MOST_FOLDS)
        room = self.query_one("#foot", Lines).size.height - len(actions) - 1
        self.query_one("#foot", Lines).show((rule, *fitting(detail, room, "l shows the log"), *actions))

    def on_resize(self, _event: Resize) -> None:
        """Break the lines of the diff anew."""
        if self.shown is Shown.PLAN and self.plan is not None:
            self.show_diff()
        self._show_foot()

    @on(Listing.Moved, "#main")
    def _moved(self, event: Listing.Moved) -> None:
        if self.shown is Shown.BOARD:
            subjects = self.rows.subjects
            self.subject = subjects[event.index] if event.index < len(subjects) else None
            self._show_foot()

    @on(Listing.Chosen, "#main")
    def _chosen(self, event: Listing.Chosen) -> None:
        """Open or close the wave at the cursor."""
        if self.shown is Shown.BOARD and event.index < len(self.rows.subjects):
            subject = self.rows.subjects[event.index]
            if isinstance(subject, int):
                self.toggled = self.toggled ^ {subject}
                self.subject = subject
                self._show_board()

    def shown_keys(self) -> tuple[Key, ...]:
        """Return the keys of what is shown."""
        head = self.board.head if self.board is not None else None
        own = keys_of(self.shown, head, usable(self.board, self.no_way_back) if self.board is not None else "")
        return tuple(key for key in (*own, *APPLICATION) if not (key.changes and self.read_only))

    def asset_at_cursor(self) -> str:
        """Return the host at the cursor, nothing on a wave."""
        return self.subject if isinstance(self.subject, str) else ""

    def command(self) -> str:
        """Return the command that shows the same."""
        if self.shown is Shown.PLAN:
            return f"ringfence show {self.plan.short}" if self.plan is not None else "ringfence plan"
        return f"ringfence attach {shlex.quote(self.board.head.run)}" if self.board is not None else "ringfence runs"

    def action_log(self) -> None:
        """Show the log of the run, or its board again."""
        if self.shown is Shown.LOG:
            self._show_board()
        elif self.board is not None:
            self.work(self._log(self.board.head.run), "show")

    async def _log(self, run: str) -> None:
        told = await self.engine.ask("rollout.log", run, tuple)
        self.turn_to(Shown.LOG)
        main = self.query_one("#main", Lines)
        rows = folded_rows(told, self.size.width - 1, LOG_FOLDS)
        main.show(rows)
        main.move_to(len(rows) - 1)

    def action_diff(self) -> None:
        """Show the diff of the run's plan, or its board again."""
        if self.board is None:
            return
        if self.shown is Shown.PLAN:
            self._show_board()
        else:
            self.work(self.show_plan(self.board.head.plan), "show")
