"""Policy tests: what a person expects of single pairs, judged as if every mode were `full`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from ringfence.analysis.crossings import Crossings, first_pair
from ringfence.analysis.pairs import Pairs
from ringfence.compiler import Compilation
from ringfence.model.addresses import address_text, family_of
from ringfence.model.assets import Asset
from ringfence.model.intervals import EMPTY, IntervalSet, union
from ringfence.model.memberships import sets_of
from ringfence.model.rules import Action, Direction, Peer, PolicyTest
from ringfence.model.services import service_texts


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that fails: the first pair of ends that answers otherwise and the services concerned (points)."""

    test: PolicyTest
    client: str
    server: str
    services: IntervalSet

    def __str__(self) -> str:
        got = "denied" if self.test.expect is Action.ALLOW else "allowed"
        if not self.client:
            return f"test '{self.test.name}': nothing in the inventory is chosen by its from and to"
        words = ", ".join(service_texts(self.services))
        return f"test '{self.test.name}': {self.client} to {self.server} is {got} on {words}"

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "test": self.test.name,
            "place": str(self.test.place),
            "expect": str(self.test.expect),
            "from": self.client,
            "to": self.server,
            "services": list(service_texts(self.services)),
        }


def failures(compilation: Compilation) -> list[Failure]:
    """Return the policy's tests that fail in a compilation; semantics 10 wants it compiled with `full`.

    Every pair of ends must answer as expected: two assets, or an asset and an address that no asset holds. `allow` is
    met if the service passes between some addresses of the pair for some process on each end (of those the test names),
    `deny` if it passes for none. Left out is what a host says to itself and what has no workload on either end; a test
    that chooses no other pair fails: it would prove nothing.

    Addresses are in no dynamic set, but a `deny` must hold for those that may be in any. A name in `to` stands for
    addresses that are its answers and of which nothing else is known: what the client's side says of them is judged.
    """
    crossings = Crossings(compilation)
    failed = (_failure(crossings, test) for test in compilation.policy.tests)
    return [failure for failure in failed if failure is not None]


def _failure(crossings: Crossings, test: PolicyTest) -> Failure | None:
    named = [peer for peer in test.destinations if sets_of(peer.selector)]
    plain = [peer for peer in test.destinations if not sets_of(peer.selector)]
    if named and (failure := _named_failure(crossings, test, named)):
        return failure
    if not plain:
        return None
    passing = list(crossings.passing(test.sources, plain, test.services))
    if test.expect is Action.DENY:
        opened = ((pair, crossing.services) for crossing in passing if (pair := first_pair(crossing)) is not None)
        smallest = min(opened, key=lambda one: (one[0][1], one[0][3]), default=None)
        if smallest is not None:
            (one, a, other, b), services = smallest
            return Failure(
                test, one.name if one else address_text(a), other.name if other else address_text(b), services
            )
        passing = []
    passing = [one for one in passing if not one.members]
    pairs = Pairs(crossings, passing, test.services)
    chosen = False
    for source in test.sources:
        for destination in plain:
            for client, server, missing in pairs.between(source, destination):
                if missing and test.expect is Action.ALLOW:
                    return Failure(test, client, server, missing)
                chosen = True
    return None if chosen else Failure(test, "", "", EMPTY)


def _named_failure(crossings: Crossings, test: PolicyTest, named: Sequence[Peer]) -> Failure | None:
    """Judge what the clients' sides say of the answers to names; a test that chooses no client fails."""
    chosen = False
    for source, peer in product(test.sources, named):
        for asset, points in crossings.ends.assets([source.selector]):
            for name in sets_of(peer.selector):
                chosen = True
                failure = _unexpected(crossings, test, source, asset, points, name)
                if failure is not None:
                    return failure
    return None if chosen else Failure(test, "", "", EMPTY)


def _unexpected(
    crossings: Crossings, test: PolicyTest, source: Peer, asset: Asset, points: IntervalSet, name: str
) -> Failure | None:
    table = crossings.tables.get(asset.name)
    if table is None:
        return None
    lookup = crossings.sides.lookup(table).directions[Direction.OUT]
    for somewhere in crossings.ends.anywhere():
        family = family_of(somewhere)
        own = [point for point in asset.addresses if point in points and family_of(point) == family]
        maps = [
            lookup.services_at(local, process, somewhere, (name,))
            for local, process in product(own, table.outbound.classes_of(source.process))
        ]
        wanted, passed = test.services.of(family), union(map(crossings.sides.passing, maps))
        wrong = wanted & passed if test.expect is Action.DENY else wanted - passed
        if own and wrong:
            return Failure(test, asset.name, name, wrong)
    return None
