"""The assets' screen: the table, what is told of the one at the cursor, and the ways to other screens."""

from __future__ import annotations

import asyncio
import shlex

from ringfence.model.asset_events import AssetHistory
from textual import on
from textual.app import ComposeResult

from ringfence_tui.keys import FIND, MARK, Key
from ringfence_tui.messages import AssetsSubject, AssetSubject, PairSubject
from ringfence_tui.screens.assets.detail import AssetDetail, AssetFlows, DetailRequest, detail_rows
from ringfence_tui.screens.assets.discovery import Discovery
from ringfence_tui.screens.assets.filter_words import command_words
from ringfence_tui.screens.assets.labelling import LabellingPage
from ringfence_tui.screens.assets.model import LABEL_COLUMNS, AssetTable, completions
from ringfence_tui.screens.assets.row_cells import LEAST_NAME, columns
from ringfence_tui.spans import Span, Tone
from ringfence_tui.widgets.body import Beside
from ringfence_tui.widgets.caption import Caption, Line
from ringfence_tui.widgets.field import Field
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.listing import Listing
from ringfence_tui.widgets.table import Table

DETAIL_AFTER = 0.08  # seconds at a row before the engine is asked about it

DETAIL = Key("enter", "choose", "detail")
LABEL = Key("L", "label", "label", "Give the marked assets, or the one at the cursor, a label", changes=True)
DISCOVER = Key("D", "discover", "discover", "Ask the inventory and its sources again")
FLOWS = Key("f", "flows", "flows", "Show whom the asset talks with")
HISTORY = Key("H", "history", "history", "Show when it was first seen, what changed on it, which rollouts reached it")
ON_MAP = Key("m", "map", "map", "Show the group of the asset on the map")
WHY = Key("e", "explain", "", "Explain a connection of the asset")
MARK_ALL = Key("A", "mark_all", "", "Mark all rows that are shown")
PASSWORDS = Key("K", "passwords", "", "Give the passwords that Ansible needs")
OUT = Key("escape", "out", "", "Out of the detail, the filter, the marks, or back")
UNMARK = Key("U", "unmark", "", "Take every mark away")


class AssetsScreen(LabellingPage):
    """A table of all assets below a filter, above what is told of one."""

    KEYS = (DETAIL, FIND, MARK, LABEL, DISCOVER, FLOWS, HISTORY, ON_MAP, WHY, MARK_ALL, UNMARK, PASSWORDS, OUT)
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
        self.detail: AssetDetail | None = None
        self.flows: AssetFlows | None = None
        self.history: AssetHistory | None = None

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
        yield Lines(folds=3, id="detail")
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
        self.history = None
        self.discovery = Discovery()

    def take(self, subject: object) -> None:
        """Show one asset, or those of a filter."""
        if isinstance(subject, AssetSubject):
            self.wanted = subject.name
            self._set_filter("")
        elif isinstance(subject, AssetsSubject):
            self._set_filter(subject.filter)

    # The one at the cursor

    @on(Listing.Moved, "#assets")
    def moved(self, _message: Listing.Moved) -> None:
        """Tell of another asset."""
        self.look()

    def look(self, *, flows: bool = False) -> None:
        """Ask about the asset at the cursor, once it has stayed there."""
        name = self.name_at_cursor()
        if not name and self.detail is not None:
            self.workers.cancel_group(self, "detail")
            self.detail = None
            self.show_detail()
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
        self.query_one("#detail", Lines).show_whole(
            detail_rows(self.detail, self.flows, self.history, self.app.size.width)
        )

    @on(Listing.Chosen, "#assets")
    def read(self, _message: Listing.Chosen) -> None:
        """Give what is told more room, and the keys."""
        self._give_room(self.app.size.height // 2)
        self.set_focus(self.query_one("#detail", Lines))

    def _give_room(self, lines: int) -> None:
        self.query_one("#detail", Lines).styles.height = lines

    async def action_out(self) -> None:
        """Go back to the rows, take the filter away, then the marks, then go back."""
        if self.query_one("#detail", Lines).has_focus:
            self._give_room(self.usual_room)
            self.set_focus(self.query_one("#assets", Table))
        elif self.filter_text:
            self._set_filter("")
            self.find()
            self.say()
        elif self.marked:
            self.action_unmark()
        else:
            await self.ringfence.action_back()

    def labelled(self) -> None:
        """Ask anew about the one at the cursor."""
        self.detail = None

    # Elsewhere

    def action_flows(self) -> None:
        """Show whom the asset talks with."""
        self.look(flows=True)

    def action_history(self) -> None:
        """Show what happened to the asset, with room to read it."""
        if name := self.name_at_cursor():
            self._give_room(self.app.size.height // 2)
            self.set_focus(self.query_one("#detail", Lines))
            self.work(self._tell_history(name), "detail")

    async def _tell_history(self, name: str) -> None:
        if self.detail is None or self.detail.name != name:
            self.detail = await self.engine.ask("assets.detail", DetailRequest(name), AssetDetail)
        self.say(Span("reading the kept snapshots …", Tone.DIM))
        self.history = await self.engine.ask("assets.history", DetailRequest(name), AssetHistory)
        self.say()
        self.show_detail()

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

    def asset_at_cursor(self) -> str:
        """Return the asset at the cursor."""
        return self.name_at_cursor()

    def command(self) -> str:
        """Return the command that lists the same."""
        words, _ = command_words(self.filter_text, self.table.values)
        return shlex.join(("ringfence", "assets", *words))

    def unsaid(self) -> str:
        """Return the words of the filter that the command lacks."""
        return " ".join(command_words(self.filter_text, self.table.values)[1])
