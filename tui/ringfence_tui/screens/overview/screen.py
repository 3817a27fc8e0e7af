"""The overview."""

from __future__ import annotations

from textual.app import ComposeResult

from ringfence_tui.page import Page
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.lines import Lines


class OverviewScreen(Page):
    """Shows the whole at once."""

    def body(self) -> ComposeResult:
        """Yield the summary."""
        yield Lines(id="summary")

    def entered(self) -> None:
        """Show what is known."""
        self.query_one("#summary", Lines).show([row(Span(" OVERVIEW", Tone.TITLE))])

    def command(self) -> str:
        """Return the command."""
        return "ringfence check"
