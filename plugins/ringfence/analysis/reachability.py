"""Crossings: every way in which two sets of ends may (or may not) talk, as products of addresses and services.

Cells of a table are products, so what passes between two groups of equal tables is a union of products too: it is
computed whole, never sampled, and costs by distinct pairs of tables instead of pairs of hosts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import partial
from itertools import product

from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.side_permissions import Sides
from ringfence.compiler import Compilation
from ringfence.model.addresses import EVERY_ADDRESS, FAMILIES
from ringfence.model.assets import Asset
from ringfence.model.intervals import EMPTY, IntervalSet, union
from ringfence.model.memberships import Membership, alternatives
from ringfence.model.rules import Direction, Peer
from ringfence.model.services import Services
from ringfence.model.tables import OTHER, ProcessClass, VerdictTable


@dataclass(frozen=True, slots=True)
class Group:
    """Ends that one table speaks for (None: no workload), or that no asset holds (`assets` is empty)."""

    table: VerdictTable | None
    realm: str
    points: IntervalSet
    assets: tuple[Asset, ...]


@dataclass(frozen=True, slots=True)
class Crossing:
    """All of `clients` to all of `servers` (points) on `services`, as the processes named on each side.

    It is so where the servers are in the dynamic sets of `members`, which any address may be.
    """

    clients: IntervalSet
    servers: IntervalSet
    services: IntervalSet
    client_process: ProcessClass
    server_process: ProcessClass
    client_group: Group
    server_group: Group
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Half:
    """What one side does: own addresses, far addresses and the services concerned, for one process class."""

    own: IntervalSet
    far: IntervalSet
    services: IntervalSet
    process: ProcessClass
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _End:
    """A group with what it does as client or server, by address family."""

    group: Group
    halves: dict[int, list[_Half]]


class Crossings:
    """Finds crossings between what peers choose, in one compilation."""

    def __init__(self, compilation: Compilation) -> None:
        self.tables = compilation.tables
        self.snapshot = compilation.snapshot
        self.settings = compilation.settings
        self.ends = Ends(compilation.snapshot, compilation.settings)
        self.sides = Sides()

    def passing(
        self, sources: Sequence[Peer], destinations: Sequence[Peer], services: Services, within: Set[str] = frozenset()
    ) -> Iterator[Crossing]:
        """Yield crossings that together are all that passes; the products may overlap.

        Servers are in the dynamic sets of `within` and in the others that a crossing names. What has no workload on
        either end is left out.
        """
        for client, server in self._pairs(sources, destinations, services, passing=True, within=within):
            if client.group.table is None and server.group.table is None:
                continue
            for family in FAMILIES:
                for sent, taken in product(client.halves[family], server.halves[family]):
                    passed = sent.services & taken.services
                    if not passed:
                        continue
                    clients = sent.own & taken.far
                    servers = taken.own & sent.far if clients else EMPTY
                    if servers:
                        groups = client.group, server.group
                        processes = sent.process, taken.process
                        yield Crossing(clients, servers, passed, *processes, *groups, sent.members)

    def blocked(self, sources: Sequence[Peer], destinations: Sequence[Peer], services: Services) -> Iterator[Crossing]:
        """Yield crossings that together are all that does not pass; the products may overlap."""
        for client, server in self._pairs(sources, destinations, services, passing=False):
            groups = client.group, server.group
            for family, whole in FAMILIES.items():
                clients, servers = client.group.points & whole, server.group.points & whole
                for half in client.halves[family]:
                    if far := half.far & servers:
                        yield Crossing(half.own, far, half.services, half.process, OTHER, *groups, half.members)
                for half in server.halves[family]:
                    if far := half.far & clients:
                        yield Crossing(far, half.own, half.services, OTHER, half.process, *groups, half.members)

    def _end(
        self, group: Group, direction: Direction, peer: Peer, sets: Membership, services: Services, *, passing: bool
    ) -> _End:
        halves: dict[int, list[_Half]] = {}
        for family, whole in FAMILIES.items():
            own, wanted = group.points & whole, services.of(family)
            halves[family] = list(self._halves(group.table, direction, own, peer, sets, wanted, passing)) if own else []
        return _End(group, halves)

    def _halves(
        self,
        table: VerdictTable | None,
        direction: Direction,
        own: IntervalSet,
        peer: Peer,
        sets: Membership,
        wanted: IntervalSet,
        passing: bool,
    ) -> Iterator[_Half]:
        """Yield what a side lets through (or not) where the server is in some dynamic sets, and any others."""
        if table is None:
            if passing and wanted:
                yield _Half(own, EVERY_ADDRESS, wanted, OTHER, sets.inside)
            return
        directed = table.direction(direction)
        asked = directed.classes_of(peer.process)
        for cell in directed.cells:
            membership = cell.membership.merged(sets)
            if cell.process not in asked or membership is None:
                continue
            passed = self.sides.passing(cell.services)
            services = wanted & passed if passing else wanted - passed
            here = cell.local & own if services else EMPTY
            if here:
                yield _Half(here, cell.remote, services, cell.process, membership.inside)

    def _pairs(
        self,
        sources: Sequence[Peer],
        destinations: Sequence[Peer],
        services: Services,
        *,
        passing: bool,
        within: Set[str] = frozenset(),
    ) -> Iterator[tuple[_End, _End]]:
        meant = [
            (Peer(selector, peer.process), Membership(tuple(sorted(within | sets))))
            for peer in destinations
            for sets, selector in alternatives(peer.selector)
        ]
        for source, (destination, sets) in product(sources, meant):
            end = partial(self._end, sets=sets, services=services, passing=passing)
            clients = [end(group, Direction.OUT, source) for group in self._groups(source)]
            servers = [end(group, Direction.IN, destination) for group in self._groups(destination)]
            for client in clients:
                realm = client.group.realm
                for server in servers:
                    if server.group.realm in self.settings.sees(realm):
                        yield client, server
                if outside := self.ends.outside([destination.selector], realm):
                    yield client, end(Group(None, realm, outside, ()), Direction.IN, destination)
            for server in servers:
                realm = server.group.realm
                if outside := self.ends.outside([source.selector], realm):
                    yield end(Group(None, realm, outside, ()), Direction.OUT, source), server

    def _groups(self, peer: Peer) -> list[Group]:
        found: dict[tuple[int, str], tuple[VerdictTable | None, list[Asset], list[IntervalSet]]] = {}
        for asset, points in self.ends.assets([peer.selector]):
            table = self.tables.get(asset.name)
            _, assets, sets = found.setdefault((id(table), asset.realm), (table, [], []))
            assets.append(asset)
            sets.append(points)
        return [Group(table, realm, union(sets), tuple(assets)) for (_, realm), (table, assets, sets) in found.items()]


def first_pair(crossing: Crossing) -> tuple[Asset | None, int, Asset | None, int] | None:
    """Return the smallest pair of ends of a crossing that are not the same host, or None where there is none."""
    for client, point in _holders(crossing.client_group, crossing.clients):
        for server, other in _holders(crossing.server_group, crossing.servers):
            if client is None or server is None or client.name != server.name:
                return client, point, server, other
    return None


def _holders(group: Group, points: IntervalSet) -> Iterator[tuple[Asset | None, int]]:
    if not group.assets:
        yield None, points.intervals[0][0]
        return
    for asset in group.assets:
        yield from ((asset, point) for point in asset.addresses if point in points)
