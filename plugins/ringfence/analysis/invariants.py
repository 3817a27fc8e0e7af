"""Invariants: statements proven for every asset, address, port and process, as if every mode were `full`."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.analysis.counterexample import Counterexample, counterexample
from ringfence.analysis.reachability import Crossings
from ringfence.compiler import Compilation
from ringfence.model.rules import Action, Invariant
from ringfence.model.services import ANY_SERVICE


@dataclass(frozen=True, slots=True)
class Broken:
    """An invariant that does not hold, with the smallest connection that shows it."""

    invariant: Invariant
    example: Counterexample

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "invariant": self.invariant.name,
            "place": str(self.invariant.place),
            "expect": str(self.invariant.expect),
            "example": self.example.data(),
        }


def broken(compilation: Compilation) -> list[Broken]:
    """Return the policy's invariants that do not hold in a compilation; semantics 10 wants it compiled with `full`.

    `expect: deny` holds if nothing of it passes, `expect: allow` if all of it passes. Built-ins are left out, and so is
    what a host says to itself and what has no workload on either end.
    """
    crossings = Crossings(compilation)
    found = []
    for invariant in compilation.policy.invariants:
        example = _counterexample(crossings, compilation, invariant)
        if example is not None:
            found.append(Broken(invariant, example))
    return found


def _counterexample(crossings: Crossings, compilation: Compilation, invariant: Invariant) -> Counterexample | None:
    ask = crossings.passing if invariant.expect is Action.DENY else crossings.blocked
    services = invariant.services or ANY_SERVICE
    best: tuple[tuple[int, int, int], Counterexample] | None = None
    for crossing in ask(invariant.sources, invariant.destinations, services):
        size = (crossing.clients.intervals[0][0], crossing.servers.intervals[0][0], crossing.services.intervals[0][0])
        if best is None or size < best[0]:
            example = counterexample(crossings, compilation.policy, crossing)
            if example is not None:
                best = size, example
    return best[1] if best else None
