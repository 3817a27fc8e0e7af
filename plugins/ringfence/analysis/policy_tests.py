"""Policy tests: what a person expects of single pairs, judged as if every mode were `full`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product

from ringfence.analysis.counterexample import with_members
from ringfence.analysis.pair_coverage import Pairs
from ringfence.analysis.reachability import Crossings, first_pair
from ringfence.compiler import Compilation
from ringfence.model.addresses import address_text, family_of
from ringfence.model.intervals import EMPTY, IntervalSet, union
from ringfence.model.memberships import alternatives
from ringfence.model.rules import Action, Direction, Peer, PolicyTest
from ringfence.model.selectors import AllOf, AnyAddress, AnyOf, Selector
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
    addresses that are its answers, and no other name's: what the client's side says of them is judged, or, where labels
    or addresses are and-ed to the name, the pairs that these choose.
    """
    crossings = Crossings(compilation)
    failed = (_failure(crossings, test) for test in compilation.policy.tests)
    return [failure for failure in failed if failure is not None]


def _failure(crossings: Crossings, test: PolicyTest) -> Failure | None:
    chosen = False
    for members, peers in _by_members(test.destinations).items():
        bare = [peer for peer in peers if members and _says_nothing(peer.selector)]
        rest = [peer for peer in peers if peer not in bare]
        answers = _of_answers(crossings, test, members) if bare else iter(())
        for failure in chain(answers, _of_pairs(crossings, test, rest, members)):
            if failure is not None:
                return failure
            chosen = True
    return None if chosen else Failure(test, "", "", EMPTY)


def _by_members(destinations: Sequence[Peer]) -> dict[frozenset[str], list[Peer]]:
    """Return what peers choose, without their names, by the dynamic sets that the address has to be in."""
    found: dict[frozenset[str], list[Peer]] = {}
    for peer in destinations:
        for members, selector in alternatives(peer.selector):
            found.setdefault(members, []).append(Peer(selector, peer.process))
    return found


def _says_nothing(selector: Selector) -> bool:
    """Return whether a selector is made of `any` in such a way that every address is chosen."""
    match selector:
        case AnyAddress():
            return True
        case AllOf(parts):
            return bool(parts) and all(map(_says_nothing, parts))
        case AnyOf(parts):
            return any(map(_says_nothing, parts))
        case _:
            return False


def _of_pairs(
    crossings: Crossings, test: PolicyTest, peers: Sequence[Peer], members: frozenset[str]
) -> Iterator[Failure | None]:
    """Judge pairs of ends, the server in some dynamic sets; yield None for those that answer as expected."""
    passing = list(crossings.passing(test.sources, peers, test.services, members))
    exact = [one for one in passing if members.issuperset(one.members)]
    if test.expect is Action.DENY:
        judged = exact if members else passing
        opened = ((pair, one) for one in judged if (pair := first_pair(one)) is not None)
        smallest = min(opened, key=lambda found: (found[0][1], found[0][3]), default=None)
        if smallest is not None:
            (client, a, server, b), crossing = smallest
            names = (client.name if client else address_text(a), server.name if server else address_text(b))
            yield Failure(test, names[0], with_members(names[1], crossing.members), crossing.services)
        exact = []
    pairs = Pairs(crossings, exact, test.services)
    for source, destination in product(test.sources, peers):
        for one, other, missing in pairs.between(source, destination):
            wrong = missing and test.expect is Action.ALLOW
            yield Failure(test, one, with_members(other, sorted(members)), missing) if wrong else None


def _of_answers(crossings: Crossings, test: PolicyTest, members: frozenset[str]) -> Iterator[Failure | None]:
    """Judge what the clients' sides say of the members of dynamic sets of which nothing else is known."""
    for source, somewhere in product(test.sources, crossings.ends.anywhere()):
        family = family_of(somewhere)
        for asset, points in crossings.ends.assets([source.selector]):
            table = crossings.tables.get(asset.name)
            own = [point for point in asset.addresses if point in points and family_of(point) == family]
            if table is None or not own:
                continue
            lookup = crossings.sides.lookup(table).directions[Direction.OUT]
            maps = [
                lookup.services_at(local, process, somewhere, members)
                for local, process in product(own, table.outbound.classes_of(source.process))
            ]
            wanted, passed = test.services.of(family), union(map(crossings.sides.passing, maps))
            wrong = wanted & passed if test.expect is Action.DENY else wanted - passed
            yield Failure(test, asset.name, " and ".join(sorted(members)), wrong) if wrong else None
