"""Lint: rules that never match, never decide, or say more than anyone is likely to mean."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.analysis.ends import Ends
from ringfence.analysis.unmeetable import Unmeetable
from ringfence.compiler import Compilation
from ringfence.compiler.precedence import in_deciding_order
from ringfence.model.memberships import sets_of
from ringfence.model.problems import Problem, Severity
from ringfence.model.rules import Action, Peer, Rule
from ringfence.model.selectors import AnyAddress, Internet, Selector, Unknown
from ringfence.model.tables import Effect

# An allow from anywhere on more ports than this is more than a service.
BROAD_PORTS = 1024


def lint(full: Compilation) -> list[Problem]:
    """Return what is odd about the rules of a policy, in order of their places; `full` is compiled with `full`.

    Never-matching: an end chooses nothing in the inventory. Shadowed: others decide all that it says, otherwise.
    Redundant: others decide all that it says, the same way. Broad: anyone, on nearly everything.
    """
    deciding = {
        outcome.rule: outcome.effect
        for table in full.distinct()
        for direction in (table.inbound, table.outbound)
        for services in {id(cell.services): cell.services for cell in direction.cells}.values()
        for _, _, outcome in services.pieces
    }
    estate = _Estate(full)
    problems: list[Problem] = []
    for rule in full.policy.rules:
        problems.extend(_of_rule(estate, rule, deciding))
    return sorted(problems, key=lambda problem: (problem.place is None, problem.place))


class _Estate:
    """What the rules of a compilation choose, each asked once."""

    def __init__(self, full: Compilation) -> None:
        self.full = full
        self.ends = Ends(full.snapshot, full.settings)
        self.unmeetable = Unmeetable(full)
        self.realms = {asset.realm for asset in full.snapshot.assets}
        self.ranked = [one.rule for one in in_deciding_order(full.policy.rules, full.settings.tiers)]
        self.rank = {id(rule): number for number, rule in enumerate(self.ranked)}
        self._names: dict[tuple[Selector, ...], frozenset[str]] = {}

    def names(self, peers: tuple[Peer, ...]) -> frozenset[str]:
        """Return the names of the assets that some peers choose."""
        selectors = tuple(peer.selector for peer in peers)
        known = self._names.get(selectors)
        if known is None:
            known = self._names[selectors] = frozenset(asset.name for asset, _ in self.ends.assets(selectors))
        return known

    def chooses(self, peers: tuple[Peer, ...]) -> bool:
        """Return whether some peers choose anything: an asset, an address of none, or a name."""
        selectors = [peer.selector for peer in peers]
        if any(map(sets_of, selectors)) or self.names(peers):
            return True
        return any(self.ends.outside(selectors, realm) for realm in self.realms)

    def can_decide(self, rule: Rule) -> bool:
        """Return whether a rule would show in some table if nothing decided before it."""
        peers = (*rule.sources, *rule.destinations)
        if rule.action is Action.PASS or any(sets_of(peer.selector) for peer in peers):
            return False
        return not self.full.tables.keys().isdisjoint(self.names(peers))

    def covering(self, rule: Rule) -> list[Rule]:
        """Return the rules that decide before this one and could meet the same packets."""
        return [
            other
            for other in self.ranked[: self.rank[id(rule)]]
            if other.action is not Action.PASS
            and (other.services.v4 & rule.services.v4 or other.services.v6 & rule.services.v6)
            and self._meet(other.sources, rule.sources)
            and self._meet(other.destinations, rule.destinations)
        ]

    def _meet(self, one: tuple[Peer, ...], other: tuple[Peer, ...]) -> bool:
        return not self.names(one).isdisjoint(self.names(other)) or (_outside(one) and _outside(other))


def _of_rule(estate: _Estate, rule: Rule, deciding: dict[str, Effect]) -> Iterator[Problem]:
    empty = [side for side, peers in (("from", rule.sources), ("to", rule.destinations)) if not estate.chooses(peers)]
    if empty:
        yield _warning(rule, f"never matches: its '{empty[0]}' chooses nothing", "correct the selector, or remove it")
        return
    if (unmet := estate.unmeetable.unmet(rule)) is not None:
        yield unmet
        return
    if rule.id not in deciding and estate.can_decide(rule):
        covering = estate.covering(rule)
        same = [other for other in covering if other.action is rule.action]
        if covering and len(same) == len(covering):
            names = ", ".join(f"'{other.name}' ({other.place})" for other in same[:3])
            yield _warning(rule, f"is redundant: {names} already says it", "remove it")
        else:
            names = ", ".join(f"'{other.name}' ({other.place})" for other in covering[:3]) or "earlier rules"
            yield _warning(rule, f"is shadowed: {names} decides first", "give it a smaller priority, or remove it")
    if rule.action is Action.ALLOW:
        yield from _breadth(rule)


def _breadth(rule: Rule) -> Iterator[Problem]:
    open_ends = [
        side
        for side, peers in (("from", rule.sources), ("to", rule.destinations))
        if any(isinstance(peer.selector, AnyAddress | Internet | Unknown) and peer.process is None for peer in peers)
    ]
    if not open_ends:
        return
    if max(rule.services.v4.size(), rule.services.v6.size()) > BROAD_PORTS:
        yield _warning(
            rule,
            f"is broad: it allows {' and '.join(open_ends)} anywhere on more than {BROAD_PORTS} ports",
            "name the services, or the peers, that are meant",
        )


def _outside(peers: tuple[Peer, ...]) -> bool:
    return any(isinstance(peer.selector, AnyAddress | Internet | Unknown) for peer in peers)


def _warning(rule: Rule, message: str, remedy: str) -> Problem:
    return Problem(Severity.WARNING, f"rule '{rule.name}' {message}", rule.place, remedy)
