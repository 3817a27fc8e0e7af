"""The lab: raised, looked at, taken down."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from textual.app import ComposeResult

from ringfence_tui.changing_page import ChangingPage
from ringfence_tui.engine.client import EngineError
from ringfence_tui.keys import Key
from ringfence_tui.screens.lab.model import LabRequest, LabShown, rows
from ringfence_tui.screens.lab.raising import RaisingPage
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.dialog import Confirmation
from ringfence_tui.widgets.lines import Lines


class LabScreen(RaisingPage, ChangingPage):
    """Shows the hosts of the demo lab."""

    KEYS = (
        Key("u", "up", "raise", "Raise the demo lab on this machine", changes=True),
        Key("d", "down", "take down", "Take the demo lab down", changes=True),
        Key("escape", "out", "", "Stop raising the lab, or back"),
        Key("ctrl+r", "renew", "look again", "Look at the lab again"),
    )

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.shown: LabShown | None = None

    def body(self) -> ComposeResult:
        """Yield the hosts."""
        yield Lines(id="hosts")

    def entered(self) -> None:
        """Look."""
        self.show_hosts()
        self.work(self._take(self.engine.ask("lab.look", None, LabShown)), "look")

    def show_hosts(self) -> None:
        """Show the hosts."""
        self.query_one("#hosts", Lines).show(rows(self.shown))

    def action_renew(self) -> None:
        """Look again."""
        self.entered()

    def action_up(self) -> None:
        """Raise it."""
        if self.raising:
            self.say(Span("it is being raised; esc stops it", Tone.DIM))
        elif self.may("raise a lab"):
            self.work(self._up(), "lab")

    async def _up(self) -> None:
        if self.shown is not None and self.shown.hosts:
            again = (row("the lab that is up is removed first: ", Span(f"{len(self.shown.hosts)} hosts", Tone.STRONG)),)
            if not await self.confirm(Confirmation("Raise the lab anew", again, does="raise it")):
                return
        try:
            await self._take(self.raised(LabRequest()))
        except EngineError as error:
            self.shown = await self.engine.ask("lab.look", None, LabShown)
            self.show_hosts()
            self.say_error(error)
        else:
            self.say(Span("✓ ", Tone.GOOD), "the lab is up")

    def action_out(self) -> None:
        """Go back, or stop raising."""
        self.leave_or_stop()

    def leave(self) -> None:
        """Go back to the screen before."""
        self.app.run_worker(self.ringfence.action_back())

    def action_down(self) -> None:
        """Take it down."""
        if not self.raising and self.may("take a lab down") and self.shown is not None and self.shown.hosts:
            self.work(self._down(len(self.shown.hosts)), "lab")

    async def _down(self, count: int) -> None:
        what = (row(Span(f"{count} hosts", Tone.STRONG), " end, and everything on them is removed"),)
        if await self.confirm(Confirmation("Take the lab down", what, does="take it down")):
            self.say(Span("taking it down …", Tone.DIM))
            await self._take(self.engine.ask("lab.down", None, LabShown))
            self.say(Span("✓ ", Tone.GOOD), "the lab is down")

    async def _take(self, asked: Coroutine[Any, Any, LabShown]) -> None:
        self.shown = await asked
        self.show_hosts()

    def command(self) -> str:
        """Return the command."""
        return "ringfence lab status"
