"""Policy tests: what a person expects of single pairs, judged as if every mode were `full`."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.analysis.crossings import Crossings, first_pair
from ringfence.analysis.pairs import Pairs
from ringfence.compiler import Compilation
from ringfence.model.addresses import address_text
from ringfence.model.intervals import EMPTY, IntervalSet
from ringfence.model.rules import Action, PolicyTest
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
    """
    crossings = Crossings(compilation)
    failed = (_failure(crossings, test) for test in compilation.policy.tests)
    return [failure for failure in failed if failure is not None]


def _failure(crossings: Crossings, test: PolicyTest) -> Failure | None:
    passing = list(crossings.passing(test.sources, test.destinations, test.services))
    if test.expect is Action.DENY:
        opened = ((pair, crossing.services) for crossing in passing if (pair := first_pair(crossing)) is not None)
        smallest = min(opened, key=lambda one: (one[0][1], one[0][3]), default=None)
        if smallest is not None:
            (one, a, other, b), services = smallest
            return Failure(
                test, one.name if one else address_text(a), other.name if other else address_text(b), services
            )
        passing = []
    pairs = Pairs(crossings, passing, test.services)
    chosen = False
    for source in test.sources:
        for destination in test.destinations:
            for client, server, missing in pairs.between(source, destination):
                if missing and test.expect is Action.ALLOW:
                    return Failure(test, client, server, missing)
                chosen = True
    return None if chosen else Failure(test, "", "", EMPTY)
