"""Which flows of a picture a changed policy can judge otherwise: those that a changed rule matches, before or after."""

# ruff: noqa: S608 - the SQL is put together from names of ours and numbers
from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.simulate_groups import points
from ringfence.compiler.rule_changes import changed_rules
from ringfence.model.intervals import EMPTY, IntervalSet, union
from ringfence.model.rules import Peer, Policy, Rule
from ringfence.model.selectors import AnyAddress, FqdnIs, leaves

if TYPE_CHECKING:
    from ringfence.analysis.picture import JudgedPicture
    from ringfence.analysis.picture_groups import Node
    from ringfence.flows.engine import DuckEngine
    from ringfence.model.tables import VerdictTable

# With more rules than this, the hosts whose tables changed are all that flows are chosen by.
MOST_RULES = 24


@dataclass(frozen=True, slots=True)
class Difference:
    """The rules that came, went or say something else, as they were and as they are; None where more changed."""

    rules: tuple[Rule, ...] | None

    @staticmethod
    def between(before: Policy, after: Policy) -> Difference:
        """Return what differs between two policies of one workspace, under the same settings."""
        changed = changed_rules(before, after)
        if changed is None:
            return Difference(None)
        return Difference(tuple(rule for one in (before, after) for rule in one.rules if rule.id in changed))


def touched(
    picture: JudgedPicture,
    state: str,
    after: Mapping[str, VerdictTable],
    difference: Difference,
) -> str:
    """Return a query of the flows of a state that can have another verdict under new tables, "" for none.

    It has `id`, `client`, `server`, `service`, `connections`, and `old`, the number of the verdict so far.
    """
    hosts = changed_hosts(picture.tables[state].tables, after)
    rules = difference.rules
    if not hosts or rules == ():
        return ""
    for side, nodes in (("client", picture.clients), ("server", picture.servers)):
        numbers = [number for number, node in enumerate(nodes) if node.asset in hosts]
        picture.engine.put(f"picture_changed_{side}", {"number": "INTEGER"}, [numbers])
    at_hosts = (
        f"SELECT f.id, f.client, f.server, f.service, f.connections, f.{state} AS old"
        " FROM picture_flows AS f WHERE NOT f.refused"
        " AND (f.client IN (SELECT number FROM picture_changed_client)"
        " OR f.server IN (SELECT number FROM picture_changed_server))"
    )
    if rules is None or len(rules) > MOST_RULES:
        return at_hosts
    queries = []
    for number, rule in enumerate(rules):
        queries.append(at_hosts + picture.matches.condition(picture.engine, rule, f"picture_met_{number}"))
    return " UNION ".join(queries)


def changed_hosts(before: Mapping[str, VerdictTable], after: Mapping[str, VerdictTable]) -> frozenset[str]:
    """Return the hosts that have another table, or that have one in one state alone."""
    found = set(before.keys() ^ after.keys())
    same: dict[tuple[int, int], bool] = {}
    for name in before.keys() & after.keys():
        old, new = before[name], after[name]
        if old is new:
            continue
        key = (id(old), id(new))
        if key not in same:
            same[key] = old.digest == new.digest
        if not same[key]:
            found.add(name)
    return frozenset(found)


class Matches:
    """Which ends and services of a picture's flows a rule can match; at least those, never fewer."""

    def __init__(
        self,
        ends: Ends,
        clients: Sequence[Node],
        servers: Sequence[Node],
        services: Sequence[tuple[int, int | None]],
    ) -> None:
        self.ends = ends
        self._nodes = {"client": clients, "server": servers}
        self._services = services
        self._realms = sorted({asset.realm for asset in ends.snapshot.assets})
        self._assets = ends.snapshot.named()
        every = [point for asset in ends.snapshot.assets for point in asset.addresses]
        # an address may be held by another asset too, and be nobody's in another realm
        self._shared = len(self._realms) > 1 or len(set(every)) < len(every)

    def of(self, rule: Rule) -> dict[str, list[int] | None]:
        """Return the numbers of clients, servers and services, None for all of them."""
        return {
            "client": self._of_side("client", rule.sources),
            "server": self._of_side("server", rule.destinations),
            "service": self._of_services(rule),
        }

    def condition(self, engine: DuckEngine, rule: Rule, name: str) -> str:
        """Return what flows `f` have to be besides, which begins with AND where it is anything; makes tables for it."""
        found = ""
        for column, numbers in self.of(rule).items():
            if numbers is not None:
                engine.put(f"{name}_{column}", {"number": "INTEGER"}, [numbers])
                found += f" AND f.{column} IN (SELECT number FROM {name}_{column})"
        return found

    def _of_side(self, side: str, peers: Collection[Peer]) -> list[int] | None:
        selectors = tuple(peer.selector for peer in peers)
        # nobody knows which addresses a name has: it may be any
        if any(isinstance(leaf, AnyAddress | FqdnIs) for one in selectors for leaf in leaves(one)):
            return None
        chosen = self.ends.assets(selectors)
        names = {asset.name for asset, _ in chosen}
        held = union(addresses for _, addresses in chosen) if self._shared else EMPTY
        outside = union(self.ends.outside(selectors, realm) for realm in self._realms)
        met = _Addresses((held, outside))
        return [
            number
            for number, node in enumerate(self._nodes[side])
            if node.asset in names or (self._stands_alone(node) and node.point in met)
        ]

    def _stands_alone(self, node: Node) -> bool:
        """Return whether an end may be met by its address where its asset is not."""
        if self._shared or node.asset is None:
            return True
        return node.point not in self._assets[node.asset].addresses  # that of then: the asset has none of its family

    def _of_services(self, rule: Rule) -> list[int] | None:
        met = _Addresses((rule.services.v4, rule.services.v6))
        return [
            number
            for number, (protocol, port) in enumerate(self._services)
            if any(point in met for point in points(protocol, port))
        ]


class _Addresses:
    """Several sets, and which points some of them hold: each point is looked for once."""

    def __init__(self, sets: Iterable[IntervalSet]) -> None:
        self._sets = [one for one in sets if one]
        self._known: dict[int, bool] = {}

    def __contains__(self, point: int) -> bool:
        known = self._known.get(point)
        if known is None:
            known = self._known[point] = any(point in one for one in self._sets)
        return known
