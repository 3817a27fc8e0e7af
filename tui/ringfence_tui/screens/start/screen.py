"""The first run: the choice, and a form for each way."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult

from ringfence_tui.keys import Key
from ringfence_tui.page import Page
from ringfence_tui.screens.lab.model import LabRequest
from ringfence_tui.screens.lab.raising import RaisingPage
from ringfence_tui.screens.start.model import FORMS, LETTERS, Begin, Begun, Way, about, choices, form_of, welcome
from ringfence_tui.spans import Span, Tone
from ringfence_tui.widgets.field import Field
from ringfence_tui.widgets.form import Ask, FieldForm
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.listing import Listing


class StartScreen(Page):
    """Chooses how to begin."""

    KEYS = (
        Key("enter", "open", "choose", "Take the way at the cursor, or open its workspace"),
        *(Key(form.key, f"begin('{form.way}')", "", form.title) for form in FORMS),
    )
    AUTO_FOCUS = "#ways"
    DEFAULT_CSS = "StartScreen #why { height: 6; }"

    def body(self) -> ComposeResult:
        """Yield why, and the ways."""
        yield Lines(id="why")
        yield Lines(id="ways", selectable=True)

    def entered(self) -> None:
        """Show the ways."""
        opened = self.ringfence.opened
        self.query_one("#why", Lines).show(welcome(opened.why if opened is not None else ""))
        self.query_one("#ways", Lines).show(choices(self.below))

    @property
    def below(self) -> tuple[str, ...]:
        """Return the workspaces right below."""
        return self.ringfence.opened.below if self.ringfence.opened is not None else ()

    @on(Listing.Chosen, "#ways")
    def chosen(self, message: Listing.Chosen) -> None:
        """Open the form, or the workspace."""
        self._take(message.index)

    def _take(self, index: int) -> None:
        if index < len(FORMS):
            self.action_begin(FORMS[index].way)
        else:
            self.work(self.ringfence.open_workspace(Path(self.below[index - len(FORMS)])))

    def on_key(self, event: events.Key) -> None:
        """Open the workspace of a letter."""
        ways = list(LETTERS[: len(self.below)])
        if event.character in ways:
            event.stop()
            self.work(self.ringfence.open_workspace(Path(self.below[ways.index(event.character)])))

    def action_begin(self, way: str) -> None:
        """Open the form of a way."""
        self.go(f"start_{way}")

    def action_open(self) -> None:
        """Do what enter does."""
        self._take(self.query_one("#ways", Lines).cursor)

    def command(self) -> str:
        """Return the command."""
        return "ringfence init"


class FormScreen(Page):
    """Asks for what a way needs, then begins."""

    WAY: ClassVar[Way]
    KEYS = (
        Key("enter", "begin", "next, begin"),
        Key("tab", "step(1)", "next field"),
        Key("shift+tab", "step(-1)", "", "To the field before"),
        Key("escape", "leave", "leave it"),
    )
    AUTO_FOCUS = "Field"
    DEFAULT_CSS = "FormScreen #about { height: 5; }"

    def body(self) -> ComposeResult:
        """Yield what it does, and the fields."""
        form = form_of(self.WAY)
        yield Lines(id="about")
        yield FieldForm([Ask(one.name, one.label, one.proposed, one.help) for one in form.asks])

    def entered(self) -> None:
        """Show what it does."""
        self.query_one("#about", Lines).show(about(form_of(self.WAY)))

    @on(FieldForm.Done)
    def done(self, message: FieldForm.Done) -> None:
        """Begin."""
        if isinstance(self, RaisingPage) and self.raising:
            return
        self.say(Span("raising hosts …" if self.WAY is Way.LAB else "writing …", Tone.DIM))
        self.work(self.begin(message.values))

    @on(Field.Left)
    def field_left(self, _message: Field.Left) -> None:
        """Go back to the choice."""
        self.leave_or_stop()

    def leave_or_stop(self) -> None:
        """Go back to the choice; where something is being begun, ask whether to stop that."""
        self.go("start")

    async def begin(self, values: dict[str, str]) -> None:
        """Begin, and open what was begun."""
        begun = await self.engine.ask("start.begin", Begin(self.WAY, values), Begun, lambda _: None)
        await self.ringfence.open_workspace(Path(begun.directory), begun.words())

    def action_step(self, by: int) -> None:
        """Go to the next field, or to the one before."""
        self.query_one(FieldForm).step(by)

    def action_leave(self) -> None:
        """Go back to the choice."""
        self.leave_or_stop()

    def command(self) -> str:
        """Return the command."""
        return "ringfence lab up" if self.WAY is Way.LAB else "ringfence init"


class LabForm(RaisingPage, FormScreen):
    """The demo lab."""

    WAY = Way.LAB
    DEFAULT_CSS = "LabForm #about { height: 5; }"  # Textual takes the styles of the first base class alone

    async def begin(self, values: dict[str, str]) -> None:
        """Raise the lab, write its workspace, and open that."""
        shown = await self.raised(LabRequest(values.get("directory", "").strip() or "."))
        await self.ringfence.open_workspace(Path(shown.directory))

    def leave(self) -> None:
        """Go back to the choice."""
        self.go("start")


class TakeOverForm(FormScreen):
    """An inventory that is there."""

    WAY = Way.TAKE_OVER


class NewForm(FormScreen):
    """A new workspace."""

    WAY = Way.NEW
