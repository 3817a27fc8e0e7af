"""The Map screen: a matrix of who talks to whom, neighbours, flows, and from a cell to a rule in the draft."""

from __future__ import annotations

import shlex
from dataclasses import replace

from ringfence.model.picture import PictureGroup
from textual import on
from textual.app import ComposeResult

from ringfence_tui.keys import Key
from ringfence_tui.messages import PairSubject, PictureSubject
from ringfence_tui.screens.map.answers import MapAnswer
from ringfence_tui.screens.map.cell_rows import pair_of
from ringfence_tui.screens.map.draft_page import DraftingPage
from ringfence_tui.screens.map.ends import ends_of, short_of
from ringfence_tui.screens.map.finding import FindField
from ringfence_tui.screens.map.model import Only, Order, comparisons_of, find, next_of
from ringfence_tui.screens.map.names import service_of
from ringfence_tui.screens.map.neighbour_list import NeighbourList
from ringfence_tui.screens.map.picture_page import Mode
from ringfence_tui.spans import Span, Tone
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.matrix import Matrix
from ringfence_tui.widgets.matrix_painting import HEADER
from ringfence_tui.widgets.overlay import Overlay

ONLY = {"x": Only.DENIED, "!": Only.WOULD, "*": Only.CHANGES}


class MapScreen(DraftingPage):
    """Looks and drafts."""

    JUDGES = True
    KEYS = (
        Key("enter", "choose", "flows", "The flows of a cell, or into a group"),
        Key("a", "rule('allow')", "allow", "A rule that allows this traffic", changes=True),
        Key("d", "rule('deny')", "deny", "A rule that denies this traffic", changes=True),
        Key("e", "explain", "explain", "Why this traffic is allowed or denied"),
        Key("v", "neighbours", "neighbours", "Clients, the group, servers; and back to the matrix"),
        Key("minus", "level(-1)", "level", "Coarser groups", shown_as="- +"),
        Key("plus,equals_sign", "level(1)", "", "Finer groups"),
        Key("t", "time", "time", "A longer time"),
        Key("c", "compare", "held", "Other states: held, files, draft"),
        Key("w", "write", "write", "Write the draft into its files", changes=True),
        Key("left_square_bracket", "step(1)", "", "The time before"),
        Key("right_square_bracket", "step(-1)", "", "The time after"),
        Key("o", "order", "order", "Order by labels, volume, changes"),
        Key("f", "only", "filter", "Only changes, denied, would be denied; all"),
        Key("slash", "find", "find", "Find a group"),
        Key("n", "next", "", "The next group that was looked for"),
        Key("u", "undo", "undo", "Take the last change of the draft back", changes=True),
        Key("ctrl+r", "redo", "", "Do again what was undone", changes=True),
        Key("b,backspace", "before", "", "The group before, in the neighbour view"),
        Key("escape", "out", "", "Out of a group, or back"),
    )

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self._words = ""
        self._trail: list[PictureGroup] = []
        self._sought: PairSubject | None = None
        self._answered = False

    def body(self) -> ComposeResult:
        """Yield what one looks at, and the field that finds groups."""
        yield from super().body()
        yield FindField(id="find")

    def take(self, subject: object) -> None:
        """Show only some signs, or go to a pair."""
        if isinstance(subject, PictureSubject):
            wanted = (ONLY[sign] for sign in subject.signs if sign in ONLY)
            self.view = replace(self.view, only=next(wanted, Only.ALL))
            self.show_view()
        elif isinstance(subject, PairSubject):
            self._sought = subject

    def take_answer(self, answer: MapAnswer) -> None:
        """Show another picture; the cursor goes to the pair that was sent here."""
        self._answered = True
        super().take_answer(answer)

    def viewed(self) -> None:
        """Go to the pair that was sent here, once a picture came since."""
        super().viewed()
        if not self._answered:
            return
        self._answered = False
        sought, self._sought = self._sought, None
        if sought is not None and self.model is not None:
            content = self.model.content
            places = [find(content, _words(text), HEADER) for text in (sought.client, sought.server)]
            self.query_one("#matrix", Matrix).go(places[0] or 0, places[1] or 0)

    def asset_at_cursor(self) -> str:
        """Return the flow's client, the neighbour, or the cell's client, on a header its group; groups as selectors."""
        if (pair := self._flow_at_cursor()) is not None:
            return pair.client
        neighbour = self.query_one("#neighbours", NeighbourList).neighbour if self.mode is Mode.NEIGHBOURS else None
        group = neighbour.group if neighbour is not None else self.ends[0] if self.ends is not None else self.group
        return short_of(ends_of(group, self.level.shown)) if group is not None and self.level is not None else ""

    def pair_at_cursor(self) -> tuple[str, str, str] | None:
        """Return the flow at the cursor; of a cell its ends, and its service where it has one."""
        if (pair := self._flow_at_cursor()) is not None:
            return pair.client, pair.server, pair.service
        if self.ends is None or self.level is None:
            return None
        client, server = (short_of(ends_of(one, self.level.shown)) for one in self.ends)
        services = self.edge.services if self.edge is not None and not self.edge.more_services else ()
        return client, server, service_of(services[0]) if len(services) == 1 else "SERVICE"

    def _flow_at_cursor(self) -> PairSubject | None:
        """Return the flow at the cursor where flows are listed."""
        detail = self._details.get(self.ends) if self.ends is not None else None
        at = self.query_one("#flows", Lines).cursor - 1  # below their title
        if self.mode is not Mode.FLOWS or detail is None or not 0 <= at < len(detail.flows):
            return None
        return pair_of(detail.flows[at])

    def command(self) -> str:
        """Return the command that judges the same flows."""
        when = self.times.when
        until = f" --until {when.until}" if when.until else ""
        found = f"ringfence simulate --since {when.since}{until}"
        ends = self.ends
        if ends is None or self.level is None:
            return f"{found} --by labels"
        words = [short_of(ends_of(one, self.level.shown)) for one in ends]
        return f"{found} --pair {' '.join(map(shlex.quote, words))}"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse keys that come while a sheet or a dialog is on its way, and what a read-only application refuses."""
        mine = any(key.action.partition("(")[0] == action for key in self.KEYS)
        return False if mine and self.query(Overlay) else super().check_action(action, parameters)

    # How it is looked at

    def action_compare(self) -> None:
        """Compare other states."""
        if self.answer is not None:
            self._chose_comparison = True
            offered = comparisons_of(self.answer.picture)
            self.view = replace(self.view, comparison=next_of(offered, self.view.comparison))
            self.show_view()

    def action_order(self) -> None:
        """Order otherwise."""
        self.view = replace(self.view, order=next_of(Order, self.view.order))
        self.show_view()

    def action_only(self) -> None:
        """Show other cells."""
        self.view = replace(self.view, only=next_of(Only, self.view.only))
        self.show_view()

    def action_level(self, by: int) -> None:
        """Tell groups apart more finely, or less."""
        if self.level is not None:
            level = self.level.finer() if by > 0 else self.level.coarser()
            if level != self.level:
                self.load(level)

    def action_time(self) -> None:
        """Look at a longer time."""
        self.load(times=self.times.other())

    def action_step(self, back: int) -> None:
        """Look at the time before, or after."""
        times = self.times.stepped(back)
        if times != self.times:
            self.load(times=times)

    # Where one is

    @on(Matrix.Chosen)
    def action_choose(self) -> None:
        """Show the flows of a cell, or the inside of a group."""
        ends = self.ends
        if ends is not None and self.answer is not None:
            if self.edge is None:
                self.say(Span("no traffic between them was seen", Tone.DIM))
            else:
                self.work(self.show_flows(ends), group="flows")
        elif (group := self.group) is not None and self.level is not None:
            inside = self.level.into(group)
            if inside == self.level:
                self.say(Span("there is nothing finer in it", Tone.DIM))
            else:
                self.load(inside)

    def action_explain(self) -> None:
        """Explain the flow at the cursor; of a cell, its busiest one that is known, else what its ends may do."""
        if self.level is None:
            return
        if self.ends is None:
            self.say_no_ends("an explanation")
            return
        detail = self._details.get(self.ends)
        flows = detail.flows if detail is not None else ()
        at = max(0, self.query_one("#flows", Lines).cursor - 1) if self.mode is Mode.FLOWS else 0  # below their title
        client, server = (short_of(ends_of(one, self.level.shown)) for one in self.ends)
        self.go("explain", pair_of(flows[at]) if at < len(flows) else PairSubject(client, server))

    @on(Lines.Chosen, "#flows")
    def flow_chosen(self) -> None:
        """Explain the flow."""
        self.action_explain()

    def action_neighbours(self) -> None:
        """Show the neighbours of the row's group, or the matrix again."""
        if self.mode is Mode.NEIGHBOURS:
            self._trail.clear()
            self.set_mode(Mode.MATRIX)
        elif (group := self.group) is not None:
            self.show_neighbours(group)

    def show_neighbours(self, group: PictureGroup) -> None:
        """Show who talks to a group, and keep whose neighbours were shown before."""
        if self.mode is Mode.NEIGHBOURS and self.centre is not None and self.centre != group:
            self._trail.append(self.centre)
        super().show_neighbours(group)

    def action_before(self) -> None:
        """Go back to the group whose neighbours were shown before."""
        if self.mode is Mode.NEIGHBOURS and self._trail:
            super().show_neighbours(self._trail.pop())
        elif self.mode is not Mode.MATRIX:
            self.set_mode(Mode.MATRIX)

    async def action_out(self) -> None:
        """Go back to the matrix, then out of the group, then to the screen before."""
        if self.mode is not Mode.MATRIX:
            self._trail.clear()
            self.set_mode(Mode.MATRIX)
        elif self.level is not None and self.level.inside is not None:
            self.load(self.level.out())
        else:
            await self.app.run_action("back")

    def action_find(self) -> None:
        """Ask for words of a group's name."""
        self.query_one(FindField).open(self._words)

    @on(FindField.Edited)
    def words_edited(self, message: FindField.Edited) -> None:
        """Go to the first group with these words."""
        message.stop()
        if message.value.strip():  # a field that opens empty forgets nothing
            self._words = message.value
            self._go_to_next(HEADER)

    def action_next(self) -> None:
        """Go to the next group with the words."""
        self._go_to_next(self.query_one("#matrix", Matrix).row)

    def _go_to_next(self, start: int) -> None:
        if self.model is None or not self._words.strip():
            return
        matrix = self.query_one("#matrix", Matrix)
        row = find(self.model.content, self._words, start)
        if row is None:
            self.say(Span("no group is called ", Tone.DIM), Span(self._words))
        else:
            self.say()
            matrix.go(row, matrix.column)


def _words(selector: str) -> str:
    """Return the values of a selector as words of a group's name."""
    return " ".join(part.partition("=")[2] or part for part in selector.replace(",", " ").split())
