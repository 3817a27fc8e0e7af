"""A picture as plain data, for `--json`: groups, the edges between them by number, and what each state says of them."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.model.picture import Picture, PictureEdge, PictureGroup, PolicyState, Sign, SignCount
from ringfence.presenting.map.words import MEANINGS, moment, service_word

Data = Mapping[str, object]


def plain(picture: Picture) -> Data:
    """Return a picture as data; `client` and `server` of an edge count from 0 in `groups`."""
    return {
        "levels": list(picture.levels),
        "since": moment(picture.since) or None,
        "until": moment(picture.until) or None,
        "totals": _signs(picture.totals),
        "refused": _count(picture.refused),
        "groups": [_group(one, picture.levels) for one in picture.groups],
        "edges": [_edge(one) for one in picture.edges],
    }


def _group(group: PictureGroup, levels: tuple[str, ...]) -> Data:
    return {
        "kind": str(group.kind),
        "name": group.name or None,
        "labels": dict(zip(levels, group.labels, strict=False)),
        "assets": group.assets,
    }


def _edge(edge: PictureEdge) -> Data:
    return {
        "client": edge.client,
        "server": edge.server,
        "signs": _signs(edge.signs),
        "refused": _count(edge.refused),
        "last_seen": moment(edge.last) or None,
        "services": [
            {
                "service": service_word(one.protocol, one.port),
                "signs": _signs(one.signs),
                "last_seen": moment(one.last) or None,
            }
            for one in edge.services
        ],
        "more_services": edge.more_services,
    }


def _signs(signs: Mapping[PolicyState, Mapping[Sign, SignCount]]) -> Data:
    return {
        str(state): {MEANINGS[sign].replace(" ", "_"): _count(count) for sign, count in counts.items() if count.flows}
        for state, counts in signs.items()
    }


def _count(count: SignCount) -> Data:
    return {"flows": count.flows, "connections": count.connections}
