"""A picture as the data of its page: columns of small numbers, the same for the same picture.

`levels` has for each level the name of every group, and for every group of the picture (`of`) which one it is part of;
levels that can be drawn have places. A time (`times`: the whole window, then its steps) has columns of edges, of rows
(a service of an edge; `edge` says how many edges further) and of counts (`row` likewise; `code` is the state times six
plus the sign).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ringfence.model.picture import WORST_FIRST, Picture, PictureEdge, PictureGroup, PolicyState
from ringfence.model.safe_text import clean_line
from ringfence.presenting.map.geometry import BEND, BEND_LEAST
from ringfence.presenting.map.layout import HEIGHT, WIDTH, Layout, layout
from ringfence.presenting.map.levels import DRAWN_EDGES, DRAWN_GROUPS, coarsened, drawable, finest, level, placeable
from ringfence.presenting.map.rest import rows_of
from ringfence.presenting.map.words import EXPLAINED, MEANINGS, STATES, group_name, moment, service_word

CARRIED = 200_000  # edges in a page
BUSIEST = 5  # of the finer edges of each edge, where the page carries a coarser picture


@dataclass(slots=True)
class _Services:
    """The services of a page, each with its number."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, word: str) -> int:
        return self.numbers.setdefault(word, len(self.numbers))


def page_data(pictures: Sequence[Picture], state: PolicyState, carried: int = CARRIED) -> Mapping[str, object]:
    """Return the data of a page: the first picture is of the whole window, the others of its steps.

    Past `carried` edges each picture goes in at a coarser level, and each edge has its busiest finer ones.
    """
    depth = finest(pictures[0])
    while depth > 1 and sum(len(coarsened(one, depth).edges) for one in pictures) > carried:
        depth -= 1
    coarse = [coarsened(one, depth) for one in pictures]
    whole = coarse[0]
    groups = dict.fromkeys(_key(group) for one in coarse for group in one.groups)
    places = {key: place for place, key in enumerate(groups)}
    known = {_key(group): group for one in reversed(coarse) for group in one.groups}
    whole = replace(whole, groups=tuple(known[key] for key in places))
    placed = placeable(whole)
    states = [one for one in PolicyState if any(one in picture.totals for picture in pictures)]
    services = _Services()
    times = [
        _time(one, fine, [places[_key(group)] for group in one.groups], services, states)
        for one, fine in zip(coarse, pictures, strict=True)
    ]
    return {
        "levels": [_level(whole, number, placed) for number in range(1, finest(whole) + 1)],
        "keys": list(map(clean_line, whole.levels)),
        "left": list(map(clean_line, pictures[0].levels[depth:])),
        "depth": drawable(whole),
        "placed": placed,
        "states": [[str(one), STATES[one]] for one in states],
        "state": states.index(state) if state in states else 0,
        "signs": [[str(sign), MEANINGS[sign], EXPLAINED[sign]] for sign in WORST_FIRST],
        "drawn": {"edges": DRAWN_EDGES, "groups": DRAWN_GROUPS},
        "box": [WIDTH, HEIGHT],
        "bend": [BEND_LEAST, BEND],
        "services": list(services.numbers),
        "times": times,
    }


def _key(group: PictureGroup) -> PictureGroup:
    return replace(group, assets=0)


def _level(picture: Picture, depth: int, most: int) -> Mapping[str, object]:
    found = level(picture, depth)
    placed: Layout | None = layout(found.groups, depth) if depth <= most else None
    return {
        "names": [group_name(group) for group in found.groups],
        "assets": [group.assets for group in found.groups],
        "of": list(found.of),
        "short": list(placed.names) if placed else None,
        "places": [list(place) for place in placed.places] if placed else None,
        "frames": [
            [one.x, one.y, one.width, one.height, one.title, int(one.row)] for one in (placed.frames if placed else ())
        ],
    }


def _time(
    picture: Picture, fine: Picture, places: Sequence[int], services: _Services, states: Sequence[PolicyState]
) -> Mapping[str, object]:
    """Return the columns of one picture; its groups have these numbers in the page."""
    codes = {
        (state, sign): states.index(state) * 6 + place for state in states for place, sign in enumerate(WORST_FIRST)
    }
    edges: dict[str, list[int]] = {"client": [], "server": [], "refused": [], "attempts": []}
    rows: dict[str, list[int]] = {"edge": [], "service": [], "last": []}
    counts: dict[str, list[int]] = {"row": [], "code": [], "flows": [], "connections": []}
    behind_edge = behind_row = 0
    for edge in picture.edges:
        edges["client"].append(places[edge.client])
        edges["server"].append(places[edge.server])
        edges["refused"].append(edge.refused.flows)
        edges["attempts"].append(edge.refused.connections)
        for row in rows_of(edge):
            word = "others" if row.protocol is None else service_word(row.protocol, row.port)
            rows["edge"].append(behind_edge)
            rows["service"].append(services.number(word))
            rows["last"].append(_seconds(row.last, picture))
            behind_edge = 0
            for state, signs in row.signs.items():
                for sign, count in signs.items():
                    if count.flows:
                        counts["row"].append(behind_row)
                        counts["code"].append(codes[state, sign])
                        counts["flows"].append(count.flows)
                        counts["connections"].append(count.connections)
                        behind_row = 0
            behind_row += 1
        behind_edge += 1
    return {
        "since": moment(picture.since),
        "until": moment(picture.until),
        "base": int(picture.until.timestamp()) if picture.until else 0,
        "edges": edges,
        "rows": rows,
        "counts": counts,
        "busiest": _busiest(picture, fine) if fine is not picture else None,
    }


def _seconds(time: datetime | None, picture: Picture) -> int:
    """Return how long before the window's end a time is, in seconds; -1 for none."""
    if time is None:
        return -1
    base = int(picture.until.timestamp()) if picture.until else 0
    return base - int(time.timestamp()) if picture.until else int(time.timestamp())


def _busiest(picture: Picture, fine: Picture) -> list[list[object]]:
    """Return for each edge the busiest finer ones, `[client, server, flows]`, and how many more there are."""
    of = level(fine, len(picture.levels)).of
    behind: dict[tuple[int, int], list[PictureEdge]] = {}
    for edge in fine.edges:
        behind.setdefault((of[edge.client], of[edge.server]), []).append(edge)
    found: list[list[object]] = []
    for edge in picture.edges:
        finer = sorted(behind[edge.client, edge.server], key=lambda one: (-_flows(one), one.client, one.server))
        shown = [
            [group_name(fine.groups[one.client]), group_name(fine.groups[one.server]), _flows(one)]
            for one in finer[:BUSIEST]
        ]
        found.append([shown, len(finer) - len(shown)])
    return found


def _flows(edge: PictureEdge) -> int:
    """Return how many flows an edge has under the state that says most of it."""
    judged = (sum(count.flows for count in signs.values()) for signs in edge.signs.values())
    return max(judged, default=0) + edge.refused.flows
