"""What the policy as it is in the files would do to flows that were seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.analysis.simulate import Simulation
from ringfence.analysis.simulate import simulate as simulated
from ringfence.analysis.simulate_judge import Category
from ringfence.analysis.simulate_unheld import ToNobody, to_nobody
from ringfence.estate.held_tables import held_tables, known_records
from ringfence.operations.execution import Execution

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.flow_selection import FlowSelection


@dataclass(frozen=True, slots=True)
class Simulated:
    """Counts of judged flows; single flows can be asked for as long as their window is open.

    `wrong` counts flows that were left out, `to_nobody` those to addresses that no asset holds.
    """

    simulation: Simulation
    totals: dict[str, object]
    wrong: int
    to_nobody: ToNobody

    @property
    def judged(self) -> int:
        """Return how many flows have a verdict."""
        return sum(count.flows for count in self.simulation.categories.values())

    @property
    def newly_denied(self) -> int:
        """Return how many flows would be denied that are allowed now."""
        return self.simulation.categories[Category.NEWLY_DENIED].flows

    def flows(self, categories: Sequence[str] = (), limit: int | None = None) -> list[dict[str, object]]:
        """Return single flows as plain data, the busiest first: of some categories, else of all."""
        chosen = self.simulation.flows([Category(one) for one in categories] or None, limit=limit)
        return [flow.data() for flow in chosen]

    def data(self) -> dict[str, object]:
        """Return plain data for JSON, without single flows."""
        counts = self.simulation.data()
        return {"window": self.totals, **counts, "wrong": self.wrong, "to_nobody": self.to_nobody.data()}


@contextmanager
def simulate(estate: Estate, flows: FlowSelection, execution: Execution | None = None) -> Iterator[Simulated]:
    """Judge flows, compared with what hosts hold; within the context their window is open."""
    listener = (execution or Execution()).listener
    compiled = estate.compiled()
    current = held_tables(estate, known_records(estate), listener)
    # a host that nothing brings its table to goes on with what it holds
    tables = {**compiled.tables, **{name: current[name] for name in compiled.why if name in current}}
    with flows.window(estate, listener) as window:
        result = simulated(tables, estate.snapshot, window, current)
        nobodys = to_nobody(result, estate.snapshot, estate.workspace.settings)
        yield Simulated(result, window.totals(), window.wrong, nobodys)
