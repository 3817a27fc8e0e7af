"""What the policy that is there says of traffic between two groups: nothing is suggested where it has decided."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from ringfence.analysis.builtins import built_in
from ringfence.analysis.lookup import TableLookup
from ringfence.compiler import Compilation
from ringfence.model.addresses import family_of
from ringfence.model.rules import DEFAULT_TIER, Direction
from ringfence.model.services import ICMP, ICMPV6, point_of
from ringfence.model.tables import DEFAULT_RULE, Effect, Outcome, ProcessClass, VerdictTable
from ringfence.suggest.groups import Groups

ALLOWED = "allowed"
OPEN = "open"
NOT_ENFORCED = "neither end is a workload"


@dataclass(frozen=True, slots=True)
class Said:
    """The processes that a flow names; None where it says none."""

    client_unit: str | None = None
    client_user: str | None = None
    server_unit: str | None = None


UNSAID = Said()


class Decided:
    """Asks the tables of a policy, compiled as if every mode were `full`."""

    def __init__(self, compilation: Compilation, groups: Groups) -> None:
        tiers = compilation.settings.tiers
        last = tiers.index(DEFAULT_TIER) if DEFAULT_TIER in tiers else len(tiers) - 1
        # a deny of a later tier is decided before by what is suggested
        self._denies = {rule.id: rule.name for rule in compilation.policy.rules if tiers.index(rule.tier) <= last}
        self.decides = bool(compilation.policy.rules)
        self._tables = compilation.tables
        self._groups = groups
        self._lookups: dict[int, TableLookup] = {}
        self._known: dict[tuple[object, ...], str] = {}

    def verdict(self, client: int, server: int, protocol: int, port: int, said: Said = UNSAID) -> str:
        """Return ALLOWED, OPEN, NOT_ENFORCED, or the name of the rule that denies.

        A process that no flow names may have been any: what is allowed for one of them counts as allowed.
        """
        kinds = [self._groups.every[one].kind for one in (client, server)]
        key = (*kinds, protocol, port, said)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._verdict(client, server, protocol, port, said)
        return known

    def closed(self, client: int, server: int, protocol: int, port: int) -> bool:
        """Return whether a new rule would open nothing between two groups: it is decided already."""
        return self.decides and self.verdict(client, server, protocol, port) != OPEN

    def _verdict(self, client: int, server: int, protocol: int, port: int, said: Said) -> str:
        ends = self._addresses(client, server, protocol)
        if ends is None:
            return OPEN
        tables = [self._table(client), self._table(server)]
        if tables == [None, None]:
            return NOT_ENFORCED
        service = point_of(protocol, port)
        verdicts = []
        for direction, table in zip((Direction.OUT, Direction.IN), tables, strict=True):
            if table is None:
                continue
            inbound = direction is Direction.IN
            if built_in(*ends, service, control=table.control, inbound=inbound, itself=False) is not None:
                verdicts.append(ALLOWED)
                continue
            local, remote = ends[::-1] if inbound else ends
            found = [
                self._lookup(table).outcome(direction, local, remote, process, service)
                for process in _processes(table, direction, said)
            ]
            verdicts.append(self._of(found))
        denied = [one for one in verdicts if one not in (ALLOWED, OPEN)]
        return denied[0] if denied else OPEN if OPEN in verdicts else ALLOWED

    def _of(self, outcomes: list[Outcome]) -> str:
        if any(one.effect is Effect.ALLOW and one.rule != DEFAULT_RULE for one in outcomes):
            return ALLOWED
        for one in outcomes:
            if one.effect is Effect.DENY and one.rule in self._denies:
                return f"denied by '{self._denies[one.rule]}'"
        return OPEN

    def _addresses(self, client: int, server: int, protocol: int) -> tuple[int, int] | None:
        """Return an address of each group, both of one family; None where they have no family in common."""
        families = {ICMP: (4,), ICMPV6: (6,)}.get(protocol, (4, 6))
        groups = self._groups.every
        for a, b in product(groups[client].points, groups[server].points):
            if family_of(a) == family_of(b) and family_of(a) in families and (a != b):
                return a, b
        if client == server and groups[client].points:  # one host with another of its kind
            return groups[client].points[0], groups[client].points[0]
        return None

    def _table(self, group: int) -> VerdictTable | None:
        members = self._groups.every[group].members
        return self._tables.get(members[0]) if members else None

    def _lookup(self, table: VerdictTable) -> TableLookup:
        found = self._lookups.get(id(table))
        if found is None:
            found = self._lookups[id(table)] = TableLookup(table)
        return found


def _processes(table: VerdictTable, direction: Direction, said: Said) -> list[ProcessClass]:
    """Return the classes of processes that the end in its direction may be of."""
    named = table.direction(direction).named
    if direction is Direction.IN:
        given: dict[str, str | None] = {"unit": said.server_unit}
        spoken = said.server_unit is not None
    else:
        given = {"unit": said.client_unit, "user": said.client_user}
        spoken = said.client_unit is not None or said.client_user is not None
    choices = [(given.get(kind),) if spoken else (None, *names) for kind, names in named]
    kinds = [kind for kind, _ in named]
    return [ProcessClass(**dict(zip(kinds, one, strict=True))) for one in product(*choices)]
