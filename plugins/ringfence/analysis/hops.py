"""Hops: what may be reached from one asset, from there, and so on, by classes of assets that no table tells apart.

Whoever holds an asset holds every process on it, so a side passes what it lets through for any process. An address is
in no dynamic set. Where nothing is enforced everything passes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from ringfence.analysis.lookup import Remotes
from ringfence.analysis.side_permissions import Sides
from ringfence.model.addresses import family_of
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.intervals import EMPTY, IntervalSet, union
from ringfence.model.rules import Direction, Settings
from ringfence.model.services import EVERY_SERVICE, Services
from ringfence.model.tables import Classes, DirectionTable, ServiceMap, VerdictTable


@dataclass(frozen=True, slots=True)
class Alike:
    """Assets that stand alike in every table; `points` are the addresses of the first of them."""

    assets: tuple[Asset, ...]
    points: tuple[int, ...]
    table: VerdictTable | None


@dataclass(frozen=True, slots=True)
class Step:
    """How a class is reached first: after how many hops, from which class, on which services (points)."""

    hop: int
    via: int
    services: IntervalSet


@dataclass(frozen=True, slots=True)
class Spread:
    """What is reached: a step for each class but the one it began in, and the classes by their numbers."""

    steps: Mapping[int, Step]
    classes: Sequence[Alike]

    def assets(self) -> dict[str, tuple[Asset, Step, Alike]]:
        """Return every asset that is reached, by name, with its step and class."""
        return {
            asset.name: (asset, step, self.classes[number])
            for number, step in self.steps.items()
            for asset in self.classes[number].assets
        }

    def path(self, number: int) -> list[tuple[Alike, IntervalSet]]:
        """Return the classes on the way to one, each with the services by which it is reached, the nearest first."""
        found: list[tuple[Alike, IntervalSet]] = []
        while number in self.steps:
            step = self.steps[number]
            found.append((self.classes[number], step.services))
            number = step.via
        return found[::-1]

    def behind(self) -> dict[int, int]:
        """Return how many assets are reached through each class, as far as the steps tell: at most so many need it."""
        counts: dict[int, int] = {}
        for number, step in self.steps.items():
            at = step.via
            while at in self.steps:
                counts[at] = counts.get(at, 0) + len(self.classes[number].assets)
                at = self.steps[at].via
        return counts


@dataclass(slots=True)
class _Far:
    """What one class lets through: for each of its addresses and each process the remotes, out and in."""

    out: list[tuple[int, list[Remotes] | None]] = field(default_factory=list)
    into: list[tuple[int, list[Remotes] | None]] = field(default_factory=list)


class Hops:
    """Answers for one asset in one set of tables; `services` limits every hop to some, None for any."""

    def __init__(
        self,
        start: Asset,
        snapshot: Snapshot,
        settings: Settings,
        tables: Mapping[str, VerdictTable],
        services: Services | None = None,
    ) -> None:
        self.settings = settings
        self.wanted = {family: services.of(family) if services else EVERY_SERVICE for family in (4, 6)}
        self.sides = Sides()
        self.classes = _classes(start, snapshot, tables)
        self.start = next(number for number, one in enumerate(self.classes) if one.assets[0].name == start.name)
        self._far: dict[int, _Far] = {}
        self._edges: dict[tuple[int, int], IntervalSet] = {}
        self._passing: dict[tuple[int, ...], IntervalSet] = {}
        self._both: dict[tuple[int, int, int], IntervalSet] = {}
        self._kept: list[object] = []  # whose ids are keys

    def spread(self, most: int | None = None, without: Collection[int] = ()) -> Spread:
        """Return what is reached in at most so many hops, without the classes that are taken away."""
        steps: dict[int, Step] = {}
        left = [number for number in range(len(self.classes)) if number != self.start and number not in without]
        level, hop = [self.start], 0
        while level and left and (most is None or hop < most):
            hop += 1
            found: dict[int, Step] = {}
            for source in level:
                rest = []
                for number in left:
                    if services := self.services(source, number):
                        found[number] = Step(hop, source, services)
                    else:
                        rest.append(number)
                left = rest
            steps.update(found)
            level = sorted(found)
        return Spread(steps, self.classes)

    def services(self, source: int, destination: int) -> IntervalSet:
        """Return the services (points) that pass from some address of one class to some address of another."""
        key = (source, destination)
        known = self._edges.get(key)
        if known is None:
            known = self._edges[key] = self._between(source, destination)
        return known

    def _between(self, source: int, destination: int) -> IntervalSet:
        client, server = self.classes[source], self.classes[destination]
        if server.assets[0].realm not in self.settings.sees(client.assets[0].realm):
            return EMPTY
        found: list[IntervalSet] = []
        for a, sent in self._of(source).out:
            for b, taken in self._of(destination).into:
                if (a < 1 << 32) == (b < 1 << 32):
                    out = EVERY_SERVICE if sent is None else self._any(sent, b)
                    into = EVERY_SERVICE if taken is None else self._any(taken, a)
                    found.append(self._meeting(out, into, family_of(a)))
        return found[0] if len(found) == 1 else union(found)

    def _of(self, number: int) -> _Far:
        known = self._far.get(number)
        if known is None:
            one, known = self.classes[number], _Far()
            for point in one.points:
                known.out.append((point, self._remotes(one.table, Direction.OUT, point)))
                known.into.append((point, self._remotes(one.table, Direction.IN, point)))
            self._far[number] = known
        return known

    def _remotes(self, table: VerdictTable | None, direction: Direction, point: int) -> list[Remotes] | None:
        if table is None:
            return None
        lookup = self.sides.lookup(table).directions[direction]
        found = (lookup.remotes_at(point, process) for process in lookup.table.process_classes)
        return list({id(one): one for one in found}.values())

    def _any(self, remotes: Sequence[Remotes], far: int) -> IntervalSet:
        maps: list[ServiceMap] = [one.cases_at(far)[0][1] for one in remotes]
        key = tuple(map(id, maps))
        known = self._passing.get(key)
        if known is None:
            known = self._passing[key] = union(self.sides.passing(services) for services in maps)
            self._kept += maps
        return known

    def _meeting(self, out: IntervalSet, into: IntervalSet, family: int) -> IntervalSet:
        key = (id(out), id(into), family)
        known = self._both.get(key)
        if known is None:
            known = self._both[key] = out & into & self.wanted[family]
            self._kept += [out, into]
        return known


def _classes(start: Asset, snapshot: Snapshot, tables: Mapping[str, VerdictTable]) -> list[Alike]:
    """Return the assets with an address in classes that no table tells apart; the start is one of its own."""
    distinct = {id(table): table for table in tables.values()}
    alike = _places(sorted({point for asset in snapshot.assets for point in asset.addresses}), distinct.values())
    found: dict[tuple[object, ...], list[Asset]] = {}
    for asset in snapshot.assets:
        if asset.addresses:
            places = tuple(alike[point] for point in asset.addresses)
            key = (asset.name == start.name, asset.realm, id(tables.get(asset.name)), places)
            found.setdefault(key, []).append(asset)
    return [Alike(tuple(one), one[0].addresses, tables.get(one[0].name)) for one in found.values()]


def _places(points: Sequence[int], tables: Iterable[VerdictTable]) -> dict[int, object]:
    """Return what stands for the place of every point in all tables: its family, and the cells that it lies in.

    Sets of addresses have a random number of 128 bits each, and a point the exclusive or of those that hold it.
    """
    cuts: dict[int, Classes] = {}
    sets: dict[IntervalSet, None] = {}
    for direction in (one for table in tables for one in (table.inbound, table.outbound)):
        _collect(direction, cuts, sets)
    chance = Random(0)  # noqa: S311 - nothing is kept secret; the same for the same input
    turns = [0] * (len(points) + 1)
    for one in sets:
        mark = chance.getrandbits(128)
        for low, high in one:
            first, last = bisect_left(points, low), bisect_right(points, high)
            if first < last:
                turns[first] ^= mark
                turns[last] ^= mark
    found: dict[int, object] = {}
    inside = 0
    for point, turn in zip(points, turns, strict=False):
        inside ^= turn
        found[point] = (family_of(point), inside, *(cut.class_at(point) for cut in cuts.values()))
    return found


def _collect(direction: DirectionTable, cuts: dict[int, Classes], sets: dict[IntervalSet, None]) -> None:
    for cell in direction.cells:
        sets.setdefault(cell.local)
        far = cell.remote_classes
        if far is None:
            sets.setdefault(cell.remote)
        else:
            cuts[id(far.cut)] = far.cut
