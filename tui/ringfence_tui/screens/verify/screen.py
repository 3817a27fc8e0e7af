"""What hosts enforce beside what their plan says: read back, the worst first, with what ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from textual import on
from textual.app import ComposeResult
from textual.timer import Timer

from ringfence_tui.changing_page import ChangingPage, unfocused
from ringfence_tui.clock import clock, day_and_clock
from ringfence_tui.engine.client import EngineError
from ringfence_tui.engine.progress import Progress
from ringfence_tui.keys import Key
from ringfence_tui.messages import PairSubject, WorkspaceChanged
from ringfence_tui.screens.rollout.requests import Renew
from ringfence_tui.screens.verify.model import (
    TONES,
    Difference,
    Finding,
    ReadHost,
    VerifyRow,
    VerifyView,
    detail_rows,
    head_row,
    kept_rows,
)
from ringfence_tui.screens.verify.requests import Keep, Verify
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.dialog import Confirmation
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.listing import Listing
from ringfence_tui.widgets.table import Cells, Column, Table

AGAIN = Key("v", "verify", "verify", "Read all hosts back and compare them with their plan")
ONE = Key("V", "verify_one", "", "Read the host at the cursor back")
RENEW = Key("n", "renew", "renew", "Load the plan's table there again: asks for its first four digits", changes=True)
MAP = Key("m", "map", "map", "Show on the map who is let in")
KEEP = Key("e", "keep", "keep", "Make a rule of the draft that allows what is open at this host", changes=True)
STOP = Key("s", "stop", "", "Stop reading back; what was found stays")
PASSWORDS = Key("K", "passwords", "", "Give the passwords that Ansible needs")
# Seconds between two looks of hosts that are read back: a host a millisecond is no news to a person.
DRAWN = 0.1
COLUMNS = (
    Column("HOST", 16, grow=1),
    Column("STATE", 14),
    Column("WHAT DIFFERS", 30, grow=3),
    Column("SINCE", 10, rank=1),
)


class VerifyScreen(ChangingPage):
    """Shows what the last verify found until hosts are read back."""

    KEYS = (AGAIN, ONE, RENEW, KEEP, MAP, STOP, PASSWORDS)
    DEFAULT_CSS = """
    VerifyScreen #head { height: 1; }
    VerifyScreen #detail { height: 10; }
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.view = VerifyView()
        self._reading = False
        self._read: dict[str, ReadHost] = {}
        self._drawing: Timer | None = None

    def body(self) -> ComposeResult:
        """Yield the head, the hosts, and the detail of one."""
        yield unfocused(Lines(id="head"))
        yield Table(COLUMNS, id="hosts")
        yield unfocused(Lines(folds=4, id="detail"))

    def entered(self) -> None:
        """Show what is kept; what was read back here stays, and what is being read goes on."""
        self.say_unseen()
        if not self._reading and self.view.kept:
            self.work(self._load(), "verify")

    def asset_at_cursor(self) -> str:
        """Return the host at the cursor."""
        one = self._at_cursor()
        return one.host if one is not None else ""

    def command(self) -> str:
        """Return the command."""
        return f"ringfence verify {self.view.plan[:4]}".rstrip()

    async def _load(self) -> None:
        with self.waiting("reading what was kept …"):
            self._show(await self.engine.ask("verify.kept", None, VerifyView))

    def _show(self, view: VerifyView) -> None:
        self.view = view
        first, last = view.span
        now = datetime.now(UTC)
        when = day_and_clock(first, now) if view.kept else f"{clock(first)} to {clock(last)}"
        self.query_one("#head", Lines).show([head_row(view, when)])
        self.query_one("#hosts", Table).show(len(view.rows), self._cells, names=[one.host for one in view.rows])
        self._show_detail()

    def _cells(self, index: int) -> Cells:
        one = self.view.rows[index]
        since = day_and_clock(one.since, datetime.now(UTC)) if one.finding is not Finding.EQUAL else ""
        what = one.what if not one.earlier else f"not read yet; earlier: {one.what or one.word}"
        return (one.host, Span(f"{one.finding} {one.word}", TONES[one.finding]), what, since)

    def _at_cursor(self) -> VerifyRow | None:
        cursor = self.query_one("#hosts", Table).cursor
        return self.view.rows[cursor] if cursor < len(self.view.rows) else None

    def _show_detail(self) -> None:
        rule = (Span("─" * self.size.width, Tone.RULE),)
        warnings = tuple(row(Span(f" ! {one}", Tone.WARN)) for one in self.view.warnings)
        self.query_one("#detail", Lines).show_whole((rule, *detail_rows(self._at_cursor()), *warnings))

    @on(Listing.Moved, "#hosts")
    def _moved(self, event: Listing.Moved) -> None:
        self._show_detail()

    def action_verify(self) -> None:
        """Read all hosts back."""
        self.work(self._verify(Verify()), "verify")

    def action_verify_one(self) -> None:
        """Read one host back."""
        one = self._at_cursor()
        if one is not None:
            self.work(self._verify(Verify(self.view.plan, (one.host,))), "verify")

    async def _verify(self, request: Verify) -> None:
        def hear(part: object) -> None:
            if isinstance(part, ReadHost):
                self._read[part.row.host] = part
                if self._drawing is None:
                    self._drawing = self.set_timer(DRAWN, self._draw)
            elif isinstance(part, Progress):
                self.job(part.text)
                self.say(Span(part.text, Tone.DIM), Span("   s stops", Tone.DIM))

        given = self.ringfence.passwords
        self._reading, self._read = True, {}
        try:
            if self.view.rows:
                self._show(self.view.reading())
            self.say(Span("reading hosts back", Tone.DIM))
            asked = Verify(request.plan, request.limit, given.become, given.vault)
            view = await self.engine.ask("verify.run", asked, VerifyView, hear)
        except EngineError:
            self._show(replace(self.view.having(self._read), interrupted=True))
            raise
        finally:
            self._reading = False
            self.job("")
        self._show(view)
        self.say(f"{view.proven} of {len(view.rows)} hosts enforce exactly their plan")

    def _draw(self) -> None:
        """Show the hosts that were read since."""
        self._drawing = None
        if self._reading:
            self._show(self.view.having(self._read))

    def action_stop(self) -> None:
        """Stop reading, and show at once what was read until now."""
        if not self._reading:
            self.say("nothing is being read back")
            return
        self._reading = False
        self.workers.cancel_group(self, "verify")
        self._show(replace(self.view.having(self._read), kept=False, interrupted=True))
        self.say("stopped; what was read is kept, ", Span("v", Tone.KEY), " reads all hosts again")

    def action_renew(self) -> None:
        """Load the table again."""
        one = self._at_cursor()
        if self.may("load a table") and one is not None and self.view.plan:
            self.go("rollout", Renew(self.view.plan, (one.host,)))

    def action_keep(self) -> None:
        """Make a rule of the draft."""
        one = self._at_cursor()
        if not self.may("change the draft") or one is None:
            return
        found = next((difference for difference in one.differences if difference.can_be_kept), None)
        if found is None:
            self.say(
                "nothing here is what a rule could allow as it is"
                if one.differences
                else "V reads this host back first, so that what differs is known"
            )
            return
        self.work(self._keep(one.host, found), "asked")

    async def _keep(self, host: str, found: Difference) -> None:
        asked = Confirmation(f"Keep what is open at {host}", kept_rows(host, found), does="take it into the draft")
        if await self.confirm(asked):
            request = Keep(host, found.direction, found.family, found.remote, found.services)
            rule = await self.engine.ask("verify.keep", request, str)
            self.say(Span("in the draft: ", Tone.DIM), rule)
            self.post_message(WorkspaceChanged())

    def action_map(self) -> None:
        """Show who is let in."""
        one = self._at_cursor()
        if one is None:
            return
        opened = next((difference for difference in one.differences if difference.change == "open"), None)
        service = opened.services[0] if opened is not None and len(opened.services) == 1 else ""
        self.go("map", PairSubject("any", one.host, service))
