"""Who decides what a rule says: the outcomes that the tables have for everything that the rule chooses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ringfence.analysis.peer_resolution import Ends
from ringfence.compiler import Compilation
from ringfence.model.addresses import FAMILIES
from ringfence.model.assets import Asset
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.rules import Direction, Peer, Rule
from ringfence.model.services import Services
from ringfence.model.tables import Outcome, ProcessClass, ServiceMap, VerdictTable


def deciders(compilation: Compilation, ends: Ends, rule: Rule) -> frozenset[Outcome]:
    """Return every outcome of a piece (near and far address, near process, service) that a rule speaks for."""
    found: set[Outcome] = set()
    for direction in rule.sides:
        for peer in rule.local(direction):
            for table, realm, own in _near(compilation, ends, peer):
                far = _far(ends, rule.remote(direction), realm)
                maps = _maps(table, direction, peer, own, far)
                found.update(outcome for family, one in maps for outcome in _within(one, rule.services, family))
    return frozenset(found)


def _near(compilation: Compilation, ends: Ends, peer: Peer) -> Iterator[tuple[VerdictTable, str, IntervalSet]]:
    """Yield the tables of what a peer chooses, with the realm and the chosen addresses of their workloads."""
    groups: dict[tuple[int, str], tuple[VerdictTable, list[IntervalSet]]] = {}
    for asset, points in ends.assets([peer.selector]):
        table = compilation.tables.get(asset.name)
        if table is not None:
            groups.setdefault((id(table), asset.realm), (table, []))[1].append(points)
    for (_, realm), (table, chosen) in groups.items():
        yield table, realm, union(chosen)


def _far(ends: Ends, peers: Sequence[Peer], realm: str) -> IntervalSet:
    selectors = [peer.selector for peer in peers]
    met = (points for asset, points in ends.assets(selectors) if _meets(ends, realm, asset))
    return union(met) | ends.outside(selectors, realm)


def _meets(ends: Ends, realm: str, asset: Asset) -> bool:
    return asset.realm in ends.settings.sees(realm)


def _maps(
    table: VerdictTable, direction: Direction, peer: Peer, own: IntervalSet, far: IntervalSet
) -> Iterator[tuple[int, ServiceMap]]:
    """Yield each service map of the cells that hold some of these addresses, once for each family."""
    directed = table.direction(direction)
    classes: frozenset[ProcessClass] = directed.classes_of(peer.process)
    by_family = {family: (own & whole, far & whole) for family, whole in FAMILIES.items()}
    seen: set[tuple[int, int]] = set()
    for cell in directed.cells:
        if cell.process not in classes:
            continue
        for family, (near, remote) in by_family.items():
            key = (id(cell.services), family)
            if key not in seen and _touch(cell.local, near) and _touch(cell.remote, remote):
                seen.add(key)
                yield family, cell.services


def _touch(one: IntervalSet, other: IntervalSet) -> bool:
    return one.meets(other)


def _within(services: ServiceMap, asked: Services, family: int) -> Iterator[Outcome]:
    wanted = asked.of(family)
    for low, high, outcome in services.pieces:
        if IntervalSet(((low, high),)).meets(wanted):
            yield outcome
