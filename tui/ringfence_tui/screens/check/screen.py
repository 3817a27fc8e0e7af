"""What is wrong in the files and the inventory, and where."""

from __future__ import annotations

from textual.app import ComposeResult

from ringfence_tui.keys import Key
from ringfence_tui.page import Page
from ringfence_tui.screens.check.model import Checked, rows
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.lines import Lines


class CheckScreen(Page):
    """Lists every problem with its place and its remedy."""

    KEYS = (Key("c,ctrl+r", "renew", "check again", "Read the files and check them again"),)

    def body(self) -> ComposeResult:
        """Yield the list."""
        yield Lines(folds=8, id="wrong")

    def entered(self) -> None:
        """Ask."""
        self.work(self.load())

    async def load(self) -> None:
        """Show what is found."""
        shown = self.query_one("#wrong", Lines)
        if not shown.rows:
            shown.show_whole([row(Span(" checking …", Tone.DIM))])
        shown.show_whole(rows(await self.engine.ask("check.everything", None, Checked)))

    def action_renew(self) -> None:
        """Check again."""
        self.entered()

    def command(self) -> str:
        """Return the command."""
        return "ringfence check"
