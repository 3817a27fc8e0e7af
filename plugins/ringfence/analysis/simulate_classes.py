"""Classes of ends and of services: what no table that a simulation asks can tell apart, judged once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from random import Random

from ringfence.analysis.builtins import edges
from ringfence.analysis.lookup import Remotes
from ringfence.analysis.simulate_ends import EndPolicy, PlacedEnd
from ringfence.model.addresses import family_of
from ringfence.model.assets import Control
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Direction
from ringfence.model.services import point_of
from ringfence.model.tables import ServiceMap

_Key = tuple[object, ...]


class EndClasses:
    """Numbers the classes of ends: ends of one class stand alike in their own tables, and alike to every other table.

    `members` has one end for each number.
    """

    def __init__(self, placed: Sequence[PlacedEnd]) -> None:
        """Take every end that will be asked for, equal policies as one object."""
        self.members: list[PlacedEnd] = []
        self._numbers: dict[_Key, int] = {}
        policies = list(_end_policies(placed))
        remotes = list({id(one): one for policy in policies for one in policy.remotes}.values())
        self._cuts = list({id(one.cut): one.cut for one in remotes if one.cut is not None}.values())
        networks = {id(one.networks): one.networks for one in policies if one.networks is not None}
        ranged = [one for one in remotes if one.cut is None]
        self._ranges = _ranges(sorted({end.point for end in placed}), ranged, networks.values())
        self._far: dict[int, _Key] = {}
        self._alike: dict[_Key, _Key] = {}

    def number(self, end: PlacedEnd, direction: Direction) -> int:
        """Return the number of the class of an end, the client's where the direction is out."""
        far = self._far.get(end.point)
        if far is None:
            cuts = (cut.class_at(end.point) for cut in self._cuts)
            far = (end.kind, family_of(end.point), self._ranges[end.point], *cuts)
            far = self._far[end.point] = self._alike.setdefault(far, far)
        key = (direction is Direction.IN, end.label, id(far), id(end.draft), id(end.current))
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.members)
            self.members.append(end)
        return number


class ServiceClasses:
    """Numbers the classes of services: all points of one class have the same outcome in every map that may be asked."""

    def __init__(self, placed: Iterable[PlacedEnd]) -> None:
        """Take every end that will be asked for."""
        policies = list(_end_policies(placed))
        remotes = {id(one): one for policy in policies for one in policy.remotes}.values()
        maps: dict[int, ServiceMap] = {}
        for one in remotes:
            for cases in {id(cases): cases for cases in one.cases}.values():
                maps.update((id(services), services) for _, services in cases)
        controls: set[Control | None] = {None, *(policy.control for policy in policies)}
        starts = {low for services in maps.values() for low, _, _ in services.pieces}
        self._starts = sorted(starts.union(*(edges(control) for control in controls)))

    def number(self, protocol: int, port: int | None) -> int:
        """Return the number of the class of a service; a protocol's unknown type of message is a class of its own."""
        if port is None:
            return -1 - protocol
        return bisect_right(self._starts, point_of(protocol, port))


def _end_policies(placed: Iterable[PlacedEnd]) -> Iterator[EndPolicy]:
    found = {id(one): one for end in placed for one in (end.draft, end.current) if one is not None}
    return iter(found.values())


def _ranges(points: Sequence[int], ranged: Sequence[Remotes], networks: Iterable[IntervalSet]) -> dict[int, int]:
    """Return a number for every point, equal where the points lie in the same pieces of all remotes and networks.

    Each piece has a random number of 128 bits and a point the exclusive or of those that it lies in: that two points
    of different pieces are taken for equal is as likely as that two files of one sha256 differ.
    """
    chance = Random(0)  # noqa: S311 - nothing is kept secret; the same for the same input
    turns = [0] * (len(points) + 1)

    def lies(low: int, high: int, mark: int) -> None:
        first, last = bisect_left(points, low), bisect_right(points, high)
        if first < last:
            turns[first] ^= mark
            turns[last] ^= mark

    for one in ranged:
        marks: dict[int, int] = {}
        alike: dict[tuple[int, ...], int] = {}
        for low, high, cases in zip(one.lows, one.highs, one.cases, strict=True):
            mark = marks.get(id(cases))
            if mark is None:
                maps = tuple(id(services) for _, services in cases)
                mark = marks[id(cases)] = alike.setdefault(maps, chance.getrandbits(128))
            lies(low, high, mark)
    for network in networks:
        mark = chance.getrandbits(128)
        for low, high in network:
            lies(low, high, mark)
    found: dict[int, int] = {}
    inside = 0
    for point, turn in zip(points, turns, strict=False):
        inside ^= turn
        found[point] = inside
    return found
