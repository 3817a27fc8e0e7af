"""The levels of a picture: the same traffic between coarser groups, and the finest level that can still be drawn.

A level is a number of labels: 1 has the groups of the first label alone. Networks, the unknown and the internet are
themselves at every level.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.model.picture import (
    GroupKind,
    Picture,
    PictureEdge,
    PictureGroup,
    PictureService,
    PolicyState,
    Sign,
    SignCount,
)

Signs = Mapping[PolicyState, Mapping[Sign, SignCount]]
LABELLED = (GroupKind.LABELS, GroupKind.ASSET)
ASSET = "asset"  # a level that is no label: a group an asset
DRAWN_EDGES = 800  # about 0.3 ms each in a browser that draws without a graphics card
DRAWN_GROUPS = 400


@dataclass(frozen=True, slots=True)
class Level:
    """The groups of one level, and for each group of the picture the index of the one that it is part of."""

    depth: int
    groups: tuple[PictureGroup, ...]
    of: tuple[int, ...]


def finest(picture: Picture) -> int:
    """Return the last level of a picture; 1 where it has no labels."""
    return max(len(picture.levels), 1)


def placeable(picture: Picture, groups: int = DRAWN_GROUPS) -> int:
    """Return the finest level that has at most so many groups, 1 where none has: it can be drawn, not all its edges."""
    return next((one for one in range(finest(picture), 1, -1) if len(level(picture, one).groups) <= groups), 1)


def level(picture: Picture, depth: int) -> Level:
    """Return the groups of a level, in the picture's order."""
    places: dict[object, int] = {}
    groups: list[PictureGroup] = []
    of: list[int] = []
    assets = ASSET in picture.levels[:depth]
    for group in picture.groups:
        if group.kind not in LABELLED or depth >= len(group.labels):
            key: object = group
            coarse = group
        else:
            key = group.labels[:depth]
            name = group.name if assets else ""
            coarse = PictureGroup(GroupKind.ASSET if assets else GroupKind.LABELS, group.labels[:depth], 0, name)
        place = places.setdefault(key, len(groups))
        if place == len(groups):
            groups.append(replace(coarse, assets=0))
        groups[place] = replace(groups[place], assets=groups[place].assets + group.assets)
        of.append(place)
    return Level(depth, tuple(groups), tuple(of))


def drawable(picture: Picture, edges: int = DRAWN_EDGES, groups: int = DRAWN_GROUPS) -> int:
    """Return the finest level that has at most so many edges and groups, 1 where none has."""
    for depth in range(finest(picture), 1, -1):
        found = level(picture, depth)
        if len(found.groups) <= groups and _pairs(picture, found) <= edges:
            return depth
    return 1


def coarsened(picture: Picture, depth: int) -> Picture:
    """Return the same traffic between the groups of a level; its totals are the same."""
    if depth >= finest(picture):
        return picture
    found = level(picture, depth)
    together: dict[tuple[int, int], list[PictureEdge]] = {}
    for edge in picture.edges:
        together.setdefault((found.of[edge.client], found.of[edge.server]), []).append(edge)
    edges = tuple(_joined(*pair, edges) for pair, edges in sorted(together.items()))
    return replace(picture, levels=picture.levels[:depth], groups=found.groups, edges=edges)


def _pairs(picture: Picture, found: Level) -> int:
    return len({(found.of[edge.client], found.of[edge.server]) for edge in picture.edges})


def _joined(client: int, server: int, edges: list[PictureEdge]) -> PictureEdge:
    if len(edges) == 1:
        return replace(edges[0], client=client, server=server)
    services: dict[tuple[int, int | None], list[PictureService]] = {}
    for edge in edges:
        for service in edge.services:
            services.setdefault((service.protocol, service.port), []).append(service)
    joined = [
        PictureService(protocol, port, _summed(one.signs for one in same), _latest(one.last for one in same))
        for (protocol, port), same in services.items()
    ]
    return PictureEdge(
        client,
        server,
        _summed(edge.signs for edge in edges),
        sum((edge.refused for edge in edges), SignCount()),
        tuple(sorted(joined, key=_busiest_first)),
        _latest(edge.last for edge in edges),
        max(edge.more_services for edge in edges),
    )


def _summed(several: Iterable[Signs]) -> Signs:
    found: dict[PolicyState, dict[Sign, SignCount]] = {}
    for signs in several:
        for state, counts in signs.items():
            into = found.setdefault(state, {})
            for sign, count in counts.items():
                into[sign] = into.get(sign, SignCount()) + count
    return found


def _latest(times: Iterable[datetime | None]) -> datetime | None:
    return max((time for time in times if time is not None), default=None)


def _busiest_first(service: PictureService) -> tuple[int, int, int]:
    connections = max((sum(one.connections for one in counts.values()) for counts in service.signs.values()), default=0)
    return -connections, service.protocol, -1 if service.port is None else service.port
