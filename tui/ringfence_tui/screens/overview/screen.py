"""The overview: what there is, what decides, what to do next."""

from __future__ import annotations

from datetime import UTC, datetime

from textual import events, on
from textual.app import ComposeResult

from ringfence_tui.changing_page import ChangingPage
from ringfence_tui.engine.progress import Progress
from ringfence_tui.keys import Key
from ringfence_tui.screens import SCREENS
from ringfence_tui.screens.overview.model import Collected, CollectRequest, Done, Next, Overview, Part, taken
from ringfence_tui.screens.overview.next_steps import next_steps
from ringfence_tui.screens.overview.rows import rows
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.listing import Listing

FIRST = 2  # the line of the first thing to do


class OverviewScreen(ChangingPage):
    """Shows what is kept at once, and each part anew as the engine knows it."""

    KEYS = (
        Key("enter", "open", "open"),
        Key("t", "collect", "traffic", "Ask the hosts who talks to whom, and keep it", changes=True),
        Key("K", "passwords", "", "Give the passwords that Ansible needs"),
        Key("ctrl+r", "renew", "renew", "Ask for everything anew"),
    )
    AUTO_FOCUS = "#next"

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.overview = Overview()
        self.steps: tuple[Next, ...] = ()

    def body(self) -> ComposeResult:
        """Yield the summary and what to do next."""
        yield Lines(id="summary")
        yield Lines(id="next", selectable=True, tells_rest=True)

    def entered(self) -> None:
        """Ask."""
        self.show_parts()
        opened = self.ringfence.opened
        if opened is not None and opened.directory:
            self.work(self.load())

    def aged(self) -> None:
        """Say anew how long ago things were."""
        self.show_parts()

    def forget(self) -> None:
        """Forget the parts."""
        self.overview = Overview()

    async def load(self) -> None:
        """Take the parts as they come."""
        await self.engine.ask("overview.show", None, Done, self.take_part)
        self.take_part(Done())

    def take_part(self, part: Part) -> None:
        """Take a part."""
        self.overview = taken(self.overview, part)
        self.show_parts()

    def show_parts(self) -> None:
        """Show what is known."""
        width, height = self.app.size
        summary = rows(self.overview, datetime.now(UTC), width)
        names = [entry.name for entry in SCREENS]
        self.steps = next_steps(self.overview, names, read_only=self.read_only)
        room = max(1, min(len(summary), height - 6 - min(len(self.steps), 4)))
        shown, following = self.query_one("#summary", Lines), self.query_one("#next", Lines)
        if shown.styles.height is None or shown.styles.height.value != room:
            shown.styles.height = room
        shown.show(summary)
        head = row(Span(" NEXT", Tone.TITLE), Span(f"   {self.overview.on} …" if self.overview.on else "", Tone.DIM))
        listed = [row("   ", Span(step.key, Tone.KEY), f"  {step.text}") for step in self.steps]
        stood_first = following.cursor <= FIRST
        following.show([(), head, *listed], ("", "", *(step.key for step in self.steps)))
        if stood_first:  # nobody moved it: what comes first now is what to do first
            following.move_to(FIRST)

    @on(Listing.Chosen, "#next")
    def open_step(self, message: Listing.Chosen) -> None:
        """Do what the row says."""
        self._open(message.index - 2)

    def on_key(self, event: events.Key) -> None:
        """Do what has this key."""
        for number, step in enumerate(self.steps):
            if event.character == step.key:
                event.stop()
                self._open(number)
                return

    def on_resize(self, _event: events.Resize) -> None:
        """Lay out anew."""
        self.show_parts()

    def action_renew(self) -> None:
        """Ask again."""
        self.entered()

    def action_collect(self) -> None:
        """Ask the hosts who talks to whom."""
        if self.may("keep flows"):
            self.work(self._collect(), "collect")

    async def _collect(self) -> None:
        given = self.ringfence.passwords
        request = CollectRequest(become=given.become, vault=given.vault)
        self.job("traffic")
        try:
            done = await self.engine.ask("overview.collect", request, Collected, self.hear)
        finally:
            self.job("")
        self.entered()
        silent = f"; {len(done.silent)} said nothing: {done.silent[0][0]}: {done.silent[0][1]}" if done.silent else ""
        self.say(Span("✓ ", Tone.GOOD), f"{done.new:,} new observations", Span(silent, Tone.WARN))

    def hear(self, part: object) -> None:
        """Show what is worked on."""
        if isinstance(part, Progress):
            self.say(Span(f"{part.text} …", Tone.DIM))

    def asset_at_cursor(self) -> str:
        """Return the host that drifted, where the cursor is at the step about it and it is the only one."""
        number = self.query_one("#next", Lines).cursor - FIRST
        rollout = self.overview.rollout
        about = 0 <= number < len(self.steps) and self.steps[number].screen == "verify"
        drifted = rollout.drifted if rollout is not None and about else ()
        return drifted[0][0] if len(drifted) == 1 else ""

    def command(self) -> str:
        """Return the command that checks all this."""
        return "ringfence check"

    def _open(self, number: int) -> None:
        if 0 <= number < len(self.steps):
            step = self.steps[number]
            if step.action:
                self.action_collect()
            else:
                self.go(step.screen, step.subject)
