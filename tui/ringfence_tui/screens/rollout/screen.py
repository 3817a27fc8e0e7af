"""The rollout: a plan's diff, the one confirmation, then the board of the run, which goes on without this screen."""

from __future__ import annotations

from dataclasses import replace

from ringfence.presenting.rollout_board import Board, BoardHead

from ringfence_tui.engine.progress import Progress
from ringfence_tui.messages import JobsChanged, PlanSubject, RunSubject
from ringfence_tui.screens.rollout.board_page import BoardPage
from ringfence_tui.screens.rollout.keys import KEYS, TIMES, Shown
from ringfence_tui.screens.rollout.model import Opening, PlanView, confirm_rows
from ringfence_tui.screens.rollout.numbers import Numbers
from ringfence_tui.screens.rollout.requests import AskDenials, Begin, MakePlan, Renew, Steer, WayBack
from ringfence_tui.screens.rollout.steering import abort_rows, back_rows
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.dialog import Confirmation
from ringfence_tui.widgets.lines import Lines


class RolloutScreen(BoardPage):
    """Shows the run that works; without one the newest plan, or at first the run that rolled it out."""

    KEYS = KEYS
    DEFAULT_CSS = """
    RolloutScreen #head { height: 3; }
    RolloutScreen #foot { height: 9; }
    RolloutScreen.plan #head, RolloutScreen.plan #foot { display: none; }
    RolloutScreen.log #foot { display: none; }
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.within = TIMES[0]
        self._wanted: object = None
        self._opened = False
        self._making = ""

    # What is shown

    def take(self, subject: object) -> None:
        """Show a run, a plan, or ask whether a host gets its table again."""
        self._wanted = subject

    def entered(self) -> None:
        """Show what was asked for, else the run that works, else what was shown, else the newest plan."""
        wanted, self._wanted = self._wanted, None
        self.say_unseen()
        if self._making:
            self.say(Span(self._making, Tone.DIM))
        if isinstance(wanted, RunSubject):
            self.show_run(wanted.run_id)
        elif isinstance(wanted, PlanSubject):
            self.work(self.show_plan(wanted.plan), "show")
        elif isinstance(wanted, Renew):
            self.work(self._confirmed_run(wanted.plan, limit=wanted.hosts, renew=True), "asked")
        elif not self.following and not self._making:
            self.work(self._open(), "show")

    async def _open(self) -> None:
        with self.waiting("reading plans and runs …"):
            opening = await self.engine.ask("rollout.opening", None, Opening)
        if opening.living:
            self.show_run(opening.living)
        elif not self._opened and opening.of_plan:
            self.plan = opening.plan
            self.show_run(opening.of_plan)
        elif not self._opened or self.shown is Shown.PLAN:
            self.plan = opening.plan
            self.turn_to(Shown.PLAN)
            self.show_diff(opening.why_no_plan)
        self._opened = True

    # What is done

    def action_make_plan(self) -> None:
        """Make a plan."""
        if self.may("make a plan"):
            self.work(self._make(MakePlan()), "make")

    def action_rebase(self) -> None:
        """Ask the hosts, then make a plan."""
        if self.may("make a plan"):
            self.work(self._make(MakePlan(rebase=True)), "make")

    def action_roll_back(self) -> None:
        """Make the plan that goes back."""
        plan = self.board.head.plan if self.board is not None else self.plan.digest if self.plan else ""
        if not self.may("make a plan") or not plan:
            return
        if self.board is not None and self.board.head.lives:
            self.work(self._roll_back(self.board.head), "asked")
            return
        self.work(self._make(MakePlan(back_from=plan)), "make")

    async def _roll_back(self, head: BoardHead) -> None:
        """Have the run end and be rolled back, after the one confirmation."""
        way = await self.engine.ask("rollout.way_back", head.run, WayBack)
        asked = Confirmation(
            f"Roll the run of plan {head.plan[:4]} back",
            back_rows(head, way.plan),
            plan=head.plan,
            does="end it and roll it back",
        )
        if not await self.confirm(asked):
            self.say("nothing was changed; the run goes on")
            return
        await self.engine.ask("rollout.roll_back", head.run, WayBack)
        self.say(f"the run is ending; then plan {way.plan[:4]} comes back, in a run of its own")

    async def _make(self, request: MakePlan) -> None:
        def hear(part: object) -> None:
            if isinstance(part, Progress):
                self._tell_making(f"making a plan: {part.text}")

        self._tell_making("making a plan")
        given = self.ringfence.passwords
        request = replace(request, become=given.become, vault=given.vault)
        try:
            self.plan = await self.engine.ask("rollout.make", request, PlanView, hear)
        finally:
            self._tell_making("")
        self.turn_to(Shown.PLAN)
        self.show_diff()
        self.query_one("#main", Lines).move_to(0)
        self.say(f"plan {self.plan.short} is made; ", Span("o", Tone.KEY), " rolls it out")

    def _tell_making(self, what: str) -> None:
        """Tell here, and in the top line of every screen, how far a plan is; an empty text: it is made."""
        self._making = what
        self.say(Span(what, Tone.DIM))
        self.post_message(JobsChanged("plan" if what else "", "plan"))

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
        self.show_run(run)

    def action_pause(self) -> None:
        """Hold before the next wave, or go on."""
        if self.may("steer a run") and (head := self._living()) is not None:
            self.work(self._steer(Steer(head.run, pause=not head.pause)), "steer")

    def action_abort(self) -> None:
        """End the run."""
        if self.may("steer a run") and (head := self._living()) is not None:
            self.work(self._abort(head), "asked")

    async def _abort(self, head: BoardHead) -> None:
        asked = Confirmation(f"Abort the run of plan {head.plan[:4]}", abort_rows(head), does="abort it")
        if await self.confirm(asked):
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

    def action_denied(self) -> None:
        """Ask hosts what they denied since they got the new table."""
        if self.board is not None:
            self.work(self._ask_denials(self.board.head.run), "numbers")

    async def _ask_denials(self, run: str) -> None:
        def hear(part: object) -> None:
            if isinstance(part, Progress):
                self.say(Span(part.text, Tone.DIM))

        given = self.ringfence.passwords
        self.say(Span("asking the hosts that confirmed what they denied since", Tone.DIM))
        request = AskDenials(run, given.become, given.vault)
        self.show_numbers(await self.engine.ask("rollout.denials", request, Numbers, hear))
        self.say()

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
