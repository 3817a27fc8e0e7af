"""The assets as a table: rows come as they are told, are found as one types, and can be marked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from textual import on

from ringfence_tui.changing_page import ChangingPage
from ringfence_tui.engine.client import EngineError
from ringfence_tui.screens.assets.filter_words import why_nothing
from ringfence_tui.screens.assets.model import (
    AssetRow,
    AssetsRequest,
    AssetTable,
    Begin,
    Chosen,
    Current,
    FilterRequest,
    Listed,
    Rows,
    Told,
    completions,
    engine_words,
)
from ringfence_tui.screens.assets.row_cells import cells_of, columns
from ringfence_tui.spans import Span, Tone
from ringfence_tui.widgets.caption import Caption
from ringfence_tui.widgets.field import Field
from ringfence_tui.widgets.listing import Listing
from ringfence_tui.widgets.table import Cells, Table

FILTER_AFTER = 0.06  # seconds after a key before the engine is asked what a filter means


class FindingPage(ChangingPage):
    """A table of all assets below a filter; `look` is called where the one at the cursor may be another."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.table = AssetTable()
        self.incoming: AssetTable | None = None
        self.expected = 0
        self.same: int | None = None  # how many of the rows that come are those that are shown; None: others come
        self.changed = False
        self.kept = False
        self.found: Sequence[int] = ()
        self.filter_text = ""
        self.chosen: frozenset[str] | None = None
        self.marked: set[str] = set()
        self.wanted = ""

    def look(self, *, flows: bool = False) -> None:
        """Tell of the asset at the cursor."""

    # The rows

    async def load(self) -> None:
        """Take the rows as they come."""
        self.changed = False
        try:
            done = await self.engine.ask("assets.everything", AssetsRequest(), Listed, self.take_part)
        except EngineError:
            if not self.table.rows:
                self.query_one("#filter-count", Caption).show(Span(f"{'not known':>29}", Tone.DIM))
            raise
        if self.changed or self.wanted:
            self.find()
        if done.wrong:
            self.say(Span("✗ ", Tone.BAD), done.wrong[0])

    def take_part(self, part: object) -> None:
        """Take a part of the rows, or what is told of them."""
        match part:
            case Begin(count, kept):
                self.expected, self.kept = count, kept
                alike = count == len(self.table.rows) and count > 0
                self.incoming, self.same = (None, 0) if alike else (AssetTable(), None)
                self._swap()
            case Rows(rows) if self.same is not None:
                self._compare(rows, self.same)
            case Rows(rows) if self.incoming is not None:
                self.incoming.add(rows)
                self._swap()
            case Current():
                self.kept = False
                self.show_count()
            case Told():
                changed = self.table.tell(part)
                self.changed = self.changed or bool(changed)
                self._repaint(changed)

    def _repaint(self, changed: set[int]) -> None:
        """Paint the rows anew that are seen and of which something else was told."""
        table = self.query_one("#assets", Table)
        top = table.window.top
        seen = range(top, min(len(self.found), top + table.window.height))
        table.repaint_items([place for place in seen if self.found[place] in changed])

    def _compare(self, rows: Sequence[AssetRow], place: int) -> None:
        """Keep what is shown as long as the rows that come are the same: nothing is painted twice."""
        until = place + len(rows)
        if self.table.rows[place:until] == list(rows):
            self.same = until
            return
        self.incoming, self.same = self.table.beginning(place), None
        self.incoming.add(rows)
        self._swap()

    def _swap(self) -> None:
        """Show what is coming: at once where nothing is shown yet, else when all of it is there."""
        incoming = self.incoming
        if incoming is None:
            return
        whole = len(incoming.rows) >= self.expected
        if whole or not self.table.rows or self.table is incoming:
            if self.table is not incoming:  # `found` counts the rows of the table before
                self.wanted = self.wanted or self.name_at_cursor()
                self.table, self.found = incoming, ()
            self.changed = True
            if whole:
                self.incoming = None
                self.query_one("#assets", Table).set_columns(columns(self.table.longest))
                self.find()
            elif not self.filter_text:
                self.found = range(len(incoming.rows))
                self.show_table()

    def find(self) -> None:
        """Find the rows that the filter means, and show them."""
        began = time.perf_counter()
        at = self.name_at_cursor() or self.wanted
        if self.filter_text.strip():
            self.found = self.table.find(self.filter_text, self.chosen)
        else:
            self.found = range(len(self.table.rows))
        spent = (time.perf_counter() - began) * 1000
        wanted, self.wanted = self.wanted or at, ""
        self.show_table(wanted, spent)

    def _say_found(self, offers: Sequence[str]) -> None:
        """Say how the filter may go on, or why it finds nothing."""
        if offers:
            self.say(Span(" tab ", Tone.KEY), Span("  ".join(offers), Tone.DIM))
        elif self.table.rows and not self.found and (why := why_nothing(self.filter_text, self.table)):
            self.say(Span(f" {why}", Tone.DIM))
        else:
            self.say()

    def show_table(self, at: str = "", spent: float | None = None) -> None:
        """Show the rows, with the cursor at a name where it is among them."""
        table = self.query_one("#assets", Table)
        rows = self.table.rows
        cursor = next((place for place, index in enumerate(self.found) if rows[index][0] == at), None) if at else None
        table.show(len(self.found), self.cells, cursor=cursor)
        self.show_count(spent)
        self.look()

    def cells(self, place: int) -> Cells:
        """Return a row's cells."""
        return cells_of(self.table, self.found[place], datetime.now(UTC))

    def is_marked(self, place: int) -> bool:
        """Return whether a row is marked."""
        return bool(self.marked) and self.table.rows[self.found[place]][0] in self.marked

    def name_at_cursor(self) -> str:
        """Return the name at the cursor, empty for none."""
        place = self.query_one("#assets", Table).cursor
        return self.table.rows[self.found[place]][0] if place < len(self.found) else ""

    # The filter

    @on(Field.Edited, "#filter")
    def edited(self, message: Field.Edited) -> None:
        """Find what is meant by what was typed."""
        self.filter_text = message.value
        offers = completions(self.table, message.value)[:8] if message.value.strip() else ()
        words = engine_words(message.value)
        if words:
            self._say_found(offers)
            self.work(self._choose(words), "filter")
            return
        self.chosen = None
        self.find()
        self._say_found(offers)

    async def _choose(self, words: tuple[str, ...]) -> None:
        await asyncio.sleep(FILTER_AFTER)
        try:
            self.chosen = (await self.engine.ask("assets.chosen", FilterRequest(words), Chosen)).names
        except EngineError as error:
            self.say(Span("… ", Tone.DIM), Span(error.message, Tone.DIM))
            return
        self.find()

    @on(Field.Left, "#filter")
    @on(Field.Entered, "#filter")
    def left_filter(self, _message: Field.Edited) -> None:
        """Go to the rows."""
        self._say_found(())
        self.set_focus(self.query_one("#assets", Table))

    def action_find(self) -> None:
        """Go to the filter."""
        self.set_focus(self.query_one("#filter", Field))

    def _set_filter(self, text: str) -> None:
        self.filter_text, self.chosen = text, None
        if self.is_mounted:
            field = self.query_one("#filter", Field)
            with field.prevent(Field.Changed):
                field.value = text
        self.find_later()

    def find_later(self) -> None:
        """Find where the screen is there already."""
        if self.is_mounted:
            self.find()

    # Marks

    @on(Listing.Marked, "#assets")
    def mark(self, message: Listing.Marked) -> None:
        """Mark a row, or take its mark away."""
        name = self.table.rows[self.found[message.index]][0]
        self.marked ^= {name}
        self.query_one("#assets", Table).repaint_items([message.index])
        self.show_count()

    def show_count(self, spent: float | None = None) -> None:
        """Show how many rows there are, how many the filter means and are marked, and what finding them took."""
        every, filtered = len(self.table.rows), bool(self.filter_text.strip())
        said = f"{len(self.found):,} of {every:,}" if filtered else f"{every:,}" if every else "reading …"
        if self.marked:
            said += f"   {len(self.marked):,} marked"
        elif filtered and spent is not None:
            said += f"   {spent:.0f} ms"
        elif self.kept:
            said += "   as last kept"
        self.query_one("#filter-count", Caption).show(Span(f"{said:>29}", Tone.DIM))

    def action_mark_all(self) -> None:
        """Mark all rows that are shown."""
        self.marked |= {self.table.rows[index][0] for index in self.found}
        self.query_one("#assets", Table).refresh()
        self.show_count()

    def action_unmark(self) -> None:
        """Take every mark away."""
        self.marked.clear()
        self.query_one("#assets", Table).refresh()
        self.show_count()
