"""A screen on which the lab is raised: escape asks whether to stop that, and nothing begins a second time beside it."""

from __future__ import annotations

from ringfence_tui.page import Page
from ringfence_tui.screens.lab.model import LabRequest, LabShown, Share, bar
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.dialog import Confirmation

STAYS = "another screen's number leaves it going on; its share is in the first line"


class RaisingPage(Page):
    """Raises the lab; `leave` is what escape does while none is raised."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.raising = False

    async def raised(self, request: LabRequest) -> LabShown:
        """Return the lab once it is up. Raise EngineError where it is not, also because it was stopped."""
        self.raising = True
        self.job("lab")
        try:
            return await self.engine.ask("lab.up", request, LabShown, self.hear)
        finally:
            self.raising = False
            self.job("")

    def hear(self, part: object) -> None:
        """Show how much is done."""
        if isinstance(part, Share):
            self.say(*bar(part), Span("   esc stops", Tone.DIM))
            self.job(f"lab {part.share:.0%}")

    def leave(self) -> None:
        """Go away from here."""

    def leave_or_stop(self) -> None:
        """Go away, or ask whether the lab that is being raised is to be stopped."""
        if self.raising:
            self.ringfence.key_order.hold()
            self.work(self._stop(), "stop")
        else:
            self.leave()

    async def _stop(self) -> None:
        rows = (row("what is up of it already is taken down again"), row(Span(STAYS, Tone.DIM)))
        if await self.confirm(Confirmation("Stop raising the lab", rows, does="stop it")) and self.raising:
            self.say(Span("stopping, and taking down what is up already …", Tone.DIM))
            await self.engine.ask("lab.stop", None, LabShown)
