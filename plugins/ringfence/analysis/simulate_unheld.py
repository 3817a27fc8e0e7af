"""Allowed flows to addresses of one's own that no asset holds: what the host that holds one does is not known."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.simulate import Simulation
from ringfence.analysis.unheld import Unheld
from ringfence.model.addresses import address_text, point_of
from ringfence.model.assets import Snapshot
from ringfence.model.rules import Settings
from ringfence.wire.first_few import first_few


@dataclass(frozen=True, slots=True)
class ToNobody:
    """How many flows, and to which addresses, the busiest first."""

    flows: int
    addresses: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.flows:,} of the allowed flows go to addresses near at hand that no asset holds: "
            f"{first_few(self.addresses)}; a host of yours that holds one has no rule for it"
        )

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {"flows": self.flows, "addresses": list(self.addresses)}


def to_nobody(simulation: Simulation, snapshot: Snapshot, settings: Settings) -> ToNobody:
    """Return the allowed flows of a simulation to such addresses; its window must still be open."""
    unheld = Unheld(Ends(snapshot, settings))
    judged = simulation.judged
    allowed = [number for number, verdict in enumerate(judged.verdicts) if verdict.allowed]
    found = [(point, count) for end, count in judged.to_no_asset(allowed) if (point := point_of(end)) in unheld]
    return ToNobody(sum(count for _, count in found), tuple(address_text(point) for point, _ in found))
