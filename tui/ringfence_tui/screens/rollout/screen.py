"""The rollout: a plan's diff, the one confirmation, then the board of the run, which goes on without this screen."""

from __future__ import annotations

import shlex
from dataclasses import replace
from enum import Enum, auto

from ringfence.presenting.rollout_board import Board, BoardChange, BoardHead, Phase, merged
from textual import on
from textual.app import ComposeResult
from textual.events import Resize

from ringfence_tui.changing_page import ChangingPage, unfocused
from ringfence_tui.engine.client import EngineError, EngineGone
from ringfence_tui.engine.progress import Progress
from ringfence_tui.keys import APPLICATION, Key
from ringfence_tui.messages import PlanSubject, RunSubject
from ringfence_tui.screens.rollout.board_rows import (
    BoardRows,
    board_rows,
    detail_rows,
    head_rows,
    possible,
    possible_rows,
)
from ringfence_tui.screens.rollout.model import Opening, PlanView, confirm_rows, plan_rows, wrapped
from ringfence_tui.screens.rollout.requests import Begin, MakePlan, Renew, Steer
from ringfence_tui.spans import Row, Span, Tone, row
from ringfence_tui.widgets.dialog import Confirmation
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.listing import Listing

PLAN = Key("p", "make_plan", "plan", "Make a plan of the files as they are now", changes=True)
REBASE = Key("b", "rebase", "", "Ask the hosts what they hold, then make a plan", changes=True)
ROLL_OUT = Key("o", "roll_out", "roll out", "Roll this plan out: asks for its first four digits", changes=True)
PAUSE = Key("P", "pause", "pause", "Hold before the next wave, or go on", changes=True)
ABORT = Key("A", "abort", "abort", "End the run: what waits for its confirmation goes back by itself", changes=True)
EXCUSE = Key("x", "excuse", "excuse", "Go on without the host at the cursor where it fails", changes=True)
AGAIN = Key("r", "again", "again", "Roll the same plan out again: hosts that hold it are not touched", changes=True)
BACK = Key("R", "roll_back", "roll back", "Make the plan that goes back to what the hosts held before", changes=True)
LOG = Key("l", "log", "log", "Show what the run told, or the board again")
DIFF = Key("d", "diff", "diff", "Show the diff of the plan, or the board again")
HISTORY = Key("H", "history", "history", "Show the runs until now")
VERIFY = Key("v", "verify", "verify", "Show what hosts enforce beside what their plan says")
LONGER = Key("plus", "within(1)", "", "Give hosts more time to confirm a new table")
SHORTER = Key("minus", "within(-1)", "", "Give hosts less time to confirm a new table")
PASSWORDS = Key("K", "passwords", "", "Give the passwords that Ansible needs")
# Seconds that a host has to confirm a new table, else it goes back by itself.
TIMES = (30, 60, 120, 300, 900)


class Shown(Enum):
    """What the screen shows."""

    PLAN = auto()
    BOARD = auto()
    LOG = auto()


class RolloutScreen(ChangingPage):
    """Shows the run that works; without one the newest plan, or at first the run that rolled it out."""

    KEYS = (
        PLAN,
        REBASE,
        ROLL_OUT,
        PAUSE,
        ABORT,
        EXCUSE,
        AGAIN,
        BACK,
        LOG,
        DIFF,
        HISTORY,
        VERIFY,
        LONGER,
        SHORTER,
        PASSWORDS,
    )
    DEFAULT_CSS = """
    RolloutScreen #head { height: 3; }
    RolloutScreen #foot { height: 9; }
    RolloutScreen.plan #head, RolloutScreen.plan #foot { display: none; }
    RolloutScreen.log #foot { display: none; }
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.shown = Shown.PLAN
        self.plan: PlanView | None = None
        self.board: Board | None = None
        self.rows = BoardRows((), ())
        self.subject: int | str | None = None
        self.toggled: frozenset[int] = frozenset()
        self.within = TIMES[0]
        self._wanted: object = None
        self._following = ""
        self._opened = False

    def body(self) -> ComposeResult:
        """Yield the head, the board or the diff, and what is known of the line at the cursor."""
        yield unfocused(Lines(id="head"))
        yield Lines(selectable=True, id="main")
        yield unfocused(Lines(id="foot"))

    # What is shown

    def take(self, subject: object) -> None:
        """Show a run, a plan, or ask whether a host gets its table again."""
        self._wanted = subject

    def entered(self) -> None:
        """Show what was asked for, else the run that works, else what was shown, else the newest plan."""
        wanted, self._wanted = self._wanted, None
        if isinstance(wanted, RunSubject):
            self._watch(wanted.run_id)
        elif isinstance(wanted, PlanSubject):
            self.work(self._show_plan(wanted.plan), "show")
        elif isinstance(wanted, Renew):
            self.work(self._confirmed_run(wanted.plan, limit=wanted.hosts, renew=True), "asked")
        elif not self._following:
            self.work(self._open(), "show")

    async def _open(self) -> None:
        opening = await self.engine.ask("rollout.opening", None, Opening)
        if opening.living:
            self._watch(opening.living)
        elif not self._opened and opening.of_plan:
            self.plan = opening.plan
            self._watch(opening.of_plan)
        elif not self._opened or self.shown is Shown.PLAN:
            self.plan = opening.plan
            self._mode(Shown.PLAN)
            self._show_diff(opening.why_no_plan)
        self._opened = True

    async def _show_plan(self, name: str) -> None:
        self.plan = await self.engine.ask("rollout.plan", name, PlanView)
        self._mode(Shown.PLAN)
        self._show_diff()

    def _mode(self, shown: Shown) -> None:
        self.shown = shown
        self.set_class(shown is Shown.PLAN, "plan")
        self.set_class(shown is Shown.LOG, "log")
        self.renew_keys()

    def _show_diff(self, why: str = "") -> None:
        nothing = (row(Span(f" {why or 'there is no plan'}", Tone.DIM)), row("   ", Span("p", Tone.KEY), " make one"))
        rows = wrapped(plan_rows(self.plan), self.size.width - 1) if self.plan is not None else nothing
        self.query_one("#main", Lines).show(rows)

    def _watch(self, run: str) -> None:
        """Show the board of a run, and what changes on it."""
        if self._following == run:
            self._show_board()
            return
        if self.board is None or self.board.head.run != run:
            self.board, self.toggled, self.subject = None, frozenset(), None
        self.work(self._follow(run), "follow")

    async def _follow(self, run: str) -> None:
        def hear(part: object) -> None:
            if isinstance(part, BoardChange):
                first = self.board is None
                self.board = merged(self.board, part)
                self._tell_job(part.head)
                if first:
                    self._mode(Shown.BOARD)
                if self.shown is Shown.BOARD:
                    self._show_board()

        self._following = run
        try:
            try:
                head = await self.engine.ask("rollout.follow", run, BoardHead, hear)
            except EngineGone:  # the run goes on without it, and another engine follows it
                head = await self.engine.ask("rollout.follow", run, BoardHead, hear)
        except EngineError:
            self.job("")
            raise
        finally:
            if self._following == run:
                self._following = ""
        self.job("")
        self.renew_keys()
        well = head.state == "successful"
        self.say(
            Span("✓ " if well else "✗ ", Tone.GOOD if well else Tone.BAD),
            f"run {head.run}: {head.state}",
            Span("  v verify" if well else "", Tone.DIM),
        )

    def _tell_job(self, head: BoardHead) -> None:
        done, all_hosts = sum(wave.done for wave in head.waves), sum(wave.hosts for wave in head.waves)
        self.job(f"rollout {done}/{all_hosts}" if head.lives else "")

    def _show_board(self) -> None:
        if self.board is None:
            return
        if self.shown is not Shown.BOARD:
            self._mode(Shown.BOARD)
        main = self.query_one("#main", Lines)
        before = self.rows.subjects
        self.rows = board_rows(self.board, self.toggled)
        self.query_one("#head", Lines).show(head_rows(self.board.head))
        main.show(self.rows.rows)
        if before != self.rows.subjects:
            host = self.board.hosts.get(self.subject) if isinstance(self.subject, str) else None
            if host is not None and host.name not in self.rows.subjects:
                self.subject = host.wave  # its wave was closed
            main.move_to(self.rows.index_of(self.subject))
        self._show_foot()

    def _show_foot(self) -> None:
        if self.board is None or self.shown is not Shown.BOARD:
            return
        rule: Row = (Span("─" * self.size.width, Tone.RULE),)
        actions = possible_rows(possible(self.board, self.subject))
        detail = detail_rows(self.board, self.subject)
        room = self.query_one("#foot", Lines).size.height - len(actions) - 1
        self.query_one("#foot", Lines).show((rule, *detail[: max(0, room)], *actions))

    def on_resize(self, _event: Resize) -> None:
        """Break the lines of the diff anew."""
        if self.shown is Shown.PLAN and self.plan is not None:
            self._show_diff()

    @on(Listing.Moved, "#main")
    def _moved(self, event: Listing.Moved) -> None:
        if self.shown is Shown.BOARD and event.index < len(self.rows.subjects):
            self.subject = self.rows.subjects[event.index]
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
        if self.shown is Shown.PLAN:
            own = [ROLL_OUT, PLAN, *([DIFF] if head else []), HISTORY, VERIFY]
        elif head is not None and head.lives:
            own = [PAUSE, ABORT, EXCUSE, LOG, DIFF, HISTORY]
        else:
            own = [AGAIN, EXCUSE, BACK, LOG, DIFF, PLAN, HISTORY, VERIFY]
        return tuple(key for key in (*own, *APPLICATION) if not (key.changes and self.read_only))

    def command(self) -> str:
        """Return the command that shows the same."""
        if self.shown is Shown.PLAN:
            return f"ringfence show {self.plan.short}" if self.plan is not None else "ringfence plan"
        return f"ringfence attach {shlex.quote(self.board.head.run)}" if self.board is not None else "ringfence runs"

    # What is done

    def action_make_plan(self) -> None:
        """Make a plan."""
        if self.may("make a plan"):
            self.work(self._make(MakePlan()), "show")

    def action_rebase(self) -> None:
        """Ask the hosts, then make a plan."""
        if self.may("make a plan"):
            self.work(self._make(MakePlan(rebase=True)), "show")

    def action_roll_back(self) -> None:
        """Make the plan that goes back."""
        plan = self.board.head.plan if self.board is not None else self.plan.digest if self.plan else ""
        if not self.may("make a plan") or not plan:
            return
        if self.board is not None and self.board.head.lives:
            self.say("the run goes on: let it end or abort it, then roll back")
            return
        self.work(self._make(MakePlan(back_from=plan)), "show")

    async def _make(self, request: MakePlan) -> None:
        def hear(part: object) -> None:
            if isinstance(part, Progress):
                self.say(Span(part.text, Tone.DIM))

        self.say(Span("making a plan", Tone.DIM))
        given = self.ringfence.passwords
        request = replace(request, become=given.become, vault=given.vault)
        self.plan = await self.engine.ask("rollout.make", request, PlanView, hear)
        self._mode(Shown.PLAN)
        self._show_diff()
        self.query_one("#main", Lines).move_to(0)
        self.say(f"plan {self.plan.short} is made; ", Span("o", Tone.KEY), " rolls it out")

    def action_roll_out(self) -> None:
        """Roll the plan that is shown out."""
        if self.may("roll a plan out") and self.shown is Shown.PLAN and self.plan is not None:
            self.work(self._confirmed_run(self.plan.digest), "asked")

    def action_again(self) -> None:
        """Roll the run's plan out again."""
        board = self.board
        if self.may("roll a plan out") and board is not None and self._ended(board):
            self.work(self._confirmed_run(board.head.plan, limit=board.head.limit), "asked")

    def _ended(self, board: Board) -> bool:
        if board.head.lives:
            self.say("the run goes on; it is tried again when it has ended")
        return not board.head.lives

    async def _confirmed_run(
        self, plan: str, *, limit: tuple[str, ...] = (), excuse: tuple[str, ...] = (), renew: bool = False
    ) -> None:
        """Say what will happen, have it confirmed, begin it, and show its board."""
        view = await self.engine.ask("rollout.plan", plan, PlanView)
        if view.stale:
            self.say(Span("✗ ", Tone.BAD), view.stale)
            return
        rows = confirm_rows(view, limit=limit, excuse=excuse, renew=renew, within=self.within)
        given = self.ringfence.passwords
        rows = (*rows, row(Span(" passwords ", Tone.TITLE), given.words(), Span("  (K gives them)", Tone.DIM)))
        asked = Confirmation(f"Roll out plan {view.short}", rows, plan=view.digest, does="roll it out")
        if not await self.confirm(asked):
            self.say("nothing was begun")
            return
        request = Begin(view.digest, limit, excuse, renew, self.within, given.become, given.vault)
        run = await self.engine.ask("rollout.begin", request, str)
        self.say(f"run {run} goes on when you leave; ringfence attach follows it")
        self._watch(run)

    def action_pause(self) -> None:
        """Hold before the next wave, or go on."""
        if self.may("steer a run") and (head := self._living()) is not None:
            self.work(self._steer(Steer(head.run, pause=not head.pause)), "steer")

    def action_abort(self) -> None:
        """End the run."""
        if self.may("steer a run") and (head := self._living()) is not None:
            self.work(self._abort(head), "asked")

    async def _abort(self, head: BoardHead) -> None:
        works, following = head.count(Phase.WORKS), head.count(Phase.NEXT, Phase.HELD)
        rows = (
            row(f"{head.count(Phase.WELL)} hosts keep what they confirmed"),
            row(f"{works} are at work: what waits goes back by itself within {head.confirm_within} s"),
            row(f"{following} are not begun"),
        )
        if await self.confirm(Confirmation(f"Abort the run of plan {head.plan[:4]}", rows, does="abort it")):
            await self._steer(Steer(head.run, abort=True))

    def action_excuse(self) -> None:
        """Excuse the host at the cursor: of a run that works, or in another run of the same plan."""
        board, host = self.board, self.subject
        if not self.may("steer a run") or board is None:
            return
        if not isinstance(host, str) or host not in board.hosts:
            self.say("put the cursor at the host that is to be excused")
            return
        self.work(self._excuse(board, host), "asked")

    async def _excuse(self, board: Board, host: str) -> None:
        if not board.head.lives:
            excuse = tuple(dict.fromkeys((*board.head.excuse, host)))
            await self._confirmed_run(board.head.plan, limit=board.head.limit, excuse=excuse)
            return
        rows = (row(f"{host} is tried all the same; where it fails, the waves go on without it"),)
        if await self.confirm(Confirmation(f"Excuse {host}", rows, does="excuse it")):
            await self._steer(Steer(board.head.run, excuse=(host,)))

    def _living(self) -> BoardHead | None:
        head = self.board.head if self.board is not None else None
        if head is None or not head.lives:
            self.say("no run works now")
            return None
        return head

    async def _steer(self, request: Steer) -> None:
        self.say(await self.engine.ask("rollout.steer", request, str))

    def action_log(self) -> None:
        """Show the log of the run, or its board again."""
        if self.shown is Shown.LOG:
            self._show_board()
        elif self.board is not None:
            self.work(self._log(self.board.head.run), "show")

    async def _log(self, run: str) -> None:
        rows = await self.engine.ask("rollout.log", run, tuple)
        self._mode(Shown.LOG)
        main = self.query_one("#main", Lines)
        main.show(rows)
        main.move_to(len(rows) - 1)

    def action_diff(self) -> None:
        """Show the diff of the run's plan, or its board again."""
        if self.board is None:
            return
        if self.shown is Shown.PLAN:
            self._show_board()
        else:
            self.work(self._show_plan(self.board.head.plan), "show")

    def action_within(self, by: int) -> None:
        """Give hosts more or less time to confirm."""
        self.within = TIMES[max(0, min(TIMES.index(self.within) + by, len(TIMES) - 1))]
        self.say(f"a host has {self.within} s to confirm a new table, then it goes back by itself")

    def action_history(self) -> None:
        """Show the runs."""
        self.go("history")

    def action_verify(self) -> None:
        """Show what hosts enforce."""
        self.go("verify")
