"""What a person rejected, as a question to traffic between groups and to rules that would allow it."""

from __future__ import annotations

from collections.abc import Sequence

from ringfence.analysis.peer_resolution import chosen_addresses, chosen_outside, points_of
from ringfence.language.rejections import Rejection
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Peer
from ringfence.model.services import point_of
from ringfence.suggest.cover import Service
from ringfence.suggest.groups import Groups

# An asset itself, as a point that no address has: what is chosen by its labels is chosen without an address too.
_ITSELF = IntervalSet(((-1, -1),))


class Refusals:
    """Rejections, each with the groups of both its sides as bits; the groups must all be known."""

    def __init__(self, rejections: Sequence[Rejection], groups: Groups, private: IntervalSet) -> None:
        self._every = [
            (
                _groups_of(one.sources, groups, private),
                _groups_of(one.destinations, groups, private),
                one.services.v4 | one.services.v6,
                f"rejected: {one.because}" if one.because else "rejected",
            )
            for one in rejections
        ]

    def why(self, client: int, server: int, service: Service) -> str | None:
        """Return why a person rejected a service between two groups, None where nobody did."""
        return self.met(1 << client, 1 << server, service)

    def met(self, clients: int, servers: int, service: Service) -> str | None:
        """Return why a person rejected something that a rule between groups, given as bits, would allow."""
        points = (point_of(service.protocol, service.low), point_of(service.protocol, service.high))
        for sources, destinations, services, why in self._every:
            if clients & sources and servers & destinations and IntervalSet((points,)) & services:
                return why
        return None


def _groups_of(peers: Sequence[Peer], groups: Groups, private: IntervalSet) -> int:
    """Return the groups that some peers choose, as bits."""
    assets = groups.snapshot.named()
    found = 0
    for number, group in enumerate(groups.every):
        if group.members:
            asset = assets[group.members[0]]
            points = points_of(asset) | _ITSELF
            chosen = any(chosen_addresses(peer.selector, asset, points) for peer in peers)
        else:
            points = IntervalSet.of((point, point) for point in group.points)
            chosen = any(chosen_outside(peer.selector, points, private) for peer in peers)
        found |= chosen << number
    return found
