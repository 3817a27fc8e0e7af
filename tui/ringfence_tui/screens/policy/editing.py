"""The Policy screen as far as it edits: a file in place, with completion and live errors, or in `$EDITOR`."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from ringfence.text_editor import NOTHING, EditorFile
from textual import on

from ringfence_tui.engine.client import EngineError
from ringfence_tui.keys import Key
from ringfence_tui.page import Confirmation
from ringfence_tui.screens.policy.external import OutsideEdits
from ringfence_tui.screens.policy.model import Change, Fault, FileView, Item, RuleRow
from ringfence_tui.screens.policy.requests import TextRequest
from ringfence_tui.screens.policy.rules import FOOT, RulesPage
from ringfence_tui.spans import Row, Span, Tone, fitting, row
from ringfence_tui.widgets.editor import Editor
from ringfence_tui.widgets.folded import folded_rows
from ringfence_tui.widgets.listing import Listing
from ringfence_tui.widgets.table import Table
from ringfence_tui.widgets.text import offered

LIVE_AFTER = 0.25  # seconds without a key after which an edited text is read
EDITING = (
    Key("ctrl+s", "keep", "into the draft"),
    Key("tab", "complete", "complete"),
    Key("escape", "leave", "leave"),
)


class EditingPage(RulesPage):
    """Has an editor in the place of the rules while a file is edited."""

    DEFAULT_CSS: ClassVar[str] = """
    EditingPage #editor { display: none; }
    EditingPage.editing #rules { display: none; }
    EditingPage.editing #editor { display: block; }
    EditingPage.editing #effect { display: none; }
    """

    def begin(self) -> None:
        """Have nothing to show yet, and nothing to edit."""
        super().begin()
        self.editing: FileView | None = None
        self.live: tuple[Fault, ...] = ()
        self.outside = OutsideEdits()

    def entered(self) -> None:
        """Read the files again, unless one is edited."""
        if self.editing is None:
            super().entered()

    def forget(self) -> None:
        """Begin anew: another workspace was opened."""
        super().forget()
        self.remove_class("editing")

    def unsaved(self) -> str:
        """Return that a text was typed which is not in the draft yet."""
        if self.editing is None or self.query_one("#editor", Editor).text == self.editing.text:
            return ""
        return f"what was typed in {self.editing.file} is not in the draft yet (ctrl+s on Policy takes it there)"

    def shown_keys(self) -> tuple[Key, ...]:
        """Return the keys of the editor while one edits."""
        keys = EDITING if self.editing is not None else super().shown_keys()
        return tuple(key for key in keys if not (key.action == "outside" and self.app.is_web))

    def foot_rows(self) -> tuple[Row, ...]:
        """Return what is wrong in the text that is edited, else what stands below the rules."""
        return self._editing_rows() if self.editing is not None else super().foot_rows()

    def _editing_rows(self) -> tuple[Row, ...]:
        assert self.editing is not None
        editor = self.query_one("#editor", Editor)
        own = [fault for fault in self.live if fault.file == self.editing.file]
        here = [fault for fault in own if fault.line == editor.line]
        found: list[Row] = [row(Span(f" {self.editing.short}", Tone.STRONG), Span(f"  line {editor.line}", Tone.DIM))]
        offers = editor.offers()
        if offers:
            found.append(row(Span(" completes ", Tone.DIM), offered(offers)))
        for fault in dict.fromkeys((*here, *own, *self.live)):
            where = f"line {fault.line}" if fault.file == self.editing.file else f"{fault.file}:{fault.line}"
            found.append(row(Span(f" ✗ {where} ", Tone.BAD), fault.message, Span(f"  {fault.remedy}", Tone.DIM)))
        if not self.live:
            found.append(row(Span(" ✓ ", Tone.GOOD), "the policy can be read"))
        told = list(dict.fromkeys(found))
        seen = folded_rows(told[:FOOT], self.size.width)
        return fitting((*seen, *told[FOOT:]), FOOT, "ctrl+s, then t lists every error")

    @on(Listing.Chosen, "#rules")
    def _chosen(self, _event: Listing.Chosen) -> None:
        self.action_edit()

    def action_edit(self) -> None:
        """Edit the file here."""
        item = self.item
        if item is None or not self.may("change the draft"):
            return
        file = self._file(item)
        line = item.line if isinstance(item, RuleRow) and item.change is not Change.DROPPED else self._fault_line(file)
        if not self.query_one("#editor", Editor).begin(file.text, line):
            self.say(
                Span("! ", Tone.WARN), f"{file.file} has characters that are not shown here; E edits it in $EDITOR"
            )
            return
        self.editing, self.live = file, tuple(self.view.faults)
        self.add_class("editing")
        self.renew_keys()
        self.show_foot()

    def _file(self, item: Item) -> FileView:
        return item if isinstance(item, FileView) else next(one for one in self.view.files if one.file == item.file)

    def _fault_line(self, file: FileView) -> int:
        return next((fault.line for fault in self.view.faults if fault.file == file.file), 1)

    @on(Editor.Edited)
    def _edited(self, message: Editor.Edited) -> None:
        if self.editing is not None:
            self.show_foot()
            self.work(self._read_live(TextRequest(self.editing.file, message.editor.text)), "live")

    async def _read_live(self, request: TextRequest) -> None:
        await asyncio.sleep(LIVE_AFTER)
        self.live = await self.engine.ask("policy.faults", request, tuple)
        if self.editing is not None:
            self.show_foot()

    @on(Editor.Kept)
    def _kept(self, message: Editor.Kept) -> None:
        if self.editing is not None:
            self.work(self._keep(self.editing, message.editor.text, self.editing.text), "asked")

    @on(Editor.Left)
    def _leave(self, message: Editor.Left) -> None:
        if self.editing is None:
            return
        if message.editor.text == self.editing.text:
            self._end_editing()
        else:
            self.work(self._ask_leave(self.editing, message.editor.text), "asked")

    async def _ask_leave(self, file: FileView, text: str) -> None:
        said = (row(f"what was typed in {file.file} is not in the draft yet (ctrl+s takes it there)"),)
        if await self.confirm(Confirmation("leave the text", said, does="leave without it")):
            self._end_editing()

    async def _keep(self, file: FileView, text: str, before: str) -> None:
        await self.engine.ask("policy.keep", TextRequest(file.file, text, before), int)
        self._end_editing()
        self.say(Span("in the draft: ", Tone.GOOD), f"{file.file}; w writes it, u takes it back")
        self.effect = None
        await self.load()

    def _end_editing(self) -> None:
        self.editing, self.live = None, ()
        self.remove_class("editing")
        self.renew_keys()
        self.query_one("#rules", Table).focus()
        self.show_foot()

    def action_outside(self) -> None:
        """Edit the file in $EDITOR."""
        item = self.item
        if item is None or not self.may("change the draft") or self.app.is_web:
            return
        file = self._file(item)
        line = item.line if isinstance(item, RuleRow) else 1
        kept, text, why = self.outside.edited(self.app, file.file, file.text, line)
        if kept is None:
            self.say(*(() if why == NOTHING else (Span("! ", Tone.WARN),)), why, whole=True)
        else:
            self.work(self._keep_outside(file, kept, text), "asked")

    async def _keep_outside(self, file: FileView, kept: EditorFile, text: str) -> None:
        try:
            await self._keep(file, text, kept.before)
        except EngineError as error:
            remedy = f"{error.remedy}; what was saved is kept in {kept.path}".removeprefix("; ")
            raise EngineError(error.message, error.place, remedy, error.faults) from error
        self.outside.taken(file.file)
