"""The fewest rules that cover what is wanted and open little beside it: a weighted set cover, chosen greedily.

A candidate is a service between a combination of labels and another. What it opens beyond the pairs of groups that want
it has a price, against that of one more rule; the dial says how much. (Greedy choice by worth over price is within
ln n of the best cover: Chvátal 1979. That a mined policy is judged by its size and by what it grants beyond the log is
the measure of Xu and Stoller, "Mining Attribute-Based Access Control Policies from Logs", 2014.)
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from ringfence.suggest.groups import Groups, Pairs, subsets

DIALS = {"tight": 0.0, "balanced": 0.5, "wide": 1.0}
# What one label more in a rule costs, in rules: of two that open the same the shorter one is taken.
LABEL_PRICE = 0.02
# A person says which application and which roles: of hosts that differ in their role alone each more is worth a part of
# a rule (they stand in one list), and a side that leaves out what it is or whose it is costs a part of one.
ROLE, ONE_ROLE_MORE, UNSAID = "role", 0.25, 0.3
FORBIDDEN = 1e9


@dataclass(frozen=True, slots=True, order=True)
class Service:
    """A protocol and ports from `low` to `high`; for ICMP the type."""

    protocol: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, order=True)
class Choice:
    """One side of a rule: labels, or one asset, or addresses of none."""

    labels: Pairs = ()
    asset: str = ""
    peer: str = ""

    @property
    def parts(self) -> int:
        """Return how many words it takes."""
        return len(self.labels) or 1


Wanted = tuple[int, int, Service]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A rule of the cover: both sides, the service, and the numbers of the wanted that it is for."""

    source: Choice
    destination: Choice
    service: Service
    covered: tuple[int, ...]


def price_of(dial: float) -> float:
    """Return what opening as much again as is wanted costs, in rules: 10 at 0 (tight), 1 in the middle, 0.1 at 1."""
    return float(10 ** (1 - 2 * dial))


class Reach:
    """Which groups a choice means, and what a rule between two choices would open."""

    def __init__(
        self,
        groups: Groups,
        closed: Callable[[int, int, int, int], bool] | None,
        refused: Callable[[int, int, Service], str | None],
    ) -> None:
        """Take who says what is decided already, None where nothing is, and what a person rejected."""
        self.groups = groups
        self._masks = groups.masks()
        self._closed = closed
        self.refused = refused
        self._single: dict[Choice, int] = {}
        for number, one in enumerate(groups.every):
            if not one.labels:
                choice = self.choices(number)[0]
                self._single[choice] = self._single.get(choice, 0) | 1 << number
        self._sizes: dict[int, int] = {}
        self._kinds_of: dict[int, list[int]] = {}

    def choices(self, number: int) -> list[Choice]:
        """Return what a rule may call a group."""
        group = self.groups.every[number]
        if group.peer is not None:
            return [Choice(peer=group.peer)]
        if group.asset is not None:
            return [Choice(asset=group.asset)]
        return [Choice(labels) for labels in subsets(group.labels)[1:]]

    def mask(self, choice: Choice) -> int:
        """Return the groups that a choice means, as bits."""
        if choice.asset or choice.peer:
            return self._single.get(choice, 0)
        return self._masks.get(choice.labels, 0)

    def size(self, mask: int) -> int:
        """Return how many assets or addresses some groups have."""
        known = self._sizes.get(mask)
        if known is None:
            known = self._sizes[mask] = sum(self.groups.every[number].size for number in bits(mask))
        return known

    def opened(self, source: int, destination: int, service: Service) -> int:
        """Return how many pairs a rule between groups opens that are not decided; no host is a pair with itself."""
        if self._closed is None:
            return self.pairs(source, destination)
        clients, servers = self._by_kind(source), self._by_kind(destination)
        return sum(
            self.pairs(some, others)
            for some in clients
            for others in servers
            if not self._closed(_first(some), _first(others), service.protocol, service.low)
        )

    def pairs(self, source: int, destination: int) -> int:
        """Return how many pairs of different hosts there are between groups."""
        return self.size(source) * self.size(destination) - self.size(source & destination)

    def _by_kind(self, mask: int) -> list[int]:
        """Return some groups by what the rules that are there say of them, each kind as bits."""
        known = self._kinds_of.get(mask)
        if known is None:
            found: dict[int, int] = {}
            for number in bits(mask):
                kind = self.groups.every[number].kind
                found[kind] = found.get(kind, 0) | 1 << number
            known = self._kinds_of[mask] = list(found.values())
        return known


def _first(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def bits(mask: int) -> list[int]:
    """Return the places of the bits of a number, in order."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def cover(wanted: Sequence[Wanted], reach: Reach, dial: float) -> list[Chosen]:
    """Return the rules for everything that is wanted, in the order in which they were chosen."""
    price = price_of(dial)
    candidates: dict[tuple[Choice, Choice, Service], list[int]] = {}
    for number, (client, server, service) in enumerate(wanted):
        destinations = reach.choices(server)
        for source in reach.choices(client):
            for destination in destinations:
                candidates.setdefault((source, destination, service), []).append(number)
    greedy = _Greedy(wanted, reach, price, candidates)
    left = set(range(len(wanted)))
    found = []
    while left:
        key, covered = greedy.best(left)
        found.append(Chosen(*key, tuple(candidates[key])))
        left.difference_update(covered)
    return _needed(found)


def _needed(found: Sequence[Chosen]) -> list[Chosen]:
    """Return the rules without those that the later ones made unneeded."""
    times: dict[int, int] = {}
    for one in found:
        for number in one.covered:
            times[number] = times.get(number, 0) + 1
    dropped = set()
    for place in sorted(range(len(found)), key=lambda place: len(found[place].covered)):
        if all(times[number] > 1 for number in found[place].covered):
            dropped.add(place)
            for number in found[place].covered:
                times[number] -= 1
    return [one for place, one in enumerate(found) if place not in dropped]


class _Greedy:
    """Candidates by worth over price, best first; what is worth less by now is put back."""

    def __init__(
        self,
        wanted: Sequence[Wanted],
        reach: Reach,
        price: float,
        candidates: Mapping[tuple[Choice, Choice, Service], Collection[int]],
    ) -> None:
        self._wanted, self._reach, self._price = wanted, reach, price
        self._candidates = candidates
        self._keys = sorted(candidates)
        self._costs: dict[int, float] = {}
        keys = reach.groups.keys
        self._said = {*keys[:1], ROLE} & set(keys)
        every = [_without_role(group.labels) or number for number, group in enumerate(reach.groups.every)]
        self._others = [(every[client], every[server]) for client, server, _ in wanted]
        # a first guess: nothing is opened beyond
        self._heap = [
            (-self._worth(candidates[key]) / self._words(key), number) for number, key in enumerate(self._keys)
        ]
        heapq.heapify(self._heap)

    def best(self, left: Collection[int]) -> tuple[tuple[Choice, Choice, Service], list[int]]:
        """Return the candidate of most worth for its price, and what it covers of what is left."""
        while True:
            guess, number = heapq.heappop(self._heap)
            key = self._keys[number]
            covered = [one for one in self._candidates[key] if one in left]
            if not covered:
                continue
            worth = -self._worth(covered) / self._cost(number)
            if not self._heap or worth <= self._heap[0][0] or worth == guess:
                return key, covered
            heapq.heappush(self._heap, (worth, number))

    def _cost(self, number: int) -> float:
        known = self._costs.get(number)
        if known is None:
            key = self._keys[number]
            source, destination, service = key
            clients, servers = self._reach.mask(source), self._reach.mask(destination)
            pairs = {self._wanted[one][:2] for one in self._candidates[key]}
            needed = max(1, sum(self._reach.pairs(1 << client, 1 << server) for client, server in pairs))
            opened = self._reach.pairs(clients, servers)
            if opened > needed:
                opened = self._reach.opened(clients, servers, service)
            beyond = max(0.0, opened / needed - 1)
            known = self._costs[number] = self._words(key) + self._price * len(pairs) * beyond
            if self._reach.refused(clients, servers, service) is not None:
                known = self._costs[number] = known + FORBIDDEN  # taken where nothing else covers it
        return known

    def _worth(self, covered: Collection[int]) -> float:
        """Return what covering these is worth, in rules."""
        apart = len({self._others[number] for number in covered})
        return apart + ONE_ROLE_MORE * (len(covered) - apart)

    def _words(self, key: tuple[Choice, Choice, Service]) -> float:
        """Return what a rule costs for its length."""
        unsaid = sum(len(self._said - {name for name, _ in one.labels}) for one in key[:2] if one.labels)
        return 1 + LABEL_PRICE * (key[0].parts + key[1].parts) + UNSAID * unsaid


def _without_role(labels: Pairs) -> Pairs:
    return tuple(label for label in labels if label[0] != ROLE)
