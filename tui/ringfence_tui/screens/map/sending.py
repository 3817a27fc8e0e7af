"""How a picture goes to the screen: all of its edges, or those alone that differ from what the screen shows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from uuid import uuid4

from ringfence.model.picture import Picture, PictureEdge

from ringfence_tui.screens.map.answers import Edges

A_PART = 250  # edges; so many take a screen some 10 ms to read
MOST_SENT = 3  # pictures; a screen shows the last one, or the one before where it gave up waiting


class Sent:
    """The pictures that a screen was sent last, by their names."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[str, Picture] = OrderedDict()

    def changes(self, name: str, picture: Picture) -> tuple[int, ...] | None:
        """Return the places of the edges that differ from a picture that was sent; None where all have to be sent."""
        before = self._pictures.get(name)
        if before is None or (before.levels, before.groups) != (picture.levels, picture.groups):
            return None
        if [_pair(one) for one in before.edges] != [_pair(one) for one in picture.edges]:
            return None
        both = enumerate(zip(before.edges, picture.edges, strict=True))
        return tuple(place for place, (old, new) in both if old is not new and old != new)

    def keep(self, picture: Picture) -> str:
        """Return the name that a picture is known by from now on."""
        name = uuid4().hex  # not a number: another engine process would count the same ones
        self._pictures[name] = picture
        while len(self._pictures) > MOST_SENT:
            self._pictures.popitem(last=False)
        return name


def parts_of(picture: Picture, places: tuple[int, ...] | None) -> Iterator[Edges]:
    """Yield the edges at some places in parts, all where `places` is None."""
    if places is None:
        for first in range(0, len(picture.edges), A_PART):
            yield Edges(picture.edges[first : first + A_PART])
    else:
        for first in range(0, len(places), A_PART):
            some = places[first : first + A_PART]
            yield Edges(tuple(picture.edges[place] for place in some), some)


def put_together(before: tuple[PictureEdge, ...], parts: list[Edges]) -> tuple[PictureEdge, ...]:
    """Return the edges of an answer that follows another one, of whose edges only some came."""
    found = list(before)
    for part in parts:
        for place, edge in zip(part.places, part.edges, strict=True):
            found[place] = edge
    return tuple(found)


def _pair(edge: PictureEdge) -> tuple[int, int]:
    return edge.client, edge.server
