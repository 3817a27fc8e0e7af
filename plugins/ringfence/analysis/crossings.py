"""Crossings: every way in which two sets of ends may (or may not) talk, as products of addresses and services.

Cells of a table are products, so what passes between two groups of equal tables is a union of products too: it is
computed whole, never sampled, and costs by distinct pairs of tables instead of pairs of hosts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from ringfence.analysis.ends import Ends
from ringfence.analysis.permitted import Sides
from ringfence.compiler import Compilation
from ringfence.model.addresses import FAMILIES
from ringfence.model.assets import Asset
from ringfence.model.intervals import EMPTY, IntervalSet, union
from ringfence.model.memberships import ALWAYS, Membership, alternatives
from ringfence.model.rules import Direction, Peer
from ringfence.model.services import EVERY_SERVICE, Services
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


class Crossings:
    """Finds crossings between what peers choose, in one compilation."""

    def __init__(self, compilation: Compilation) -> None:
        self.tables = compilation.tables
        self.snapshot = compilation.snapshot
        self.settings = compilation.settings
        self.ends = Ends(compilation.snapshot, compilation.settings)
        self.sides = Sides()

    def passing(self, sources: Sequence[Peer], destinations: Sequence[Peer], services: Services) -> Iterator[Crossing]:
        """Yield crossings that together are all that passes; the products may overlap."""
        for client, server, out, into, sets in self._pairs(sources, destinations):
            if client.table is None and server.table is None:
                continue
            for family, whole in FAMILIES.items():
                wanted = services.of(family)
                for sent in self._halves(client.table, Direction.OUT, client.points & whole, out, sets, passing=True):
                    for taken in self._halves(server.table, Direction.IN, server.points & whole, into, passing=True):
                        clients, servers = sent.own & taken.far, taken.own & sent.far
                        passed = sent.services & taken.services & wanted
                        if clients and servers and passed:
                            processes = sent.process, taken.process
                            yield Crossing(clients, servers, passed, *processes, client, server, sent.members)

    def blocked(self, sources: Sequence[Peer], destinations: Sequence[Peer], services: Services) -> Iterator[Crossing]:
        """Yield crossings that together are all that does not pass; the products may overlap."""
        for client, server, out, into, sets in self._pairs(sources, destinations):
            for family, whole in FAMILIES.items():
                clients, servers = client.points & whole, server.points & whole
                if not clients or not servers:
                    continue
                for half in self._halves(client.table, Direction.OUT, clients, out, sets, passing=False):
                    far, stopped = half.far & servers, half.services & services.of(family)
                    if far and stopped:
                        yield Crossing(half.own, far, stopped, half.process, OTHER, client, server, half.members)
                for half in self._halves(server.table, Direction.IN, servers, into, passing=False):
                    far, stopped = half.far & clients, half.services & services.of(family)
                    if far and stopped:
                        yield Crossing(far, half.own, stopped, OTHER, half.process, client, server, sets.inside)

    def _halves(
        self,
        table: VerdictTable | None,
        direction: Direction,
        own: IntervalSet,
        peer: Peer,
        sets: Membership = ALWAYS,
        *,
        passing: bool,
    ) -> list[_Half]:
        """Return what a side lets through (or not) to far addresses in some dynamic sets and any others."""
        if not own:
            return []
        if table is None:
            every = union(FAMILIES.values())
            return [_Half(own, every, EVERY_SERVICE, OTHER, sets.inside)] if passing else []
        halves = []
        directed = table.direction(direction)
        asked = directed.classes_of(peer.process)
        for cell in directed.cells:
            here = cell.local & own if cell.process in asked else EMPTY
            membership = cell.membership.merged(sets)
            if not here or membership is None:
                continue
            services = self.sides.passing(cell.services)
            services = services if passing else EVERY_SERVICE - services
            if services:
                halves.append(_Half(here, cell.remote, services, cell.process, membership.inside))
        return halves

    def _pairs(
        self, sources: Sequence[Peer], destinations: Sequence[Peer]
    ) -> Iterator[tuple[Group, Group, Peer, Peer, Membership]]:
        """Yield pairs of groups with the peers that chose them, and the dynamic sets that the servers are in."""
        for source, named in product(sources, destinations):
            for sets, selector in alternatives(named.selector):
                membership, destination = Membership(tuple(sorted(sets))), Peer(selector, named.process)
                for client, server in self._between(source, destination):
                    yield client, server, source, destination, membership

    def _between(self, source: Peer, destination: Peer) -> Iterator[tuple[Group, Group]]:
        clients, servers = self._groups(source), self._groups(destination)
        for client in clients:
            for server in servers:
                if server.realm in self.settings.sees(client.realm):
                    yield client, server
            outside = self.ends.outside([destination.selector], client.realm)
            if outside:
                yield client, Group(None, client.realm, outside, ())
        for server in servers:
            outside = self.ends.outside([source.selector], server.realm)
            if outside:
                yield Group(None, server.realm, outside, ()), server

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
