"""The Simulate screen: what the files would do to flows that were seen, the worst first, down to the single flow."""

from __future__ import annotations

from dataclasses import replace

from ringfence.wire.first_few import first_few
from textual import on
from textual.app import ComposeResult

from ringfence_tui.changing_page import unfocused
from ringfence_tui.engine.progress import Progress
from ringfence_tui.keys import Key
from ringfence_tui.messages import PairSubject, RuleSubject
from ringfence_tui.page import Page
from ringfence_tui.screens.simulate.model import (
    SINCE,
    By,
    SimulateRequest,
    SimulateView,
    Step,
    count_cells,
    detail_rows,
    flow_cells,
    head_rows,
    note_row,
)
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.listing import Listing
from ringfence_tui.widgets.prompt import Prompt
from ringfence_tui.widgets.table import Cells, Column, Table

NOTES = 3  # that the notice has

COUNTS = (
    Column("", 1),
    Column("", 20, grow=1),
    Column("x DENIED", 8, right=True),
    Column("+ NEW", 7, right=True),
    Column("! WOULD", 7, right=True),
    Column("still x", 7, right=True, rank=1),
    Column("still +", 8, right=True, rank=1),
)
FLOWS = (
    Column("", 1),
    Column("FROM", 14, grow=2),
    Column("TO", 14, grow=2),
    Column("SERVICE", 10),
    Column("CONN", 9, right=True),
    Column("VERDICT", 14, grow=1),
)


class SimulateScreen(Page):
    """Rows of counts that enter goes into, and single flows."""

    JUDGES = True
    KEYS = (
        Key("enter", "choose", "into", "What a row is made of; of a flow, why"),
        Key("b", "by(1)", "by", "Other rows: category, rule, ruleset, label pair, asset, flow"),
        Key("B", "by(-1)", "", "Rows of the kind before"),
        Key("f", "flows", "flows", "The single flows of the row"),
        Key("c", "against", "against", "Compare with a commit, or with what hosts hold"),
        Key("t", "time", "time", "A longer time"),
        Key("e", "explain", "explain", "Why this flow is allowed or denied"),
        Key("m", "map", "map", "Show the ends of this flow on the map"),
        Key("o", "rule", "", "Open the rule in Policy"),
        Key("r", "renew", "renew", "Judge the flows again"),
        Key("s", "stop", "", "Stop judging"),
        Key("escape", "out", "", "Out of a row, or back"),
    )
    DEFAULT_CSS = """
    SimulateScreen #head { height: 3; }
    SimulateScreen #detail { height: 7; }
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.asked = SimulateRequest()
        self.view: SimulateView | None = None
        self._cursors: dict[tuple[By, tuple[Step, ...]], int] = {}
        self._judging = False

    def body(self) -> ComposeResult:
        """Yield what is said of all, the rows, and what is said of one."""
        yield unfocused(Lines(id="head"))
        yield Table(COUNTS, id="rows")
        yield unfocused(Lines(folds=3, id="detail"))

    def entered(self) -> None:
        """Show the same rows of the files as they are now."""
        self._ask(self.asked)

    def forget(self) -> None:
        """Begin with all flows of another workspace."""
        self.asked, self.view = SimulateRequest(), None
        self._cursors.clear()

    def take(self, subject: object) -> None:
        """Show what a rule decides."""
        if isinstance(subject, RuleSubject):
            self.asked = SimulateRequest(
                By.PAIR, (Step(By.RULE, subject.rule_id, subject.rule_id),), self.asked.since, self.asked.against
            )

    def command(self) -> str:
        """Return the command that says the same."""
        return self.asked.command()

    def _ask(self, request: SimulateRequest) -> None:
        if self.view is not None:
            self._cursors[self.view.request.by, self.view.request.steps] = self.query_one("#rows", Table).cursor
        self.work(self._load(request), "rows")

    async def _load(self, request: SimulateRequest) -> None:
        def hear(part: object) -> None:
            if isinstance(part, Progress):
                self._judging = True
                self.say(Span(part.text, Tone.DIM), Span("   s stops", Tone.DIM))
                self.job("simulates")

        self.say()
        try:
            with self.waiting("reading the files …"):
                view = await self.engine.ask("simulate.rows", request, SimulateView, hear)
        finally:
            if self._judging:
                self._judging = False
                self.job("")
        self.asked = replace(request, anew=False)
        self._show(view)

    def _show(self, view: SimulateView) -> None:
        table = self.query_one("#rows", Table)
        before, self.view = self.view, view
        flows = view.request.by is By.FLOW
        if before is None or (before.request.by is By.FLOW) != flows or not before.count:
            table.set_columns(FLOWS if flows else COUNTS)
        same = before is not None and (before.request.by, before.request.steps) == (view.request.by, view.request.steps)
        known = None if same else self._cursors.get((view.request.by, view.request.steps), 0)
        table.show(view.count, self._cells, cursor=known, names=view.names)
        self.query_one("#head", Lines).show(head_rows(view))
        self._show_detail()
        if view.notes:
            more = len(view.notes) > NOTES
            way = Span("  → the command says all: y", Tone.DIM) if more else ""
            self.say(Span("! ", Tone.WARN), first_few(view.notes, NOTES, "; "), way, whole=True)
        else:
            self.say()

    def _cells(self, index: int) -> Cells:
        assert self.view is not None
        if self.view.request.by is By.FLOW:
            return flow_cells(self.view.flows[index])
        return count_cells(self.view.rows[index])

    def _show_detail(self) -> None:
        if self.view is not None:
            rule = (Span("─" * self.size.width, Tone.RULE),)
            rows = detail_rows(self.view, self.query_one("#rows", Table).cursor)
            self.query_one("#detail", Lines).show_whole((rule, *rows, note_row(self.view)))

    @on(Listing.Moved, "#rows")
    def _moved(self, _event: Listing.Moved) -> None:
        self._show_detail()

    @on(Listing.Chosen, "#rows")
    def _chosen(self, _event: Listing.Chosen) -> None:
        step = self._step()
        if self.view is not None and self.view.request.by is By.FLOW:
            self.action_explain()
        elif step is not None:
            self._ask(self.asked.into(step))

    def _step(self) -> Step | None:
        cursor = self.query_one("#rows", Table).cursor
        if self.view is None or self.view.request.by is By.FLOW or cursor >= len(self.view.rows):
            return None
        return self.view.rows[cursor].step

    def asset_at_cursor(self) -> str:
        """Return the client of the flow, the asset, or the client's labels of the label pair at the cursor."""
        if (pair := self.pair_at_cursor()) is not None:
            return pair[0]
        step = self._step()
        if step is not None and step.by is By.ASSET:
            return step.key
        found = step.ends[0] if step is not None and step.by is By.PAIR and step.labels[0] else ""
        return found.replace(",", " ")

    def pair_at_cursor(self) -> tuple[str, str, str] | None:
        """Return the flow at the cursor."""
        cursor = self.query_one("#rows", Table).cursor
        if self.view is None or cursor >= len(self.view.flows):
            return None
        flow = self.view.flows[cursor]
        return flow.client, flow.server, flow.service

    def _pair(self) -> PairSubject | None:
        pair = self.pair_at_cursor()
        if pair is None:
            self.say(Span("f shows the single flows of a row", Tone.DIM))
            return None
        return PairSubject(*pair)

    # What keys do

    def action_by(self, by: int) -> None:
        """Show other rows of the same flows."""
        self._ask(self.asked.other(by))

    def action_flows(self) -> None:
        """Show the flows of the row at the cursor."""
        step = self._step()
        if step is not None:
            self._ask(replace(self.asked.into(step), by=By.FLOW))

    def action_out(self) -> None:
        """Go out of a row; from all flows, back to the screen before."""
        request = self.asked.out()
        if request is not None:
            self._ask(request)
        else:
            self.app.run_worker(self.ringfence.action_back())

    def action_time(self) -> None:
        """Take a longer time."""
        self._ask(replace(self.asked, since=SINCE[(SINCE.index(self.asked.since) + 1) % len(SINCE)]))

    def action_renew(self) -> None:
        """Judge again."""
        self._ask(replace(self.asked, anew=True))

    def action_stop(self) -> None:
        """Stop judging; what is shown stays."""
        if self._judging:
            self.workers.cancel_group(self, "rows")
            self.say("stopped")

    def action_against(self) -> None:
        """Compare with something else."""
        self.work(self._ask_against(), "against")

    async def _ask_against(self) -> None:
        rows = (row("a commit, branch or tag; nothing for what hosts hold"),)
        asked = Prompt("compare the files with", rows, self.asked.against, lambda _text: ("HEAD", "HEAD~1"))
        answer = await self.answered(asked)
        if answer is not None and answer.strip() != self.asked.against:
            self._ask(replace(self.asked, against=answer.strip()))

    def action_explain(self) -> None:
        """Explain the flow."""
        pair = self._pair()
        if pair is not None:
            self.go("explain", pair)

    def action_map(self) -> None:
        """Show its ends on the map."""
        pair = self._pair()
        if pair is not None:
            self.go("map", pair)

    def action_rule(self) -> None:
        """Open the rule of the row, or of the steps."""
        steps = (*self.asked.steps, *((self._step(),) if self._step() is not None else ()))
        rule = next((one.key for one in reversed(steps) if one is not None and one.by is By.RULE), "")
        if rule:
            self.go("policy", RuleSubject(rule))
