"""What is drawn of a picture at one level: every group, the worst and busiest edges, and the rest under its group."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.model.picture import WORST_FIRST, Picture, PictureEdge, PolicyState, digit
from ringfence.presenting.map.layout import Layout, layout
from ringfence.presenting.map.levels import DRAWN_EDGES, DRAWN_GROUPS, coarsened, drawable
from ringfence.presenting.map.words import total


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture at its drawable level: `edges` are drawn, worst and busiest first; `listed` are not."""

    picture: Picture
    depth: int
    state: PolicyState
    layout: Layout
    edges: tuple[PictureEdge, ...]
    listed: tuple[PictureEdge, ...]


def drawing(picture: Picture, state: PolicyState, edges: int = DRAWN_EDGES, groups: int = DRAWN_GROUPS) -> Drawing:
    """Return the drawing of a picture at the finest level with at most so many edges and groups."""
    depth = drawable(picture, edges, groups)
    coarse = coarsened(picture, depth)
    ranked = ranked_edges(coarse, state)
    return Drawing(coarse, depth, state, layout(coarse.groups, depth), ranked[:edges], ranked[edges:])


def ranked_edges(picture: Picture, state: PolicyState) -> tuple[PictureEdge, ...]:
    """Return the edges by their worst sign, the busiest first among equals."""
    places = {sign: place for place, sign in enumerate(WORST_FIRST)}

    def rank(edge: PictureEdge) -> tuple[int, int, int, int]:
        return places[edge.worst(state)], -connections(edge, state), edge.client, edge.server

    return tuple(sorted(picture.edges, key=rank))


def connections(edge: PictureEdge, state: PolicyState) -> int:
    """Return how many connections of an edge a state has judged; refused attempts where it has nothing else."""
    return total(edge.signs.get(state, {})).connections or edge.refused.connections


def thickness(edge: PictureEdge, state: PolicyState) -> float:
    """Return the width of an edge's stroke in pixels."""
    return round(1 + 0.6 * digit(connections(edge, state)), 1)
