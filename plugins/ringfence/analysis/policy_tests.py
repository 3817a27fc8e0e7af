"""Policy tests: what a person expects of single pairs, judged as if every mode were `full`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from ringfence.analysis.ends import Ends
from ringfence.analysis.reach import reach
from ringfence.compiler import Compilation
from ringfence.model.addresses import family_of
from ringfence.model.intervals import EMPTY, IntervalSet
from ringfence.model.memberships import sets_of
from ringfence.model.rules import Action, Direction, Peer, PolicyTest
from ringfence.model.services import service_texts
from ringfence.model.tables import ProcessClass, VerdictTable


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

    Every pair of ends must answer as expected. `allow` is met if the service passes between some addresses of the pair
    for some process on each end (of those the test names), `deny` if it passes for none. A test that chooses no pair
    fails: it would prove nothing.
    """
    ends = Ends(compilation.snapshot, compilation.settings)
    found = []
    for test in compilation.policy.tests:
        failure = _failure(compilation, ends, test)
        if failure is not None:
            found.append(failure)
    return found


def _failure(compilation: Compilation, ends: Ends, test: PolicyTest) -> Failure | None:
    sources = tuple(peer.selector for peer in test.sources)
    destinations = tuple(peer.selector for peer in test.destinations)
    passing: dict[tuple[str, str], IntervalSet] = {}
    for source, destination in product(test.sources, test.destinations):
        for row in reach(compilation, [source.selector], [destination.selector]):
            if _asked(compilation.tables.get(row.client), Direction.OUT, source, row.client_process) and _asked(
                compilation.tables.get(row.server), Direction.IN, destination, row.server_process
            ):
                pair = row.client, row.server
                passing[pair] = passing.get(pair, EMPTY) | row.services
    if test.expect is Action.DENY:
        wanted = test.services.v4 | test.services.v6
        for (client, server), services in passing.items():
            if services & wanted:
                return Failure(test, client, server, services & wanted)
        chosen = any(_chooses(ends, peers) for peers in (test.sources, test.destinations))
        return None if chosen else Failure(test, "", "", EMPTY)
    pairs = 0
    for client_asset, a in ends.assets(sources):
        for server_asset, b in ends.assets(destinations):
            if client_asset.name == server_asset.name or not ends.meets(client_asset, server_asset):
                continue
            families = {family_of(low) for low, _ in a} & {family_of(low) for low, _ in b}
            wanted = EMPTY
            for family in families:
                wanted = wanted | test.services.of(family)
            pairs += 1
            missing = wanted - passing.get((client_asset.name, server_asset.name), EMPTY)
            if missing:
                return Failure(test, client_asset.name, server_asset.name, missing)
    return _outside_failure(ends, test, passing) if pairs == 0 else None


def _outside_failure(ends: Ends, test: PolicyTest, passing: dict[tuple[str, str], IntervalSet]) -> Failure | None:
    """Judge a test with an end that no asset holds; with none chosen at all, the test fails."""
    wanted = test.services.v4 | test.services.v6
    judged = False
    for near, far, outward in ((test.sources, test.destinations, True), (test.destinations, test.sources, False)):
        for asset, _ in ends.assets([peer.selector for peer in near]):
            named = outward and any(sets_of(peer.selector) for peer in far)
            if not named and not ends.outside([peer.selector for peer in far], asset.realm):
                continue
            judged = True
            rows = [s for (c, d), s in passing.items() if (c if outward else d) == asset.name]
            if not rows or any(wanted - services for services in rows):
                names = (asset.name, "outside") if outward else ("outside", asset.name)
                return Failure(test, *names, wanted)
    return None if judged else Failure(test, "", "", EMPTY)


def _chooses(ends: Ends, peers: tuple[Peer, ...]) -> bool:
    return bool(ends.assets([peer.selector for peer in peers]))


def _asked(table: VerdictTable | None, direction: Direction, peer: Peer, process: ProcessClass | None) -> bool:
    """Return whether a row is about a process that a test asks about; one that holds for all is about each."""
    if table is None:
        return True
    asked = table.direction(direction).classes_of(peer.process)
    return bool(asked) if process is None else process in asked
