"""The neighbour view as a widget: sides by h and l, edges by j and k."""

from __future__ import annotations

from dataclasses import replace

from ringfence.model.picture import Neighbour, Neighbours, PictureGroup
from textual import events
from textual.message import Message

from ringfence_tui.keys import CHOOSE, Key, bindings
from ringfence_tui.screens.map.model import COMPARISONS, Comparison
from ringfence_tui.screens.map.neighbours import Place, at, neighbour_rows, side_of
from ringfence_tui.spans import Row
from ringfence_tui.widgets.painted import Painted

MOVES = (
    Key("down,j", "move(1)"),
    Key("up,k", "move(-1)"),
    Key("pagedown", "move(5)"),
    Key("pageup", "move(-5)"),
    Key("left,h", "side(0)"),
    Key("right,l", "side(1)"),
)


class NeighbourList(Painted, can_focus=True):
    """Shows `Neighbours`; tells `Moved` and `Chosen`."""

    BINDINGS = bindings((*MOVES, CHOOSE))

    class Moved(Message):
        """Another neighbour is under the cursor."""

    class Chosen(Message):
        """Enter was pressed at a group."""

        def __init__(self, group: PictureGroup) -> None:
            super().__init__()
            self.group = group

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.view: Neighbours | None = None
        self.place = Place()
        self.comparison: Comparison = COMPARISONS[0]
        self.rows: tuple[Row, ...] = ()

    def show(self, view: Neighbours, comparison: Comparison) -> None:
        """Show who talks to a group, from the first client or server on where it is another group than before."""
        other = self.view is None or self.view.group != view.group
        self.view, self.comparison = view, comparison
        if other:
            self.place = Place(0 if view.clients else 1)
        self.place = self.place.moved(0, view)
        self._laid_out()

    def count(self, told: Neighbours) -> None:
        """Add how many of their ends are in each traffic, and what the group is itself."""
        if self.view is None or told.group != self.view.group:
            return
        ends = [{one.group: one.ends for one in side} for side in (told.clients, told.servers)]
        clients, servers = (
            tuple(replace(one, ends=known.get(one.group, 0)) for one in side)
            for side, known in zip((self.view.clients, self.view.servers), ends, strict=True)
        )
        self.view = replace(self.view, clients=clients, servers=servers, middle=told.middle)
        self._laid_out()

    @property
    def neighbour(self) -> Neighbour | None:
        """Return the neighbour under the cursor."""
        return at(self.view, self.place) if self.view is not None else None

    @property
    def ends(self) -> tuple[PictureGroup, PictureGroup] | None:
        """Return client and server of the edge under the cursor."""
        found = self.neighbour
        if self.view is None or found is None:
            return None
        return (self.view.group, found.group) if self.place.side else (found.group, self.view.group)

    def row_at(self, y: int) -> Row:
        """Return a line."""
        return self.rows[y] if y < len(self.rows) else ()

    def action_move(self, by: int) -> None:
        """Go to another neighbour of this side."""
        if self.view is not None:
            self._go(self.place.moved(by, self.view))

    def action_side(self, side: int) -> None:
        """Go to the clients or the servers."""
        if self.view is not None:
            self._go(self.place.to_side(side, self.view))

    def action_choose(self) -> None:
        """Go to the neighbour."""
        found = self.neighbour
        if found is not None:
            self.post_message(self.Chosen(found.group))

    def on_resize(self, _event: events.Resize) -> None:
        """Have another size."""
        self._laid_out()

    def on_click(self, event: events.Click) -> None:
        """Go to the side that was clicked, and to the neighbour on the line."""
        if self.view is None:
            return
        side = int(event.x > self.size.width // 2)
        index = max(0, (event.y - 1) // 2)
        if index < len(side_of(self.view, side)):
            self._go(Place(side, index))
            if event.chain > 1:
                self.action_choose()

    def _go(self, place: Place) -> None:
        if place != self.place:
            self.place = place
            self._laid_out()
            self.post_message(self.Moved())

    def _laid_out(self) -> None:
        if self.view is None or not self.size.width:
            return
        before = self.rows
        self.rows = neighbour_rows(self.view, self.place, self.comparison, self.size.width, self.size.height)
        self.repaint(y for y in range(max(len(before), len(self.rows))) if before[y : y + 1] != self.rows[y : y + 1])
