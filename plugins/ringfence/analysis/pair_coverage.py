"""Pairs of ends, and what does not pass between them: judged by kinds of assets that cannot be told apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from ringfence.analysis.lookup import cut
from ringfence.analysis.reachability import Crossing, Crossings, Group
from ringfence.model.addresses import FAMILIES, family_of, range_text
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.rules import Peer
from ringfence.model.services import Services

Found = tuple[str, str, IntervalSet]


@dataclass(frozen=True, slots=True)
class _Kind:
    """Assets of one realm, all workloads or none, with addresses of the same families in the same crossings."""

    realm: str
    workload: bool
    families: frozenset[int]
    crossings: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of all crossings: their addresses and groups, those of the far side, and which ones name an asset."""

    points: list[IntervalSet]
    far_points: list[IntervalSet]
    far_groups: list[Group]
    of_asset: dict[str, list[int]]

    @staticmethod
    def of(near: Sequence[tuple[IntervalSet, Group]], far: Sequence[tuple[IntervalSet, Group]]) -> _Side:
        of_asset: dict[str, list[int]] = defaultdict(list)
        for number, (_, group) in enumerate(near):
            for asset in group.assets:
                of_asset[asset.name].append(number)
        return _Side([one for one, _ in near], [one for one, _ in far], [group for _, group in far], of_asset)


class Pairs:
    """Answers, for the crossings that together are all that passes of some services, what is missing between ends."""

    def __init__(self, crossings: Crossings, passing: Sequence[Crossing], services: Services) -> None:
        self.tables = crossings.tables
        self.ends = crossings.ends
        self.settings = crossings.settings
        self.services = services
        self.passed = [one.services for one in passing]
        clients = [(one.clients, one.client_group) for one in passing]
        servers = [(one.servers, one.server_group) for one in passing]
        self.clients, self.servers = _Side.of(clients, servers), _Side.of(servers, clients)

    def between(self, source: Peer, destination: Peer) -> Iterator[Found]:
        """Yield pairs of names and the services (points) that do not pass between any of their addresses.

        A pair stands for all others that are of the same kinds; ends outside every asset are ranges of addresses. Pairs
        without a workload, of one host with itself and of different address families are left out.
        """
        clients, servers = self._kinds(source, self.clients), self._kinds(destination, self.servers)
        for (client, client_names), (server, server_names) in product(clients.items(), servers.items()):
            families = client.families & server.families
            pair = _two(client_names, server_names)
            seen = server.realm in self.settings.sees(client.realm)
            if pair and families and seen and (client.workload or server.workload):
                wanted = union(self.services.of(family) for family in families)
                yield *pair, wanted - union(self.passed[number] for number in client.crossings & server.crossings)
        for kind, names in clients.items():
            yield from ((names[0], other, left) for other, left in self._outside(kind, self.clients, destination))
        for kind, names in servers.items():
            yield from ((other, names[0], left) for other, left in self._outside(kind, self.servers, source))

    def _kinds(self, peer: Peer, side: _Side) -> dict[_Kind, list[str]]:
        """Return the names of the assets that a peer chooses, in order, by kind."""
        found: dict[_Kind, list[str]] = {}
        for asset, chosen in self.ends.assets([peer.selector]):
            points = [point for low, high in chosen for point in range(low, high + 1)]
            numbers = side.of_asset.get(asset.name, ())
            met = frozenset(number for number in numbers if any(point in side.points[number] for point in points))
            kind = _Kind(asset.realm, asset.name in self.tables, frozenset(map(family_of, points)), met)
            found.setdefault(kind, []).append(asset.name)
        return found

    def _outside(self, kind: _Kind, side: _Side, far: Peer) -> Iterator[tuple[str, IntervalSet]]:
        """Yield a range of addresses that no asset holds, and what does not pass from or to a kind of assets there."""
        outside = self.ends.outside([far.selector], kind.realm) if kind.workload else IntervalSet()
        numbers = [number for number in kind.crossings if not side.far_groups[number].assets]
        for family in sorted(kind.families):
            asked = outside & FAMILIES[family]
            if not asked:
                continue
            first, missing = asked.intervals[0], IntervalSet()
            for piece, (*whole, last) in cut([*(side.far_points[number] for number in numbers), asked]):
                if last == len(numbers) and not missing:
                    left = self.services.of(family) - union(self.passed[numbers[index]] for index in whole)
                    first, missing = (piece, left) if left else (first, missing)
            yield range_text(*first), missing


def _two(clients: Sequence[str], servers: Sequence[str]) -> tuple[str, str] | None:
    """Return the first pair of different names, or None."""
    return next(((client, server) for client in clients[:2] for server in servers[:2] if client != server), None)
