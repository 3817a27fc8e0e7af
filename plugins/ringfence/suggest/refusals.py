"""What a person rejected, as a question to traffic between two groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ringfence.analysis.peer_resolution import chosen_addresses, chosen_outside, points_of
from ringfence.language.rejections import Rejection
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Peer
from ringfence.model.services import point_of
from ringfence.suggest.cover import Service
from ringfence.suggest.groups import Groups

# An asset itself, as a point that no address has: what is chosen by its labels is chosen without an address too.
_ITSELF = IntervalSet(((-1, -1),))


def refusing(
    rejections: Sequence[Rejection], groups: Groups, private: IntervalSet
) -> Callable[[int, int, Service], str | None]:
    """Return the question: the reason why a person rejected a service between two groups, None where nobody did."""
    assets = groups.snapshot.named()
    chosen: dict[tuple[int, int, int], bool] = {}

    def means(rejection: int, side: int, peers: Sequence[Peer], number: int) -> bool:
        key = (rejection, side, number)
        if key not in chosen:
            group = groups.every[number]
            if group.members:
                asset = assets[group.members[0]]
                points = points_of(asset) | _ITSELF
                chosen[key] = any(bool(chosen_addresses(peer.selector, asset, points)) for peer in peers)
            else:
                points = IntervalSet.of((point, point) for point in group.points)
                chosen[key] = any(bool(chosen_outside(peer.selector, points, private)) for peer in peers)
        return chosen[key]

    def refused(client: int, server: int, service: Service) -> str | None:
        point = point_of(service.protocol, service.low)
        for place, one in enumerate(rejections):
            if (
                point in one.services.v4 | one.services.v6
                and means(place, 0, one.sources, client)
                and means(place, 1, one.destinations, server)
            ):
                return f"rejected: {one.because}" if one.because else "rejected"
        return None

    return refused
