"""The Suggest screen: rules that the traffic suggests; taken into the draft as they are or edited, or rejected."""

from __future__ import annotations

from dataclasses import replace

from textual import on
from textual.app import ComposeResult

from ringfence_tui.changing_page import ChangingPage, unfocused
from ringfence_tui.engine.client import EngineError
from ringfence_tui.engine.progress import Progress
from ringfence_tui.keys import Key
from ringfence_tui.screens.policy.completing import completions
from ringfence_tui.screens.policy.model import Words
from ringfence_tui.screens.suggest.model import (
    Offer,
    Offers,
    RejectRequest,
    SuggestRequest,
    TakeRequest,
    cells,
    detail_rows,
    head_rows,
)
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.editor import Editor
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.listing import Listing
from ringfence_tui.widgets.prompt import Prompt
from ringfence_tui.widgets.table import Cells, Column, Table

COLUMNS = (
    Column("", 1),
    Column("SUGGESTED RULE", 20, grow=2),
    Column("FROM → TO", 18, grow=3),
    Column("SERVICES", 10, grow=1),
    Column("FLOWS", 6, right=True, rank=1),
    Column("BEYOND", 9, right=True),
    Column("", 8, rank=2),
)
EDITING = (
    Key("ctrl+s", "keep", "into the draft"),
    Key("tab", "complete", "complete"),
    Key("escape", "leave", "leave"),
)


class SuggestScreen(ChangingPage):
    """A table of suggestions above the one at the cursor, whole."""

    KEYS = (
        Key("a", "accept", "accept", "Take the rule into the draft", changes=True),
        Key("e", "edit", "edit", "Edit the rule, then take it into the draft", changes=True),
        Key("x", "reject", "reject", "Do not suggest it any more, with a reason", changes=True),
        Key("d", "dial", "dial", "Tighter or wider rules"),
        Key("o", "policy", "policy", "To the policy and its draft"),
        Key("u", "undo", "undo", "Take the last change of the draft back", changes=True),
        Key("s", "stop", "", "Stop looking for rules"),
    )
    DEFAULT_CSS = """
    SuggestScreen #head { height: 2; }
    SuggestScreen #detail { height: 12; }
    SuggestScreen #editor { display: none; height: 8; }
    SuggestScreen.editing #editor { display: block; }
    SuggestScreen.editing #detail { display: none; }
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.asked = SuggestRequest()
        self.view: Offers | None = None
        self.words = Words()
        self.editing: Offer | None = None

    def body(self) -> ComposeResult:
        """Yield the head, the suggestions, and one of them."""
        yield unfocused(Lines(id="head"))
        yield Table(COLUMNS, id="offers")
        yield unfocused(Lines(folds=3, id="detail"))
        yield Editor(lambda before: completions(before, self.words), id="editor")

    def entered(self) -> None:
        """Look for rules, as the files are now."""
        if self.editing is None:
            self.work(self._load(self.asked), "offers")

    def forget(self) -> None:
        """Begin anew: another workspace was opened."""
        self.asked, self.view, self.editing = SuggestRequest(), None, None
        self.remove_class("editing")

    def command(self) -> str:
        """Return the command that says the same."""
        return f"ringfence suggest --since {self.asked.since} --dial {self.asked.dial}"

    def shown_keys(self) -> tuple[Key, ...]:
        """Return the keys of the editor while one edits."""
        return EDITING if self.editing is not None else super().shown_keys()

    async def _load(self, request: SuggestRequest) -> None:
        heard = False

        def hear(part: object) -> None:
            nonlocal heard
            if isinstance(part, Progress):
                heard = True
                self.say(Span(part.text, Tone.DIM), Span("   s stops", Tone.DIM))
                self.job("suggests")

        try:
            with self.waiting("reading the files …"):
                view = await self.engine.ask("suggest.offers", request, Offers, hear)
        finally:
            if heard:
                self.job("")
                self.say()
        self.asked = request
        self._show(view)
        if not self.words.services:
            self.words = await self.engine.ask("policy.words", None, Words)

    def _show(self, view: Offers) -> None:
        self.view = view
        self.query_one("#head", Lines).show(head_rows(view))
        self.query_one("#offers", Table).show(len(view.offers), self._cells, names=[one.id for one in view.offers])
        self._show_detail()

    def _cells(self, index: int) -> Cells:
        assert self.view is not None
        return cells(self.view.offers[index])

    def _show_detail(self) -> None:
        if self.view is not None:
            rule = (Span("─" * self.size.width, Tone.RULE),)
            rows = detail_rows(self.view, self.query_one("#offers", Table).cursor)
            self.query_one("#detail", Lines).show_whole((rule, *rows))

    @on(Listing.Moved, "#offers")
    def _moved(self, _event: Listing.Moved) -> None:
        self._show_detail()

    @property
    def offer(self) -> Offer | None:
        """Return the suggestion at the cursor."""
        cursor = self.query_one("#offers", Table).cursor
        return self.view.offers[cursor] if self.view is not None and cursor < len(self.view.offers) else None

    # What keys do

    @on(Listing.Chosen, "#offers")
    def action_edit(self) -> None:
        """Edit the rule before it is taken."""
        one = self.offer
        if one is None or not self.may("change the draft"):
            return
        if not self.query_one("#editor", Editor).begin(one.text, 1):
            self.say(Span("! ", Tone.WARN), "the rule has characters that are not shown here; accept it, or reject it")
            return
        self.editing = one
        self.add_class("editing")
        self.renew_keys()
        self.say(f"'{one.name}', into {one.file}")

    @on(Editor.Kept)
    def _kept(self, message: Editor.Kept) -> None:
        if self.editing is not None:
            self.work(self._take(self.editing, message.editor.text), "asked")

    @on(Editor.Left)
    def _left_editor(self, _message: Editor.Left) -> None:
        self._end_editing()
        self.say()

    def _end_editing(self) -> None:
        self.editing = None
        self.remove_class("editing")
        self.renew_keys()
        self.query_one("#offers", Table).focus()

    def action_accept(self) -> None:
        """Take the rule as it is."""
        one = self.offer
        if one is None or not self.may("change the draft"):
            return
        if one.taken:
            self.say(Span("it is in the draft already; u takes it back", Tone.DIM))
        else:
            self.work(self._take(one, ""), "asked")

    async def _take(self, one: Offer, text: str) -> None:
        changes = await self.engine.ask("suggest.take", TakeRequest(self.asked, one.id, text), int)
        self._end_editing()
        await self._load(self.asked)
        self.say(Span("in the draft: ", Tone.GOOD), f"'{one.name}', which holds {changes}; Policy (4) shows its effect")

    def action_reject(self) -> None:
        """Reject it, with a reason."""
        one = self.offer
        if one is not None and self.may("reject a suggestion"):
            self.work(self._reject(one), "asked")

    async def _reject(self, one: Offer) -> None:
        rows = (row(f"'{one.name}' goes into suggestions.yml and is not suggested any more; why?"),)
        asked = Prompt("reject", rows, does="reject")
        because = await self.answered(asked)
        if because is None:
            return
        name = await self.engine.ask("suggest.reject", RejectRequest(self.asked, one.id, because), str)
        await self._load(self.asked)
        self.say(Span("rejected: ", Tone.WARN), f"'{name}', in suggestions.yml: commit it")

    def action_dial(self) -> None:
        """Look for tighter or wider rules."""
        self.work(self._load(replace(self.asked, dial=self.asked.other)), "offers")

    def action_undo(self) -> None:
        """Take the last change of the draft back."""
        if self.may("change the draft"):
            self.work(self._undo(), "asked")

    async def _undo(self) -> None:
        try:
            await self.engine.ask("map.undo", self.view.draft if self.view is not None else None, object)
        except EngineError as error:
            await self._load(self.asked)
            self.say_error(error)
        else:
            await self._load(self.asked)
            self.say("taken back")

    def action_policy(self) -> None:
        """Go to the policy."""
        self.go("policy")

    def action_stop(self) -> None:
        """Stop looking; what is shown stays."""
        self.workers.cancel_group(self, "offers")
        self.say("stopped")
