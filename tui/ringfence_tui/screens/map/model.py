"""The matrix of a picture: which groups stand where, which cells are shown, and in what order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from ringfence.model.picture import (
    WORST_FIRST,
    GroupKind,
    Picture,
    PictureEdge,
    PictureGroup,
    PolicyState,
    Sign,
    SignCount,
    digit,
)

from ringfence_tui.screens.map.names import parts_of
from ringfence_tui.screens.map.steps import Steps, at_once, slices
from ringfence_tui.widgets.matrix_content import MatrixCell, MatrixContent

MANY = 200
T = TypeVar("T")
_PLACES = {sign: place for place, sign in enumerate(WORST_FIRST)}


class Order(StrEnum):
    """What rows and columns are ordered by."""

    LABELS = "labels"
    VOLUME = "volume"
    CHANGES = "changes"


class Only(StrEnum):
    """Which cells are shown."""

    ALL = "all"
    CHANGES = "changes"
    DENIED = "denied"
    WOULD = "would"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The state whose signs are shown, and the one that a mark tells differences from."""

    shown: PolicyState
    against: PolicyState | None = None

    def __str__(self) -> str:
        return f"{self.shown.value} to {self.against.value}" if self.against else self.shown.value


COMPARISONS = (
    Comparison(PolicyState.DRAFT, PolicyState.HELD),
    Comparison(PolicyState.FILES, PolicyState.HELD),
    Comparison(PolicyState.DRAFT, PolicyState.FILES),
    Comparison(PolicyState.HELD),
)


@dataclass(frozen=True, slots=True)
class View:
    """How a picture is looked at."""

    comparison: Comparison = COMPARISONS[1]
    order: Order = Order.LABELS
    only: Only = Only.ALL


@dataclass(frozen=True)
class Matrix:
    """A matrix with what stands behind it.

    `shown` are the numbers of the picture's groups in the order of rows and columns, `hidden` counts those that have
    nothing to show. `edges` are the edges behind the cells, by row and column.
    """

    picture: Picture
    view: View
    shown: tuple[int, ...]
    hidden: int
    content: MatrixContent
    edges: Mapping[tuple[int, int], PictureEdge] = field(repr=False)

    def group(self, position: int) -> PictureGroup:
        """Return the group of a row or column."""
        return self.picture.groups[self.shown[position]]

    def position_of(self, group: int) -> int | None:
        """Return the row of a group of the picture, None where it is hidden."""
        return self.shown.index(group) if group in self.shown else None

    def edge(self, row: int, column: int) -> PictureEdge | None:
        """Return the traffic behind a cell."""
        return self.edges.get((row, column))


def matrix_of(picture: Picture, view: View) -> Matrix:
    """Return the matrix of a picture."""
    return at_once(matrix_steps(picture, view))


def matrix_steps(picture: Picture, view: View) -> Steps[Matrix]:
    """Make the matrix of a picture, in steps."""
    edges: list[PictureEdge] = []
    for some in slices(picture.edges):
        edges += [edge for edge in some if wanted(edge, view)]
        yield
    busy = {end for edge in edges for end in (edge.client, edge.server)}
    shown = yield from _ordered(picture, edges, sorted(busy), view)
    positions = {group: position for position, group in enumerate(shown)}
    placed: dict[tuple[int, int], PictureEdge] = {}
    for some in slices(edges):
        placed.update(((positions[edge.client], positions[edge.server]), edge) for edge in some)
        yield
    content = MatrixContent(
        tuple(parts_of(picture.groups[group]) for group in shown),
        _breaks([picture.groups[group] for group in shown], len(picture.levels), view.order),
        Cells(placed, view.comparison),
    )
    return Matrix(picture, view, tuple(shown), len(picture.groups) - len(shown), content, placed)


class Cells(Mapping[tuple[int, int], MatrixCell]):
    """The cells of edges by row and column, each made when it is seen first."""

    def __init__(self, edges: Mapping[tuple[int, int], PictureEdge], comparison: Comparison) -> None:
        self._edges = edges
        self._comparison = comparison
        self._made: dict[tuple[int, int], MatrixCell] = {}

    def __getitem__(self, place: tuple[int, int]) -> MatrixCell:
        found = self._made.get(place)
        if found is None:
            found = self._made[place] = cell_of(self._edges[place], self._comparison)
        return found

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._edges)

    def __len__(self) -> int:
        return len(self._edges)


def wanted(edge: PictureEdge, view: View) -> bool:
    """Return whether a view shows an edge."""
    match view.only:
        case Only.CHANGES:
            return changed(edge, view.comparison)
        case Only.DENIED:
            return flows_of(edge, view.comparison.shown, Sign.DENIED).flows > 0
        case Only.WOULD:
            return flows_of(edge, view.comparison.shown, Sign.WOULD_BE_DENIED).flows > 0
        case _:
            return True


def changed(edge: PictureEdge, comparison: Comparison) -> bool:
    """Return whether the two states of a comparison say different things of an edge; never where one was not judged."""
    one, other = comparison.shown, comparison.against
    return other is not None and one in edge.signs and other in edge.signs and edge.signs[one] != edge.signs[other]


def flows_of(edge: PictureEdge, state: PolicyState, sign: Sign) -> SignCount:
    """Return how many flows of an edge have a sign in a state."""
    return edge.signs.get(state, {}).get(sign, SignCount())


def all_flows(edge: PictureEdge, state: PolicyState) -> SignCount:
    """Return how many flows of an edge a state judged."""
    counts = edge.signs.get(state, {}).values()
    return SignCount(sum(count.flows for count in counts), sum(count.connections for count in counts))


def cell_of(edge: PictureEdge, comparison: Comparison) -> MatrixCell:
    """Return what a cell shows of an edge: its worst sign, and the digits of all its connections."""
    counts = edge.signs.get(comparison.shown, {})
    signs = [sign for sign, count in counts.items() if count.flows]
    worst = min(signs, key=_PLACES.__getitem__, default=Sign.NOTHING)
    connections = sum([count.connections for count in counts.values()])
    return MatrixCell(worst, digit(connections), changed(edge, comparison), mixed=len(signs) > 1)


def comparisons_of(picture: Picture) -> tuple[Comparison, ...]:
    """Return the comparisons that a picture can be looked at by, the first one first."""
    judged = set(picture.totals)
    return tuple(
        one for one in COMPARISONS if one.shown in judged and (one.against is None or one.against in judged)
    ) or (Comparison(PolicyState.HELD),)


def proposal(picture: Picture) -> str | None:
    """Return what is proposed where there are too many groups to read, None where there are not."""
    if len(picture.groups) <= MANY or len(picture.levels) < 2:
        return None
    return f"{len(picture.groups):,} groups: - shows them by {' > '.join(picture.levels[:-1])}"


def find(content: MatrixContent, text: str, start: int) -> int | None:
    """Return the next row behind `start` whose name has all words of a text, round to the first; None for none."""
    words = text.casefold().split()
    names = [" ".join(parts).casefold() for parts in content.names]
    order = [(start + step) % len(names) for step in range(1, len(names) + 1)] if names else []
    return next((row for row in order if words and all(word in names[row] for word in words)), None)


def worst_steps(matrix: Matrix) -> Steps[tuple[int, int]]:
    """Find the cell that one looks at first, in steps."""
    shown = matrix.view.comparison.shown

    def order(place: tuple[int, int]) -> tuple[bool, int, int, tuple[int, int]]:
        edge = matrix.edges[place]
        differs = changed(edge, matrix.view.comparison)
        return (not differs, WORST_FIRST.index(edge.worst(shown)), -all_flows(edge, shown).connections, place)

    worst: list[tuple[int, int]] = []
    for some in slices(list(matrix.edges)):
        worst = [min([*worst, *some], key=order)]
        yield
    return worst[0] if worst else (0, 0)


def next_of(values: Iterable[T], now: T) -> T:
    """Return the value behind one of several, the first behind the last and where it is none of them."""
    every = list(values)
    return every[(every.index(now) + 1) % len(every)] if now in every else every[0]


def _ordered(picture: Picture, edges: Sequence[PictureEdge], groups: Sequence[int], view: View) -> Steps[list[int]]:
    """Return groups in the order of a view; those outside of the one that one is in come later, who is unknown last."""
    weight = dict.fromkeys(groups, 0)
    for some in slices(edges if view.order is not Order.LABELS else ()):
        for edge in some:
            volume = view.order is Order.VOLUME
            more = all_flows(edge, view.comparison.shown).connections if volume else changed(edge, view.comparison)
            for end in {edge.client, edge.server}:
                weight[end] += more
        yield
    levels = len(picture.levels)

    def order(one: int) -> tuple[int, bool, int, int]:
        group = picture.groups[one]
        return _last(group), _outside(group, levels), -weight[one], one

    return sorted(groups, key=order)


def _last(group: PictureGroup) -> int:
    return (GroupKind.UNKNOWN, GroupKind.INTERNET).index(group.kind) + 1 if _special(group) else 0


def _special(group: PictureGroup) -> bool:
    return group.kind in (GroupKind.UNKNOWN, GroupKind.INTERNET)


def _outside(group: PictureGroup, levels: int) -> bool:
    """Return whether a group lies outside of the one that one has gone into: it has fewer labels then."""
    return bool(group.labels) and len(group.labels) < levels


def _breaks(groups: Sequence[PictureGroup], levels: int, order: Order) -> frozenset[int]:
    """Return where lines stand: between first-level groups that have groups below, and before what is no workload."""
    within = any(_outside(one, levels) for one in groups)

    def block(one: PictureGroup) -> object:
        if one.kind is GroupKind.NETWORK:
            return one.kind
        if _special(one):
            return GroupKind.UNKNOWN
        if within or levels < 2 or order is not Order.LABELS:
            return _outside(one, levels)
        return one.labels[0] if one.labels else None

    blocks = [block(one) for one in groups]
    return frozenset(place for place in range(1, len(blocks)) if blocks[place] != blocks[place - 1])
