"""How much a policy's rules are used: the flows that each decides, between which ends and on which services."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.simulate import Simulation
from ringfence.analysis.simulate_counts import Count, Evidence
from ringfence.analysis.simulate_judge import Verdict
from ringfence.compiler import Compilation
from ringfence.flows.records import time_text
from ringfence.model.memberships import sets_of
from ringfence.model.rules import Direction, Peer, Rule
from ringfence.model.services import ICMP, ICMPV6, block_of, point_of


@dataclass(slots=True)
class Use:
    """What was seen of one rule: the flows of which it decides a side.

    `clients` and `servers` are assets, `unknown_clients` and `unknown_servers` count addresses that no asset holds;
    `services` are points of the service line.
    """

    count: Count = field(default_factory=Count)
    clients: set[str] = field(default_factory=set)
    servers: set[str] = field(default_factory=set)
    unknown_clients: int = 0
    unknown_servers: int = 0
    services: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Seen:
    """How much is known of a rule's workloads: how many it speaks for, how many were seen, from when to when.

    `perhaps` counts flows between its ends that may be its own: a process, a name or an ICMP type that nobody saw
    decides that.
    """

    workloads: int
    seen: int
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    perhaps: int = 0

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        times = {"first_seen": self.first_seen, "last_seen": self.last_seen}
        return {
            "workloads": self.workloads,
            "seen": self.seen,
            **{name: time_text(time) if time else None for name, time in times.items()},
            "perhaps_its_own": self.perhaps,
        }


class RuleUses:
    """Answers for the rules of one compilation by a simulation of its tables, whose window is open."""

    def __init__(self, compilation: Compilation, simulation: Simulation) -> None:
        self.compilation = compilation
        self.simulation = simulation
        self.ends = Ends(compilation.snapshot, compilation.settings)
        self.evidence: dict[str, Evidence] = {one.asset: one for one in simulation.judged.evidence()}
        self.uses: dict[str, Use] = {}
        named = {rule.id: rule for rule in compilation.policy.rules}
        self._rules = [
            {
                outcome.rule
                for outcome in verdict.draft
                if outcome and (outcome.rule not in named or _met(named[outcome.rule], verdict))
            }
            for verdict in simulation.judged.verdicts
        ]
        self._count()

    def of(self, rule: Rule) -> Use:
        """Return what was seen of a rule."""
        return self.uses.get(rule.id, Use())

    def seen(self, rule: Rule) -> Seen:
        """Return how much is known of the workloads that a rule speaks for."""
        names = {name for side in rule.sides for name in self.names(rule.local(side))} & self.compilation.tables.keys()
        found = [self.evidence[name] for name in names if name in self.evidence]
        first = min((one.first_seen for one in found if one.first_seen), default=None)
        last = max((one.last_seen for one in found if one.last_seen), default=None)
        return Seen(len(names), len(found), first, last, self._perhaps(rule))

    def names(self, peers: Iterable[Peer]) -> set[str]:
        """Return the names of the assets that some peers choose."""
        return {asset.name for asset, _ in self.ends.assets([peer.selector for peer in peers])}

    def _count(self) -> None:
        judged = self.simulation.judged
        every = range(len(judged.verdicts))
        for number, protocol, port, flows, connections in judged.asked("verdict, protocol, port", every):
            for use in self._of_verdict(number):
                use.count += Count(flows, connections)
                if port is not None:
                    use.services.add(point_of(protocol, port))
        for side in ("client", "server"):
            for number, holder, addresses in judged.asked(
                f"verdict, {side}_holder", every, counted=f"count(DISTINCT {side}) AS addresses"
            ):
                for use in self._of_verdict(number):
                    _add(use, side, None if holder is None else judged.seen[holder], addresses)

    def _of_verdict(self, number: int) -> list[Use]:
        return [self.uses.setdefault(rule, Use()) for rule in self._rules[number]]

    def _perhaps(self, rule: Rule) -> int:
        """Return how many flows between a rule's ends may be its own, for what no sensor said."""
        judged = self.simulation.judged
        unsure = [n for n, one in enumerate(judged.verdicts) if one.depends and rule.id not in self._rules[n]]
        if not unsure or not _tells_more(rule):
            return 0
        sides = ["true"]
        for side, peers in (("c", rule.sources), ("s", rule.destinations)):
            if not _anybody(self.ends, peers):
                chosen = self.names(peers)
                numbers = [number for number, name in enumerate(judged.seen) if name in chosen]
                judged.window.engine.put(f"rule_{side}", {"holder": "INTEGER"}, [numbers])
                sides.append(f"{side}.holder IN (SELECT holder FROM rule_{side})")  # noqa: S608 - c or s
        rows = judged.asked("protocol, port", unsure, " AND ".join(sides))
        return sum(count for protocol, port, count, _ in rows if _speaks(rule, protocol, port))


def _met(rule: Rule, verdict: Verdict) -> bool:
    """Return whether a flow of which a rule decides a side is of the processes that it names, as far as can be told.

    A side does not see the far process: what the far host does not decide by this rule was no flow of it.
    """
    sides = zip((Direction.OUT, Direction.IN), verdict.draft, strict=True)
    return all(
        outcome is None
        or outcome.rule == rule.id
        or direction not in rule.sides
        or not all(peer.process for peer in rule.local(direction))
        for direction, outcome in sides
    )


def _add(use: Use, side: str, name: str | None, addresses: int) -> None:
    if name is not None:
        (use.clients if side == "client" else use.servers).add(name)
    elif side == "client":
        use.unknown_clients += addresses
    else:
        use.unknown_servers += addresses


def _anybody(ends: Ends, peers: Iterable[Peer]) -> bool:
    """Return whether peers choose addresses that no asset holds, or names, which may be any address."""
    selectors = [peer.selector for peer in peers]
    realms = {asset.realm for asset in ends.snapshot.assets}
    return any(map(sets_of, selectors)) or any(ends.outside(selectors, realm) for realm in realms)


def _speaks(rule: Rule, protocol: int, port: int | None) -> bool:
    points = range(point_of(protocol), point_of(protocol) + 256) if port is None else (point_of(protocol, port),)
    return any(point in services for services in (rule.services.v4, rule.services.v6) for point in points)


def _tells_more(rule: Rule) -> bool:
    """Return whether a rule depends on what many sensors do not see: a process, the answers to a name, ICMP types."""
    if any(peer.process or sets_of(peer.selector) for peer in (*rule.sources, *rule.destinations)):
        return True
    return any(one.meets(block_of(kind)) for one in (rule.services.v4, rule.services.v6) for kind in (ICMP, ICMPV6))
