"""Pictures by hand: groups from words, edges from signs and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

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

LEVELS = ("env", "app", "role")
Told = Mapping[PolicyState, Mapping[Sign, SignCount]]


def group(words: str) -> PictureGroup:
    """Return a group of labels, `prod shop web`; `-` is no label; `unknown` and `internet` are those."""
    if words in ("unknown", "internet"):
        return PictureGroup(GroupKind(words), ())
    return PictureGroup(GroupKind.LABELS, tuple(None if word == "-" else word for word in words.split()), 2)


def told(**states: str) -> Told:
    """Return counts of states: `draft="x12/61 +3/9"` are flows and connections of signs."""
    return {PolicyState(name): _counts(text) for name, text in states.items()}


def edge(client: int, server: int, refused: int = 0, ports: Sequence[int] = (443,), **states: str) -> PictureEdge:
    """Return an edge whose flows are all of the first port."""
    signs = told(**states)
    services = tuple(PictureService(6, port, signs if not place else {}) for place, port in enumerate(ports))
    return PictureEdge(client, server, signs, SignCount(refused, refused), services)


def picture(groups: Sequence[str | PictureGroup], *edges: PictureEdge, levels: Sequence[str] = LEVELS) -> Picture:
    """Return a picture with its totals."""
    totals: dict[PolicyState, dict[Sign, SignCount]] = {}
    for one in edges:
        for state, counts in one.signs.items():
            for sign, count in counts.items():
                of_state = totals.setdefault(state, {})
                of_state[sign] = of_state.get(sign, SignCount()) + count
    made = tuple(group(one) if isinstance(one, str) else one for one in groups)
    refused = sum((one.refused for one in edges), SignCount())
    return Picture(tuple(levels), made, edges, totals, refused, datetime(2026, 11, 17, tzinfo=UTC))


def _counts(text: str) -> Mapping[Sign, SignCount]:
    found = {}
    for word in text.split():
        flows, _, connections = word[1:].partition("/")
        found[Sign(word[0])] = SignCount(int(flows), int(connections or flows))
    return found
