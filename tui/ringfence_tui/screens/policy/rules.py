"""The Policy screen as far as it only shows: files and rules, what each does, and the effect of the draft."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from ringfence_tui.changing_page import ChangingPage, unfocused
from ringfence_tui.engine.client import EngineError
from ringfence_tui.messages import RuleSubject
from ringfence_tui.screens.map.shared_draft import SharedDraftPage
from ringfence_tui.screens.policy.completing import completions
from ringfence_tui.screens.policy.model import (
    EffectView,
    FileView,
    Item,
    Linted,
    PolicyView,
    Uses,
    Words,
    cells,
    check_rows,
    effect_rows,
    file_rows,
    head_row,
    items,
)
from ringfence_tui.spans import Row
from ringfence_tui.widgets.body import Beside
from ringfence_tui.widgets.caption import Caption, Line
from ringfence_tui.widgets.editor import Editor
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.listing import Listing
from ringfence_tui.widgets.table import Cells, Column, Table

FOOT = 9
COLUMNS = (
    Column("", 1),
    Column("RULE", 20, grow=2),
    Column("FROM → TO", 22, grow=3),
    Column("FLOWS", 7, right=True, rank=1),
    Column("LAST", 6, rank=2),
    Column("NOTE", 12, grow=2),
)


class RulesPage(SharedDraftPage, ChangingPage):
    """A table of files and rules above the file's lines and the draft's effect."""

    DEFAULT_CSS: ClassVar[str] = """
    RulesPage #head { height: 1; }
    RulesPage #foot { height: 9; }
    RulesPage #effect { width: 36; }
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.begin()

    def begin(self) -> None:
        """Have nothing to show yet."""
        self.view = PolicyView()
        self.items: tuple[Item, ...] = ()
        self.uses: Uses | None = None
        self.lint = Linted()
        self.effect: EffectView | None = None
        self.words = Words()
        self.wanted = ""
        self.checks = False

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
        self.work(self.load(), "files")

    def forget(self) -> None:
        """Begin anew: another workspace was opened."""
        self.begin()

    def take(self, subject: object) -> None:
        """Go to a rule, by its id or `file:line`."""
        if isinstance(subject, RuleSubject):
            self.wanted = subject.rule_id

    def command(self) -> str:
        """Return the command that says the same."""
        return "ringfence draft show" if self.view.changes else "ringfence check"

    async def draft_changed(self) -> None:
        """Show the draft as it is now."""
        self.effect = None
        await self.load()

    async def load(self) -> None:
        """Ask for the files, then for what completes, the effect, and what rules do."""
        with self.waiting("reading the files …"):
            self.view = await self.engine.ask("policy.files", None, PolicyView)
        self._show()
        self.draft_shown(self.view.version, self.view.damaged)
        if not self.words.services:
            self.words = await self.engine.ask("policy.words", None, Words)
        await asyncio.gather(self._ask_effect(), self._ask_uses(), self._ask_lint(), return_exceptions=True)

    async def _ask_effect(self) -> None:
        self.effect = await self.engine.ask("policy.effect", None, EffectView)
        self._show_head()

    async def _ask_uses(self) -> None:
        before = self.uses
        try:
            self.uses = await self.engine.ask("policy.use", None, Uses)
        except EngineError:
            self.uses = Uses(known=False)
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

    def aged(self) -> None:
        """Say anew how long ago the rules were used."""
        self.query_one("#rules", Table).show(len(self.items), self._cells, names=[one.named for one in self.items])

    def _show(self) -> None:
        self.items = items(self.view)
        table = self.query_one("#rules", Table)
        cursor = next((index for index, one in enumerate(self.items) if self.wanted and _is(one, self.wanted)), None)
        if cursor is not None:
            self.wanted = ""
        table.show(len(self.items), self._cells, cursor=cursor, names=[one.named for one in self.items])
        self._show_head()

    def _show_head(self) -> None:
        self.query_one("#head", Caption).show(*head_row(self.view, self.effect or EffectView()))
        self.show_foot()

    def _cells(self, index: int) -> Cells:
        return cells(self.items[index], self.uses, self.lint, self.view.faults)

    def show_foot(self) -> None:
        """Show what stands below the rules."""
        self.query_one("#file", Lines).show(self.foot_rows())
        self.query_one("#effect", Lines).show(effect_rows(self.view, self.effect))

    def foot_rows(self) -> tuple[Row, ...]:
        """Return what stands below the rules: the file around the cursor, or what the checks say."""
        if self.checks:
            return check_rows(self.effect, self.view.faults)
        return file_rows(self.view, self.item, FOOT)

    @on(Listing.Moved, "#rules")
    def _moved(self, _event: Listing.Moved) -> None:
        self.show_foot()


def _is(item: Item, wanted: str) -> bool:
    if isinstance(item, FileView):
        return item.file == wanted
    return (
        wanted == item.rule_id or wanted.startswith(f"{item.file}:{item.line}:") or wanted == f"{item.file}:{item.line}"
    )
