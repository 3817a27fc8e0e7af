"""The assets: rows that are found as one types, the one at the cursor told of, marked ones labelled, all discovered."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from textual import on
from textual.app import ComposeResult

from ringfence_tui.ages import age
from ringfence_tui.changing_page import ChangingPage
from ringfence_tui.engine.client import EngineError
from ringfence_tui.engine.progress import Progress
from ringfence_tui.keys import FIND, MARK, Key
from ringfence_tui.messages import AssetsSubject, AssetSubject, PairSubject, WorkspaceChanged
from ringfence_tui.screens.assets.detail import (
    AssetDetail,
    AssetFlows,
    DetailRequest,
    DiscoverRequest,
    Discovery,
    LabelRequest,
    Preview,
    Written,
    detail_rows,
    discovery_rows,
    preview_rows,
)
from ringfence_tui.screens.assets.model import (
    LABEL_COLUMNS,
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
from ringfence_tui.screens.overview.model import short
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.body import Beside
from ringfence_tui.widgets.caption import Caption, Line
from ringfence_tui.widgets.dialog import Confirmation
from ringfence_tui.widgets.field import Field
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.listing import Listing
from ringfence_tui.widgets.prompt import Prompt
from ringfence_tui.widgets.table import Cells, Column, Table

LEAST_NAME, MOST_NAME = 12, 30


def columns(longest: int) -> tuple[Column, ...]:
    """Return the columns for names of at most so many cells."""
    return (
        Column("NAME", max(LEAST_NAME, min(longest, MOST_NAME)), grow=3),
        Column("ADDRESS", 13, grow=1),
        Column("ENV", 5, grow=1),
        Column("APP", 5, grow=1),
        Column("ROLE", 6, grow=1),
        Column("MODE", 9),
        Column("SEEN", 6, rank=2),
        Column("SOURCES", 8, grow=1, rank=3),
        Column("DRIFT", 5, rank=1),
    )


DETAIL_AFTER = 0.08  # seconds at a row before the engine is asked about it
FILTER_AFTER = 0.06
MOST_DISCOVERY = 5
MODE_TONES = {"full": Tone.STRONG, "selective": Tone.PLAIN, "observe": Tone.DIM, "none": Tone.WARN}

DETAIL = Key("enter", "choose", "detail")
LABEL = Key("L", "label", "label", "Give the marked assets, or the one at the cursor, a label", changes=True)
DISCOVER = Key("D", "discover", "discover", "Ask the inventory and its sources again")
FLOWS = Key("f", "flows", "flows", "Show whom the asset talks with")
ON_MAP = Key("m", "map", "map", "Show the group of the asset on the map")
WHY = Key("e", "explain", "", "Explain a connection of the asset")
MARK_ALL = Key("A", "mark_all", "", "Mark all rows that are shown")
PASSWORDS = Key("K", "passwords", "", "Give the passwords that Ansible needs")
UNMARK = Key("U", "unmark", "", "Take every mark away")


class AssetsScreen(ChangingPage):
    """A table of all assets below a filter, above what is told of one."""

    KEYS = (DETAIL, FIND, MARK, LABEL, DISCOVER, FLOWS, ON_MAP, WHY, MARK_ALL, UNMARK, PASSWORDS)
    AUTO_FOCUS = "#assets"
    DEFAULT_CSS = """
    AssetsScreen #filter-line { height: 1; }
    AssetsScreen #filter-sign { width: 3; }
    AssetsScreen #filter-count { width: 30; }
    AssetsScreen #detail { height: 7; }
    AssetsScreen #discovery { height: 0; }
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.table = AssetTable()
        self.incoming: AssetTable | None = None
        self.expected = 0
        self.kept = False
        self.found: Sequence[int] = ()
        self.filter_text = ""
        self.chosen: frozenset[str] | None = None
        self.marked: set[str] = set()
        self.detail: AssetDetail | None = None
        self.flows: AssetFlows | None = None
        self.wanted = ""
        self.discovery = Discovery()

    def body(self) -> ComposeResult:
        """Yield filter, table, detail and discovery."""
        with Beside(id="filter-line"):
            yield Caption(Span(" /", Tone.KEY), id="filter-sign")
            yield Field(
                id="filter",
                placeholder="a word, role=db, env=prod|dev, !mode=full",
                complete=lambda before: completions(self.table, before),
            )
            yield Caption(id="filter-count")
        yield Table(columns(LEAST_NAME), is_marked=self.is_marked, id="assets")
        yield Line()
        yield Lines(id="detail")
        yield Lines(id="discovery")

    # What it shows

    def entered(self) -> None:
        """Ask for all assets."""
        self._give_room(self.usual_room)
        self.show_table()
        self.work(self.load())

    @property
    def usual_room(self) -> int:
        """Return how many lines are left for what is told of one asset."""
        return max(7, self.app.size.height // 3 - 1)

    def forget(self) -> None:
        """Forget the rows."""
        self.table, self.marked, self.detail, self.flows = AssetTable(), set(), None, None
        self.discovery = Discovery()

    def take(self, subject: object) -> None:
        """Show one asset, or those of a filter."""
        if isinstance(subject, AssetSubject):
            self.wanted = subject.name
            self._set_filter("")
        elif isinstance(subject, AssetsSubject):
            self._set_filter(subject.filter)

    async def load(self) -> None:
        """Take the rows as they come."""
        done = await self.engine.ask("assets.everything", AssetsRequest(), Listed, self.take_part)
        self.find()
        if done.wrong:
            self.say(Span("✗ ", Tone.BAD), done.wrong[0])

    def take_part(self, part: object) -> None:
        """Take a part of the rows, or what is told of them."""
        match part:
            case Begin(count, kept):
                self.incoming, self.expected, self.kept = AssetTable(), count, kept
                self._swap()
            case Rows(rows) if self.incoming is not None:
                self.incoming.add(rows)
                self._swap()
            case Current():
                self.kept = False
                self.show_count()
            case Told():
                self.table.tell(part)
                self.query_one("#assets", Table).refresh()

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

    def show_table(self, at: str = "", spent: float | None = None) -> None:
        """Show the rows, with the cursor at a name where it is among them."""
        table = self.query_one("#assets", Table)
        cursor = next((place for place, index in enumerate(self.found) if self.table.rows[index][0] == at), None)
        table.show(len(self.found), self.cells, cursor=cursor)
        self.show_count(spent)
        self.look()

    def cells(self, place: int) -> Cells:
        """Return a row's cells."""
        index = self.found[place]
        table = self.table
        name, addresses, sources, enforcer, _, stale, _ = table.rows[index]
        first, _, more = addresses.partition(" ")
        mode, seen, drift = table.of("mode", index), table.of("seen", index), table.of("drift", index)
        shown_mode = "–" if not enforcer else mode[:9]
        known = "seen" in table.told
        return (
            name,
            f"{first} +{more.count(' ') + 1}" if more else first,
            *(table.label(index, key) or Span("–", Tone.DIM) for key in ("env", "app", "role")),
            Span(shown_mode, MODE_TONES.get(mode, Tone.DIM)),
            Span(age(seen, datetime.now(UTC)) if seen else "never" if known else "", Tone.DIM),
            Span(
                " ".join(dict.fromkeys(short(one.partition(":")[0]) for one in sources.split(" "))),
                Tone.WARN if stale else Tone.DIM,
            ),
            Span("x" if drift else "", Tone.BAD),
        )

    def is_marked(self, place: int) -> bool:
        """Return whether a row is marked."""
        return bool(self.marked) and self.table.rows[self.found[place]][0] in self.marked

    def name_at_cursor(self) -> str:
        """Return the name at the cursor, empty for none."""
        place = self.query_one("#assets", Table).cursor
        return self.table.rows[self.found[place]][0] if place < len(self.found) else ""

    # The one at the cursor

    @on(Listing.Moved, "#assets")
    def moved(self, _message: Listing.Moved) -> None:
        """Tell of another asset."""
        self.look()

    def look(self, *, flows: bool = False) -> None:
        """Ask about the asset at the cursor, once it has stayed there."""
        name = self.name_at_cursor()
        if name and (flows or self.detail is None or self.detail.name != name):
            self.work(self._look(name, flows=flows), "detail")

    async def _look(self, name: str, *, flows: bool) -> None:
        await asyncio.sleep(DETAIL_AFTER)
        if self.detail is None or self.detail.name != name:
            self.detail = await self.engine.ask("assets.detail", DetailRequest(name), AssetDetail)
            self.show_detail()
        if flows:
            self.say(Span("judging the flows of 7 days …", Tone.DIM))
            self.flows = await self.engine.ask("assets.flows", DetailRequest(name, True), AssetFlows, self.hear)
            self.say()
            self.show_detail()

    def show_detail(self) -> None:
        """Show what is told of one."""
        self.query_one("#detail", Lines).show(detail_rows(self.detail, self.flows, self.app.size.width))

    @on(Listing.Chosen, "#assets")
    def read(self, _message: Listing.Chosen) -> None:
        """Give what is told more room, and the keys."""
        self._give_room(self.app.size.height // 2)
        self.set_focus(self.query_one("#detail", Lines))

    def _give_room(self, lines: int) -> None:
        self.query_one("#detail", Lines).styles.height = lines

    # The filter

    @on(Field.Edited, "#filter")
    def edited(self, message: Field.Edited) -> None:
        """Find what is meant by what was typed."""
        self.filter_text = message.value
        offers = completions(self.table, message.value)[:8] if message.value.strip() else ()
        self.say(*((Span(" tab ", Tone.KEY), Span("  ".join(offers), Tone.DIM)) if offers else ()))
        words = engine_words(message.value)
        if words:
            self.work(self._choose(words), "filter")
            return
        self.chosen = None
        self.find()

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
        self.say()
        self.set_focus(self.query_one("#assets", Table))

    def action_find(self) -> None:
        """Go to the filter."""
        self.set_focus(self.query_one("#filter", Field))

    async def action_back(self) -> None:
        """Go back to the rows, take the filter away, then the marks, then go back."""
        if self.query_one("#detail", Lines).has_focus:
            self._give_room(self.usual_room)
            self.set_focus(self.query_one("#assets", Table))
        elif self.filter_text:
            self._set_filter("")
            self.find()
        elif self.marked:
            self.action_unmark()
        else:
            await self.app.run_action("app.back")

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

    # Marks and labels

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

    def action_label(self) -> None:
        """Ask for a label, show what it would do, and write the rule where that is confirmed."""
        names = tuple(sorted(self.marked)) or tuple(filter(None, (self.name_at_cursor(),)))
        if names and self.may("write labels.yml"):
            self.ringfence.key_order.hold()
            self.work(self._label(names), "asked")

    async def _label(self, names: tuple[str, ...]) -> None:
        whom = names[0] if len(names) == 1 else f"{len(names):,} assets"
        labels = {key: values for key, values in self.table.values.items() if key not in ("source", "mode", "drift")}
        known = AssetTable(values=labels)
        asked = Prompt(
            f"Label {whom}",
            (row(Span("key=value, as role=db", Tone.DIM)),),
            complete=lambda text: completions(known, text),
            does="show what it does",
        )
        await self.mount(asked)
        label = await asked.answer
        if not label:
            return
        request = LabelRequest(names, label.strip())
        self.say(Span("comparing tables and judging flows …", Tone.DIM))
        preview = await self.engine.ask("assets.preview", request, Preview, self.hear)
        self.say()
        shown = preview_rows(preview, len(names))
        if await self.confirm(Confirmation(f"Label {whom} {label}", shown, does="write it into labels.yml")):
            written = await self.engine.ask("assets.write", request, Written)
            self.marked.clear()
            self.detail = None
            self.post_message(WorkspaceChanged())
            self.call_after_refresh(lambda: self.say(Span("✓ ", Tone.GOOD), f"written into {written.file}"))

    def hear(self, part: object) -> None:
        """Show what is worked on."""
        if isinstance(part, Progress):
            self.say(Span(f"{part.text} …", Tone.DIM))

    # Discovery

    def action_discover(self) -> None:
        """Ask the inventory again."""
        self.discovery = Discovery(on="asking the inventory")
        self.show_discovery()
        self.work(self._discover(), "discover")

    async def _discover(self) -> None:
        try:
            found = DiscoverRequest(not self.read_only, self.ringfence.passwords.vault)
            self.discovery = await self.engine.ask("assets.discover", found, Discovery, lambda _: None)
        except EngineError as error:
            self.discovery = Discovery(wrong=tuple(fault.message for fault in error.faults))
        self.show_discovery()
        self.work(self.load())

    def show_discovery(self) -> None:
        """Show what each source gave."""
        rows = discovery_rows(self.discovery)
        shown = self.query_one("#discovery", Lines)
        shown.styles.height = min(len(rows), MOST_DISCOVERY)
        shown.show(rows)

    # Elsewhere

    def action_flows(self) -> None:
        """Show whom the asset talks with."""
        self.look(flows=True)

    def action_map(self) -> None:
        """Show its group on the map."""
        place = self.query_one("#assets", Table).cursor
        if place < len(self.found):
            index = self.found[place]
            labels = ((key, self.table.label(index, key)) for key in LABEL_COLUMNS)
            group = ",".join(f"{key}={value}" for key, value in labels if value)
            self.go("map", PairSubject(group, group))

    def action_explain(self) -> None:
        """Explain a connection of it."""
        if name := self.name_at_cursor():
            self.go("explain", PairSubject("", name))

    def command(self) -> str:
        """Return the command that lists the same."""
        words = [word for word in self.filter_text.split() if not word.startswith("!")]
        return shlex.join(("ringfence", "assets", *words))
