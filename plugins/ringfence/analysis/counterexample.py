"""A counterexample: the smallest single connection that breaks a statement, and the rules that decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.analysis.reachability import Crossing, Crossings, first_pair
from ringfence.model.addresses import address_text
from ringfence.model.assets import Asset
from ringfence.model.errors import Place
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Direction, Policy
from ringfence.model.services import service_texts
from ringfence.model.tables import DEFAULT_RULE, ProcessClass


@dataclass(frozen=True, slots=True)
class Decision:
    """What decided one side: the rule's name and place, or the default of the mode."""

    side: str
    verdict: str
    rule: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Counterexample:
    """One connection, in words a person can try, with what decided it on each side that is a workload."""

    client: str
    server: str
    service: str
    client_process: ProcessClass
    server_process: ProcessClass
    decisions: tuple[Decision, ...]

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "from": self.client,
            "to": self.server,
            "service": self.service,
            "from_process": self.client_process.data(),
            "to_process": self.server_process.data(),
            "sides": [
                {"side": d.side, "verdict": d.verdict, "rule": d.rule, "place": str(d.place) if d.place else None}
                for d in self.decisions
            ],
        }


def counterexample(crossings: Crossings, policy: Policy, crossing: Crossing) -> Counterexample | None:
    """Return the smallest connection of a crossing between two different hosts, or None where there is none."""
    pair = first_pair(crossing)
    if pair is None:
        return None
    client, a, server, b = pair
    point = crossing.services.intervals[0][0]
    decisions = []
    for direction, table, local, remote, process in (
        (Direction.OUT, crossing.client_group.table, a, b, crossing.client_process),
        (Direction.IN, crossing.server_group.table, b, a, crossing.server_process),
    ):
        if table is None:
            continue
        members = crossing.members if direction is Direction.OUT else ()
        outcome = crossings.sides.lookup(table).outcome(direction, local, remote, process, point, members)
        rule = next((rule for rule in policy.rules if rule.id == outcome.rule), None)
        decisions.append(
            Decision(
                "from" if direction is Direction.OUT else "to",
                "allow" if outcome.passes else "deny",
                rule.name if rule else DEFAULT_RULE,
                rule.place if rule else None,
            )
        )
    service = service_texts(IntervalSet(((point, point),)))[0]
    to = with_members(_name(server, b), crossing.members)
    processes = crossing.client_process, crossing.server_process
    return Counterexample(_name(client, a), to, service, *processes, tuple(decisions))


def with_members(name: str, members: Sequence[str]) -> str:
    """Return the name of an end with the dynamic sets that its address is in."""
    return " and ".join((name, *(f"in {one}" for one in members)))


def _name(asset: Asset | None, point: int) -> str:
    return f"{asset.name} ({address_text(point)})" if asset else address_text(point)
