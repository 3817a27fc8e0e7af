"""The Policy screen: files and rules, what each does, edited in place or in `$EDITOR`; the draft and its effect."""

from __future__ import annotations

import asyncio

from textual import on
from textual.app import ComposeResult

from ringfence_tui.changing_page import ChangingPage, unfocused
from ringfence_tui.keys import FIND, Key
from ringfence_tui.messages import RuleSubject
from ringfence_tui.page import Confirmation
from ringfence_tui.screens.map.answers import DraftNote, Writing
from ringfence_tui.screens.policy.completing import completions
from ringfence_tui.screens.policy.external import edited_outside
from ringfence_tui.screens.policy.model import (
    Change,
    EffectView,
    Fault,
    FileView,
    Item,
    Linted,
    PolicyView,
    RuleRow,
    Uses,
    Words,
    cells,
    check_rows,
    effect_rows,
    file_rows,
    head_row,
    items,
)
from ringfence_tui.screens.policy.requests import DropRequest, TextRequest
from ringfence_tui.spans import Row, Span, Tone, row, rows
from ringfence_tui.widgets.body import Beside
from ringfence_tui.widgets.caption import Caption, Line
from ringfence_tui.widgets.editor import Editor
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.listing import Listing
from ringfence_tui.widgets.prompt import Prompt
from ringfence_tui.widgets.table import Cells, Column, Table

LIVE_AFTER = 0.25  # seconds without a key after which an edited text is read
FOOT = 9
COLUMNS = (
    Column("", 1),
    Column("RULE", 20, grow=2),
    Column("FROM → TO", 22, grow=3),
    Column("FLOWS", 7, right=True, rank=1),
    Column("LAST", 6, rank=2),
    Column("NOTE", 12, grow=2),
)
EDITING = (
    Key("ctrl+s", "keep", "into the draft"),
    Key("tab", "complete", "complete"),
    Key("escape", "leave", "leave"),
)


class PolicyScreen(ChangingPage):
    """A table of files and rules above the file's lines and the draft's effect."""

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
    DEFAULT_CSS = """
    PolicyScreen #head { height: 1; }
    PolicyScreen #foot { height: 9; }
    PolicyScreen #effect { width: 36; }
    PolicyScreen #editor { display: none; }
    PolicyScreen.editing #rules { display: none; }
    PolicyScreen.editing #editor { display: block; }
    PolicyScreen.editing #effect { display: none; }
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self._begin()

    def _begin(self) -> None:
        self.view = PolicyView()
        self.items: tuple[Item, ...] = ()
        self.uses: Uses | None = None
        self.lint = Linted()
        self.effect: EffectView | None = None
        self.words = Words()
        self.wanted = ""
        self.editing: FileView | None = None
        self.live: tuple[Fault, ...] = ()
        self._checks = False
        self._find = ""

    def body(self) -> ComposeResult:
        """Yield the head, the rules or the editor, and the foot."""
        yield Caption(id="head")
        yield Table(COLUMNS, id="rules")
        yield Editor(lambda before: completions(before, self.words), id="editor")
        yield Line()
        with Beside(id="foot"):
            yield unfocused(Lines(id="file"))
            yield unfocused(Lines(id="effect"))

    def entered(self) -> None:
        """Read the files again."""
        if self.editing is None:
            self.work(self._load(), "files")

    def forget(self) -> None:
        """Begin anew: another workspace was opened."""
        self._begin()
        self.remove_class("editing")

    def take(self, subject: object) -> None:
        """Go to a rule, by its id or `file:line`."""
        if isinstance(subject, RuleSubject):
            self.wanted = subject.rule_id

    def command(self) -> str:
        """Return the command that says the same."""
        return "ringfence draft show" if self.view.changes else "ringfence check"

    def shown_keys(self) -> tuple[Key, ...]:
        """Return the keys of the editor while one edits."""
        keys = EDITING if self.editing is not None else super().shown_keys()
        return tuple(key for key in keys if not (key.action == "outside" and self.app.is_web))

    # Asking

    async def _load(self) -> None:
        self.view = await self.engine.ask("policy.files", None, PolicyView)
        self._show()
        if not self.words.services:
            self.words = await self.engine.ask("policy.words", None, Words)
        await asyncio.gather(self._ask_effect(), self._ask_uses(), self._ask_lint(), return_exceptions=True)

    async def _ask_effect(self) -> None:
        self.effect = await self.engine.ask("policy.effect", None, EffectView)
        self._show_head()

    async def _ask_uses(self) -> None:
        before, self.uses = self.uses, await self.engine.ask("policy.use", None, Uses)
        if self.uses != before:
            self._show()

    async def _ask_lint(self) -> None:
        before, self.lint = self.lint, await self.engine.ask("policy.lint", None, Linted)
        if self.lint != before:
            self._show()

    # Showing

    @property
    def item(self) -> Item | None:
        """Return what the cursor stands at."""
        cursor = self.query_one("#rules", Table).cursor
        return self.items[cursor] if cursor < len(self.items) else None

    def _show(self) -> None:
        self.items = items(self.view)
        table = self.query_one("#rules", Table)
        cursor = next((index for index, one in enumerate(self.items) if self.wanted and _is(one, self.wanted)), None)
        if cursor is not None:
            self.wanted = ""
        table.show(len(self.items), self._cells, cursor=cursor)
        self._show_head()

    def _show_head(self) -> None:
        self.query_one("#head", Caption).show(*head_row(self.view, self.effect or EffectView()))
        self._show_foot()

    def _cells(self, index: int) -> Cells:
        return cells(self.items[index], self.uses, self.lint, self.view.faults)

    def _show_foot(self) -> None:
        left: tuple[Row, ...]
        if self.editing is not None:
            left = self._editing_rows()
        elif self._checks:
            left = check_rows(self.effect, self.view.faults)
        else:
            left = file_rows(self.view, self.item, FOOT)
        self.query_one("#file", Lines).show(left)
        self.query_one("#effect", Lines).show(effect_rows(self.view, self.effect))

    def _editing_rows(self) -> tuple[Row, ...]:
        assert self.editing is not None
        editor = self.query_one("#editor", Editor)
        own = [fault for fault in self.live if fault.file == self.editing.file]
        here = [fault for fault in own if fault.line == editor.line]
        found: list[Row] = [row(Span(f" {self.editing.short}", Tone.STRONG), Span(f"  line {editor.line}", Tone.DIM))]
        offers = editor.offers()[:8]
        if offers:
            found.append(row(Span(" completes ", Tone.DIM), "  ".join(offers)))
        for fault in (*here, *(one for one in (*own, *self.live) if one not in here)):
            where = f"line {fault.line}" if fault.file == self.editing.file else f"{fault.file}:{fault.line}"
            line = row(Span(f" ✗ {where} ", Tone.BAD), fault.message, Span(f"  {fault.remedy}", Tone.DIM))
            if line not in found:
                found.append(line)
        if not self.live:
            found.append(row(Span(" ✓ ", Tone.GOOD), "the policy can be read"))
        return tuple(found[:FOOT])

    @on(Listing.Moved, "#rules")
    def _moved(self, _event: Listing.Moved) -> None:
        self._show_foot()

    @on(Listing.Chosen, "#rules")
    def _chosen(self, _event: Listing.Chosen) -> None:
        self.action_edit()

    # Editing

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
        self._show_foot()

    def _file(self, item: Item) -> FileView:
        return item if isinstance(item, FileView) else next(one for one in self.view.files if one.file == item.file)

    def _fault_line(self, file: FileView) -> int:
        return next((fault.line for fault in self.view.faults if fault.file == file.file), 1)

    @on(Editor.Edited)
    def _edited(self, message: Editor.Edited) -> None:
        if self.editing is not None:
            self._show_foot()
            self.work(self._read_live(TextRequest(self.editing.file, message.editor.text)), "live")

    async def _read_live(self, request: TextRequest) -> None:
        await asyncio.sleep(LIVE_AFTER)
        self.live = await self.engine.ask("policy.faults", request, tuple)
        if self.editing is not None:
            self._show_foot()

    @on(Editor.Kept)
    def _kept(self, message: Editor.Kept) -> None:
        if self.editing is not None:
            self.work(self._keep(self.editing, message.editor.text), "asked")

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

    async def _keep(self, file: FileView, text: str) -> None:
        await self.engine.ask("policy.keep", TextRequest(file.file, text, file.text), int)
        self._end_editing()
        self.say(Span("in the draft: ", Tone.GOOD), f"{file.file}; w writes it, u takes it back")
        self.effect = None
        await self._load()

    def _end_editing(self) -> None:
        self.editing, self.live = None, ()
        self.remove_class("editing")
        self.renew_keys()
        self.query_one("#rules", Table).focus()
        self._show_foot()

    def action_outside(self) -> None:
        """Edit the file in $EDITOR."""
        item = self.item
        if item is None or not self.may("change the draft") or self.app.is_web:
            return
        file = self._file(item)
        text, why = edited_outside(self.app, file.short, file.text, item.line if isinstance(item, RuleRow) else 1)
        if text is None:
            self.say(Span("✗ ", Tone.BAD), why)
        elif text == file.text:
            self.say("nothing was changed")
        else:
            self.work(self._keep(file, text), "asked")

    # The draft

    def action_drop(self) -> None:
        """Take the rule out."""
        item = self.item
        if isinstance(item, RuleRow) and item.change is not Change.DROPPED and self.may("change the draft"):
            self.work(self._change("policy.drop", DropRequest(item.file, item.line), f"dropped '{item.name}'"), "asked")

    async def _change(self, question: str, request: object, words: str) -> None:
        await self.engine.ask(question, request, object)
        self.say(words, Span("   u takes it back, w writes it", Tone.DIM))
        self.effect = None
        await self._load()

    def action_undo(self) -> None:
        """Take the last change back."""
        if self.may("change the draft"):
            self.work(self._change("map.undo", None, "taken back"), "asked")

    def action_redo(self) -> None:
        """Do it again."""
        if self.may("change the draft"):
            self.work(self._change("map.redo", None, "done again"), "asked")

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
            await self.engine.ask("map.write", None, DraftNote)
            self.say(Span("written: ", Tone.GOOD), ", ".join(writing.files), Span("   u takes it back", Tone.DIM))
            self.effect = None
            await self._load()

    # Elsewhere

    def action_checks(self) -> None:
        """Show tests and invariants, or the file again."""
        self._checks = not self._checks
        self._show_foot()

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


def _is(item: Item, wanted: str) -> bool:
    if isinstance(item, FileView):
        return item.file == wanted
    return (
        wanted == item.rule_id or wanted.startswith(f"{item.file}:{item.line}:") or wanted == f"{item.file}:{item.line}"
    )


def _text(item: Item) -> str:
    return item.short if isinstance(item, FileView) else f"{item.name} {item.ends} {item.services} {item.file}"
