"""What the policy says of what hosts tell: both ends with their labels, the verdict, the rule that decided it.

A flow that the policy lets pass is `allowed`, one that passes only because a mode does not bite `would deny`. One
that the policy denies is `denied` where nobody answered, and `not enforced` where it was answered all the same: a host
does not hold this policy, or not yet. One that a quarantine denies is `cut` where nobody answered. What a host's
kernel denied or watched has the kernel's rule.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.analysis.builtins import built_in, from_port
from ringfence.analysis.lookup import TableLookup
from ringfence.compiler import Compilation
from ringfence.flows.possible import TOLERANCE, refuse_impossible
from ringfence.model.addresses import addresses_of, family_of
from ringfence.model.assets import Asset
from ringfence.model.emergencies import ID
from ringfence.model.errors import InputError
from ringfence.model.flows import ANSWERED, UNANSWERED, Flow
from ringfence.model.rules import Direction
from ringfence.model.services import BLOCK
from ringfence.model.tables import DEFAULT_RULE, Effect, Outcome
from ringfence.watch.events import End, Kind, WatchEvent
from ringfence.watch.told import DenialTold, FlowTold

# Addresses of one link, which no inventory names.
LINK_LOCAL = addresses_of(["fe80::/10", "169.254.0.0/16"])
NO_RULE = "no rule allows it"
# Verdicts that are remembered: by ends and service.
REMEMBERED = 1 << 16
# As of what hosts report when they are asked: a reporter is believed of its own addresses alone.
SOURCE = "hosts:"


@dataclass(frozen=True, slots=True)
class Ruled:
    """What decides a connection. `built_in` traffic is above the policy and nobody's event; `cut` is a quarantine."""

    kind: Kind
    rule: str
    place: str = ""
    built_in: bool = False
    cut: bool = False


class Judge:
    """Judges what hosts tell by tables, and by the names of rules of a plan that hosts hold."""

    def __init__(self, compilation: Compilation, plan_rules: Mapping[str, tuple[str, str]]) -> None:
        self._compilation = compilation
        self._assets = compilation.snapshot.named()
        self._holders: dict[int, list[Asset]] = {}
        for asset in compilation.snapshot.assets:
            for point in asset.addresses:
                self._holders.setdefault(point, []).append(asset)
        self._rules = dict(plan_rules)
        self._rules |= {rule.id: (rule.name, str(rule.place or "")) for rule in compilation.policy.rules}
        self._standing = {rule.id for rule in compilation.policy.rules if ID.fullmatch(rule.id)}
        self._lookups: dict[int, TableLookup] = {}
        self._known: OrderedDict[tuple[object, ...], tuple[Ruled, Ruled]] = OrderedDict()

    def flow(self, host: str, told: FlowTold, now: datetime) -> WatchEvent | None:
        """Return what a flow is, None for one of this host or its link alone, or above every policy.

        Raise InputError for a flow that cannot be, or that a host cannot have seen because it is none of its own.
        """
        refuse_impossible(flow_of(host, told, now), now + TOLERANCE)
        if told.client in LINK_LOCAL or told.server in LINK_LOCAL:
            return None
        own = self._own(host)
        if told.client not in own and told.server not in own:
            raise InputError(f"{host} tells of a flow between others")
        client, server = self.end(told.client, host), self.end(told.server, host)
        if client.asset is not None and client.asset == server.asset:
            return None
        ruled = self.ruled(client, server, told.protocol, told.port, answered=told.answered)
        if ruled.built_in:
            return None
        return WatchEvent(
            ruled.kind, now, host, client, server, told.protocol, told.port, ruled.rule, ruled.place, told.answered
        )

    def denial(self, host: str, told: DenialTold, packets: int, now: datetime) -> WatchEvent | None:
        """Return what a host's kernel denied or watched, None where the inventory gives it no address of the family.

        Raise InputError for what cannot be.
        """
        own = [point for point in self._own(host) if family_of(point) == family_of(told.peer)]
        if not own:
            raise InputError(f"{host} tells of packets of a family that it has no address of")
        here = End(own[0], host, self._assets[host].label_values())
        there = self.end(told.peer, host)
        client, server = (there, here) if told.direction is Direction.IN else (here, there)
        refuse_impossible(Flow(client.point, server.point, told.port, told.protocol, now, now), now + TOLERANCE)
        name, place = self._decided_by(told.rule, host)
        kind = Kind.DENIED if told.effect is Effect.DENY else Kind.WOULD_DENY
        return WatchEvent(kind, now, host, client, server, told.protocol, told.port, name, place, count=packets)

    def end(self, point: int, host: str) -> End:
        """Return an end with the asset that holds its address: of several the host itself, then one of its realm."""
        holders = self._holders.get(point, ())
        if not holders:
            return End(point)
        realm = self._assets[host].realm if host in self._assets else ""
        chosen = min(holders, key=lambda one: (one.name != host, one.realm != realm, one.name))
        return End(point, chosen.name, chosen.label_values())

    def ruled(self, client: End, server: End, protocol: int, port: int | None, *, answered: bool) -> Ruled:
        """Return what decides a connection of two ends; of a message whose type nobody knows, the protocol's first."""
        key = (client.asset, client.point, server.asset, server.point, protocol, port)
        found = self._known.get(key)
        if found is None:
            point = protocol * BLOCK + (port or 0)
            sides = list(self._sides(client, server, point))
            found = self._known[key] = _folded(sides, answered=True), _folded(sides, answered=False)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found[0] if answered else found[1]

    def _sides(self, client: End, server: End, point: int) -> Iterator[Ruled | None]:
        """Yield what each side that is a workload says, as kinds of an attempt that nobody answered."""
        for direction, near, far in ((Direction.OUT, client, server), (Direction.IN, server, client)):
            table = self._compilation.tables.get(near.asset) if near.asset else None
            if table is None or near.asset is None:
                continue
            inbound = direction is Direction.IN
            name = built_in(
                client.point, server.point, point, control=table.control, inbound=inbound, itself=False
            )  # fmt: skip
            if name is None and from_port(client.point, server.point, point, inbound=inbound) is not None:
                name = "DHCP client"
            if name is not None:
                yield Ruled(Kind.ALLOWED, f"built in: {name}", built_in=True)
                continue
            yield self._side(near, far, direction, point)

    def _side(self, near: End, far: End, direction: Direction, point: int) -> Ruled:
        """Return what the process that gets furthest may: which one it was nobody told."""
        assert near.asset is not None
        table = self._compilation.tables[near.asset]
        directed = self._lookups.setdefault(id(table), TableLookup(table)).directions[direction]
        outcomes: list[Outcome] = []
        for process in directed.table.process_classes:
            try:
                outcomes.append(directed.services_at(near.point, process, far.point).outcome(point))
            except LookupError:  # an address that the table does not have, as in an older snapshot
                continue
        best = min(outcomes, key=lambda one: (one.effect is not Effect.ALLOW, not one.passes), default=None)
        if best is None:
            return Ruled(Kind.ALLOWED, "not in this host's table")
        name, place = self._decided_by(best.rule, near.asset)
        kinds = {Effect.ALLOW: Kind.ALLOWED, Effect.WATCH: Kind.WOULD_DENY, Effect.DENY: Kind.DENIED}
        if best.rule == DEFAULT_RULE and best.effect is Effect.ALLOW:
            name = "nothing forbids it"
        return Ruled(kinds[best.effect], name, place, cut=best.effect is Effect.DENY and best.rule in self._standing)

    def name_of(self, rule: str) -> str:
        """Return the name of a rule by its id."""
        return NO_RULE if rule == DEFAULT_RULE else self._rules.get(rule, (f"rule {rule}", ""))[0]

    def _decided_by(self, rule: str, host: str) -> tuple[str, str]:
        if rule != DEFAULT_RULE:
            return self._rules.get(rule, (f"rule {rule}", ""))
        enforcement = self._compilation.enforcement.get(host)
        return NO_RULE, str(enforcement.place) if enforcement and enforcement.place else ""

    def _own(self, host: str) -> tuple[int, ...]:
        return self._assets[host].addresses if host in self._assets else ()


def flow_of(host: str, told: FlowTold, now: datetime) -> Flow:
    """Return what a host told as a flow of the store."""
    outcome = ANSWERED if told.answered else UNANSWERED
    return Flow(
        told.client, told.server, told.port, told.protocol, now, now, source=f"{SOURCE}{host}", outcome=outcome
    )  # fmt: skip


def _folded(sides: list[Ruled | None], *, answered: bool) -> Ruled:
    """Return what both sides come to: the one that denies, else the one that watches, else the server's."""
    said = [side for side in sides if side is not None]
    for kind in (Kind.DENIED, Kind.WOULD_DENY):
        for side in said:
            if side.kind is kind:
                if kind is Kind.DENIED and answered:
                    return replace(side, kind=Kind.NOT_ENFORCED)
                return replace(side, kind=Kind.CUT) if side.cut else side
    if not said:
        return Ruled(Kind.ALLOWED, "no workload at either end")
    by_policy = [side for side in said if not side.built_in]
    return by_policy[-1] if by_policy else said[-1]
