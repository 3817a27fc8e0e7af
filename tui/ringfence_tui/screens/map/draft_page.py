"""The Map screen as far as it drafts: the sheet of a rule, its effect, into the draft and back, into the files."""

from __future__ import annotations

import asyncio

from ringfence.model.draft_effect import DraftEffect, FilledRule
from textual import on

from ringfence_tui.engine.client import EngineError
from ringfence_tui.page import Confirmation
from ringfence_tui.screens.map.answers import (
    CellRequest,
    DraftNote,
    Progress,
    RuleRequest,
    SheetRequest,
    Writing,
)
from ringfence_tui.screens.map.looking import LookingPage
from ringfence_tui.screens.map.names import how_many
from ringfence_tui.screens.map.picture_page import Ends
from ringfence_tui.screens.map.sheet import Sheet, sheet_of
from ringfence_tui.screens.map.sheet_box import MASKED, SheetBox
from ringfence_tui.spans import Span, Tone, rows

EFFECT_PAUSE = 0.06  # seconds that a sheet rests before its rule is judged


class DraftingPage(LookingPage):
    """Makes rules of cells."""

    def action_rule(self, action: str) -> None:
        """Open the sheet of a rule, filled from the cell."""
        ends = self.ends
        if self.answer is None or self.level is None:
            return
        if ends is None:
            self.say_no_ends("a rule")
            return
        detail = self._details.get(ends)
        sheet = sheet_of(action, *ends, detail.edge if detail is not None else self.edge, self.level.shown)
        title = f"{action.capitalize()}: {sheet.name}"
        self.ringfence.key_order.hold()
        self.app.delay_update(MASKED)
        self.mount(SheetBox(title, sheet, self.times.words))
        self.work(self._complete(action, ends), group="sheet")

    async def _complete(self, action: str, ends: Ends) -> None:
        """Ask for processes and files, then for the effect."""
        if self.level is None:
            return
        cell = CellRequest(self.level.shown, *ends, self.times.when)
        told = await self.engine.ask("map.sheet", SheetRequest(action, cell), FilledRule)
        for box in self.query(SheetBox):
            box.show(box.sheet.filled(told))
            await self._judge(box, box.sheet)

    @on(SheetBox.Changed)
    def sheet_changed(self, message: SheetBox.Changed) -> None:
        """Judge what the rule would do now; what was judged before is cancelled."""
        if type(message) is SheetBox.Changed:
            self.work(self._judge(message.box, message.sheet), group="effect")

    async def _judge(self, box: SheetBox, sheet: Sheet) -> None:
        await asyncio.sleep(EFFECT_PAUSE)
        if sheet.place is None:
            return
        if not sheet.complete:
            box.tell_foot("no service is chosen: space ticks one")
            return

        def hear(part: object) -> None:
            if isinstance(part, Progress):
                box.tell_foot(part)

        request = RuleRequest(sheet.rule(), sheet.place, self.times.when)
        try:
            effect = await self.engine.ask("map.effect", request, DraftEffect, hear)
        except EngineError as error:
            box.tell_foot(" ".join(part for part in (error.place, error.message) if part))
        else:
            box.tell_foot(effect)

    @on(SheetBox.Taken)
    def sheet_taken(self, message: SheetBox.Taken) -> None:
        """Take the rule into the draft, and the picture with it."""
        message.stop()
        self.work(self._take(message.box, message.sheet), group="draft")

    @on(SheetBox.Gone)
    def sheet_gone(self) -> None:
        """Judge no more."""
        self.workers.cancel_group(self, "sheet")
        self.workers.cancel_group(self, "effect")

    async def _take(self, box: SheetBox, sheet: Sheet) -> None:
        while sheet.place is None and box.is_attached:
            await asyncio.sleep(EFFECT_PAUSE)
            sheet = box.sheet
        if sheet.place is None:
            return
        try:
            request = RuleRequest(sheet.rule(), sheet.place, self.times.when)
            note = await self.engine.ask("map.take", request, DraftNote)
        except EngineError as error:
            box.tell_foot(" ".join(part for part in (error.place, error.message) if part))
            return
        self.sheet_gone()
        box.leave()
        self._drafted(note, "in the draft: ", sheet.name)

    def action_undo(self) -> None:
        """Take the last change of the draft back."""
        self.work(self._change("map.undo", "taken back"), group="draft")

    def action_redo(self) -> None:
        """Do again what was undone."""
        self.work(self._change("map.redo", "done again"), group="draft")

    async def _change(self, question: str, said: str) -> None:
        try:
            note = await self.engine.ask(question, self.shown_draft, DraftNote)
        except EngineError as error:
            await self.asked_anew(error)
        else:
            self._drafted(note, said)

    def action_write(self) -> None:
        """Write the draft into its files, once it was confirmed."""
        self.work(self._write(), group="draft")

    async def _write(self) -> None:
        writing = await self.engine.ask("map.writing", None, Writing)
        if not writing.files:
            self.say(Span("the draft is empty: there is nothing to write", Tone.DIM))
            return
        if self.query(SheetBox):
            return
        asked = Confirmation("Write the draft", rows(writing.lines), does="write")
        if await self.confirm(asked):
            try:
                note = await self.engine.ask("map.write", writing.version, DraftNote)
            except EngineError as error:
                await self.asked_anew(error)
                return
            self._drafted(note, "written: ", ", ".join(writing.files), then="6")

    def _drafted(self, note: DraftNote, *said: str, then: str = "") -> None:
        changes = f"  the draft has {how_many(note.changes, 'change')}" if note.changes else "  the draft is empty"
        after = (Span(f"  {then}", Tone.KEY), Span(" plans and rolls out", Tone.DIM)) if then else ()
        self.say(*said, Span(changes, Tone.DIM), *after)
        self.load()
