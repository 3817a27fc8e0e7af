"""The rows behind an edge: its services, and what is of none that is named, so that their sum is the edge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ringfence.model.picture import PictureEdge, PolicyState, Sign, SignCount


@dataclass(frozen=True, slots=True)
class Row:
    """What one service has of an edge; `protocol` is None for the services that are not named one by one."""

    protocol: int | None
    port: int | None
    signs: Mapping[PolicyState, Mapping[Sign, SignCount]]
    last: datetime | None


def rows_of(edge: PictureEdge) -> Iterator[Row]:
    """Yield the services of an edge, then one row for what they leave of it."""
    left = {state: dict(counts) for state, counts in edge.signs.items()}
    for service in edge.services:
        yield Row(service.protocol, service.port, service.signs, service.last)
        for state, counts in service.signs.items():
            of = left.setdefault(state, {})
            for sign, count in counts.items():
                had = of.get(sign, SignCount())
                of[sign] = SignCount(had.flows - count.flows, had.connections - count.connections)
    rest = {state: {sign: count for sign, count in counts.items() if count.flows > 0} for state, counts in left.items()}
    if any(rest.values()):
        yield Row(None, None, rest, edge.last)
