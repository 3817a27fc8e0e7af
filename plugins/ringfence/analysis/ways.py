"""Hosts that may forward a packet between two addresses: asked to judge it, or on the networks of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.analysis.forwarding_hosts import ForwardingHost
from ringfence.enforcers import held_at
from ringfence.model.intervals import IntervalSet

if TYPE_CHECKING:
    from ringfence.analysis.query_endpoints import Terminal


@dataclass(frozen=True, slots=True)
class Way:
    """A host that forwards: what it is asked to judge (None: nothing), and the networks of its own that it told."""

    host: str
    asked: ForwardingHost | None
    networks: tuple[IntervalSet, ...] = ()

    def may_forward(self, client: Terminal, server: Terminal) -> bool:
        """Return whether a packet between two addresses may pass it: not where both are on one of its networks.

        An end is no way, nor is the host of a container that is one: that packet's table says what the host does.
        """
        assets = [one.asset for one in (client, server) if one.asset]
        if any(self.host in (one.name, *(held_at(one) or ())[:1]) for one in assets):
            return False
        near, far = ([one for one in self.networks if end.point in one] for end in (client, server))
        if any(one in far for one in near):
            return False
        if near and far:
            return True
        ends = [(one.asset, one.point) for one in (client, server)]
        return self.asked is not None and any(asset and point in self.asked.judged(asset) for asset, point in ends)


def that_may_forward(ways: Sequence[Way], client: Terminal, server: Terminal) -> list[str]:
    """Return the hosts that may forward between two addresses."""
    return [way.host for way in ways if way.may_forward(client, server)]
