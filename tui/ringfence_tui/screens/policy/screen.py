"""The Policy screen: files and rules, what each does, edited in place or in `$EDITOR`; the draft and its effect."""

from __future__ import annotations

from ringfence_tui.engine.client import EngineError
from ringfence_tui.keys import FIND, Key
from ringfence_tui.messages import RuleSubject
from ringfence_tui.page import Confirmation
from ringfence_tui.screens.map.answers import DraftNote, Writing
from ringfence_tui.screens.policy.editing import EditingPage
from ringfence_tui.screens.policy.model import Change, FileView, Item, RuleRow
from ringfence_tui.screens.policy.requests import DropRequest
from ringfence_tui.spans import Span, Tone, rows
from ringfence_tui.widgets.prompt import Prompt
from ringfence_tui.widgets.table import Table


class PolicyScreen(EditingPage):
    """Shows, edits, and does with the draft what keys say."""

    JUDGES = True
    KEYS = (
        Key("e", "edit", "edit", "Edit the file here, with completion and errors as one types", changes=True),
        Key("E", "outside", "$EDITOR", "Edit the file in $EDITOR; it goes into the draft", changes=True, lends=True),
        Key("w", "write", "write", "Write the draft into its files", changes=True),
        Key("u", "undo", "undo", "Take the last change of the draft back", changes=True),
        Key("x", "drop", "drop rule", "Take the rule out, in the draft", changes=True),
        Key("t", "checks", "tests", "Errors, tests and invariants with their counterexamples; and back"),
        Key("s", "simulate", "simulate", "What the rule decides of the flows that were seen"),
        Key("p", "plan", "plan", "To the rollout"),
        FIND,
        Key("n", "next", "", "The next rule that was looked for"),
        Key("S", "suggest", "suggestions", "Rules that the traffic suggests"),
        Key("ctrl+r", "redo", "", "Do again what was undone", changes=True),
    )

    def begin(self) -> None:
        """Have nothing to show yet, and look for nothing."""
        super().begin()
        self._find = ""

    # The draft

    def action_drop(self) -> None:
        """Take the rule out."""
        item = self.item
        if isinstance(item, RuleRow) and item.change is not Change.DROPPED and self.may("change the draft"):
            self.work(self._change("policy.drop", DropRequest(item.file, item.line), f"dropped '{item.name}'"), "asked")

    async def _change(
        self, question: str, request: object, words: str, more: str = "u takes it back, w writes it"
    ) -> None:
        try:
            await self.engine.ask(question, request, object)
        except EngineError as error:
            await self.asked_anew(error)
            return
        self.say(words, Span(f"   {more}", Tone.DIM))
        await self.draft_changed()

    def action_undo(self) -> None:
        """Take the last change back."""
        if self.may("change the draft"):
            self.work(self._change("map.undo", self.shown_draft, "taken back", "ctrl+r does it again"), "asked")

    def action_redo(self) -> None:
        """Do it again."""
        if self.may("change the draft"):
            self.work(self._change("map.redo", self.shown_draft, "done again"), "asked")

    def action_write(self) -> None:
        """Write the draft."""
        if self.may("write policy files"):
            self.work(self._write(), "asked")

    async def _write(self) -> None:
        writing = await self.engine.ask("map.writing", None, Writing)
        if not writing.files:
            self.say(Span("the draft changes nothing", Tone.DIM))
            return
        if await self.confirm(Confirmation("write the draft", rows(writing.lines), does="write")):
            try:
                await self.engine.ask("map.write", writing.version, DraftNote)
            except EngineError as error:
                await self.asked_anew(error)
                return
            self.say(Span("written: ", Tone.GOOD), ", ".join(writing.files), Span("   u takes it back", Tone.DIM))
            await self.draft_changed()

    # Elsewhere

    def action_checks(self) -> None:
        """Show tests and invariants, or the file again."""
        self.checks = not self.checks
        self.show_foot()

    def action_simulate(self) -> None:
        """Show what the rule decides."""
        item = self.item
        if isinstance(item, RuleRow) and not item.rule_id:
            self.say(Span("the rule is in the draft only: its effect stands at the right", Tone.DIM))
            return
        self.go("simulate", RuleSubject(item.rule_id) if isinstance(item, RuleRow) else None)

    def action_plan(self) -> None:
        """Go to the rollout."""
        if self.view.changes:
            self.say(Span("the draft is not in its files yet: w writes it", Tone.WARN))
        else:
            self.go("rollout")

    def action_suggest(self) -> None:
        """Go to the suggestions."""
        self.go("suggest")

    def action_find(self) -> None:
        """Find a rule."""
        self.work(self._ask_find(), "find")

    async def _ask_find(self) -> None:
        names = sorted({one.name for one in self.items if isinstance(one, RuleRow)})
        asked = Prompt("find", (), self._find, lambda text: [one for one in names if text and text in one])
        answer = await self.answered(asked)
        if answer:
            self._find = answer
            self.action_next()

    def action_next(self) -> None:
        """Go to the next row with the words that were looked for."""
        table = self.query_one("#rules", Table)
        count = len(self.items)
        for step in range(1, count + 1):
            index = (table.cursor + step) % count
            if self._find and self._find.casefold() in _text(self.items[index]).casefold():
                table.move_to(index)
                return
        self.say(Span(f"nothing has '{self._find}'", Tone.DIM))


def _text(item: Item) -> str:
    return item.short if isinstance(item, FileView) else f"{item.name} {item.ends} {item.services} {item.file}"
