"""Lint: rules that never match, never decide, or say more than anyone is likely to mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ringfence.analysis.deciders import deciders
from ringfence.analysis.negations import ASSETS_ALONE, every_other, misleading_not
from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.unheld import Unheld
from ringfence.analysis.unmeetable import Unmeetable
from ringfence.compiler import Compilation, compile_policy
from ringfence.compiler.precedence import in_deciding_order
from ringfence.compiler.selection import address_sets
from ringfence.compiler.terms import GROUPS
from ringfence.language.printing import selector_text
from ringfence.model.intervals import IntervalSet
from ringfence.model.memberships import sets_of
from ringfence.model.problems import Problem, Severity
from ringfence.model.rules import Action, Direction, Invariant, Peer, PolicyTest, Rule
from ringfence.model.selectors import AnyAddress, Internet, Selector, Unknown
from ringfence.model.services import ICMP, ICMPV6, block_of
from ringfence.model.tables import DEFAULT_RULE, Effect
from ringfence.wire.first_few import first_few

# An allow from anywhere on more ports than this is more than a service.
BROAD_PORTS = 1024
# Rules that a message names before it counts the rest.
NAMED = 3


def lint(full: Compilation) -> list[Problem]:
    """Return doubtful rules of a policy, in order of their places; `full` is compiled with `full`.

    Never matching: an end chooses no asset. Redundant: nothing changes without the rule. Shadowed: other rules decide
    all its connections, with another effect. Never deciding: a `pass` that ends nothing. Without effect: its ends have
    no workload, or `to` names the estate's own addresses that no asset has. Proving nothing: an invariant that meets
    no workload. Misleading: `not` over addresses. Broad: anyone, on nearly everything. No remedy allows a connection
    that is denied now.
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
        problems.extend(_negations(estate, f"rule '{rule.name}'", rule))
    for test in full.policy.tests:
        problems.extend(_negations(estate, f"test '{test.name}'", test))
    for invariant in full.policy.invariants:
        problems.extend(_proves_nothing(estate, invariant))
        problems.extend(_negations(estate, f"invariant '{invariant.name}'", invariant))
    return sorted(problems, key=lambda problem: (problem.place is None, problem.place))


class _Estate:
    """What the rules of a compilation choose, each asked once."""

    def __init__(self, full: Compilation) -> None:
        self.full = full
        self.ends = Ends(full.snapshot, full.settings)
        self.unmeetable = Unmeetable(full, self.ends)
        self.realms = {asset.realm for asset in full.snapshot.assets}
        self.ranked = [one.rule for one in in_deciding_order(full.policy.rules, full.settings.tiers)]
        self.rank = {id(rule): number for number, rule in enumerate(self.ranked)}
        self.kept = full.policy.rules
        self.unheld = Unheld(self.ends)
        self.private = full.settings.private_addresses()
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

    def passes_nothing(self, rule: Rule) -> bool:
        """Return whether no table changes without a `pass`, and without those for which that was returned before.

        Of two equal ones, one is needed.
        """
        left = tuple(one for one in self.kept if one is not rule)
        rest = replace(self.full.policy, rules=left)
        without = compile_policy(self.full.snapshot, rest, self.full.settings, full=True).tables
        pairs = {(id(table), id(without[name])): (table, without[name]) for name, table in self.full.tables.items()}
        same = all(one.digest == other.digest for one, other in pairs.values())
        self.kept = left if same else self.kept
        return same

    def speaks_for_nobody(self, rule: Rule) -> bool:
        """Return whether no workload is at an end that a rule speaks for, so that no table has a trace of it."""
        if not self.full.tables:
            return False
        near = [rule.local(direction) for direction in rule.sides]
        if Direction.IN in rule.sides and any(_names_groups(peer) for peer in rule.destinations):
            return False
        return not any(self.names(peers) & self.full.tables.keys() for peers in near)

    def decided(self, rule: Rule) -> tuple[list[Rule], list[Rule]]:
        """Return the rules that decide what a rule says as it does, and those that decide it otherwise.

        Among the latter is a `pass` that keeps the rule from deciding, where what decides then stands behind the rule.
        """
        effect = Effect.ALLOW if rule.action is Action.ALLOW else Effect.DENY
        outcomes = deciders(self.full, self.ends, rule)
        same = {one.rule for one in outcomes if one.effect is effect} - {DEFAULT_RULE, rule.id}
        against = {one.rule for one in outcomes if one.effect is not effect} - {DEFAULT_RULE, rule.id}
        before = self.ranked[: self.rank[id(rule)]]
        passing = [
            one for one in before if one.action is Action.PASS and one.tier == rule.tier and self._meets(one, rule)
        ]
        earlier = {one.id for one in before}
        otherwise = [one for one in before if one.id in against or (one in passing and (against - earlier or not same))]
        return [one for one in self.ranked if one.id in same], otherwise

    def _meets(self, one: Rule, other: Rule) -> bool:
        return bool(
            (one.services.v4 & other.services.v4 or one.services.v6 & other.services.v6)
            and self._meet(one.sources, other.sources)
            and self._meet(one.destinations, other.destinations)
        )

    def _meet(self, one: tuple[Peer, ...], other: tuple[Peer, ...]) -> bool:
        if not self.names(one).isdisjoint(self.names(other)):
            return True
        return any(self._outside(one, realm) & self._outside(other, realm) for realm in self.realms)

    def _outside(self, peers: tuple[Peer, ...], realm: str) -> IntervalSet:
        return self.ends.outside([peer.selector for peer in peers], realm)


def _of_rule(estate: _Estate, rule: Rule, deciding: dict[str, Effect]) -> Iterator[Problem]:
    empty = [side for side, peers in (("from", rule.sources), ("to", rule.destinations)) if not estate.chooses(peers)]
    if empty:
        yield _warning(rule, f"never matches: its '{empty[0]}' chooses nothing", "correct the selector, or remove it")
        return
    if (unmet := estate.unmeetable.unmet(rule)) is not None:
        yield unmet
        return
    for side, peers in (("from", rule.sources), ("to", rule.destinations)):
        for peer in peers:
            if len(peers) > 1 and not estate.chooses((peer,)):
                part = f"'{selector_text(peer.selector)}' in '{side}'"
                yield _warning(rule, f"has a part that never matches: {part}", "correct that alternative, or remove it")
    if estate.speaks_for_nobody(rule):
        yield _warning(rule, *_for_nobody(rule))
        return
    if Direction.IN in rule.sides and (unheld := estate.unheld.destinations(rule)):
        yield _warning(rule, *_unheld(rule, unheld))
    if rule.id not in deciding and estate.can_decide(rule):
        yield _idle(rule, *estate.decided(rule))
    if rule.action is Action.PASS and estate.passes_nothing(rule):
        message = "never decides: with and without it every decision is the same"
        yield _warning(rule, message, "remove it, or let it stand before the rules of its tier that it shall end")
    if rule.action is Action.ALLOW:
        yield from _breadth(rule)


def _for_nobody(rule: Rule) -> tuple[str, str]:
    sides = " or ".join(f"'{'to' if one is Direction.IN else 'from'}'" for one in sorted(rule.sides, reverse=True))
    remedy = "name the assets that are meant; add an address that some of them may hold to their ringfence_addresses"
    return f"does nothing: no workload is in {sides}, so no host enforces it", remedy


def _unheld(rule: Rule, addresses: list[str]) -> tuple[str, str]:
    does = {Action.ALLOW: "let it in", Action.DENY: "refuse it", Action.PASS: "pass it on"}[rule.action]
    return (
        f"names addresses that no asset holds, and no host will {does} there: {first_few(addresses)}",
        "add them to ringfence_addresses of those that may hold them; 'at: from' where nothing of yours does",
    )


def _names_groups(peer: Peer) -> bool:
    return any(one & GROUPS for one in address_sets(peer.selector))


def _idle(rule: Rule, same: list[Rule], otherwise: list[Rule]) -> Problem:
    """Return what is wrong with a rule that decides nothing; no advice lets through what is denied now."""
    if same and (rule.action is Action.ALLOW or not otherwise):
        rest = f", and the rest is decided by {_names(otherwise)}" if otherwise else ""
        return _warning(
            rule, f"is redundant: {_names(same)} already {'says' if len(same) == 1 else 'say'} it{rest}", "remove it"
        )
    decide = "decide" if len(otherwise) > 1 else "decides"
    message = f"is shadowed: {_names(otherwise) if otherwise else 'what stands before it'} {decide} first"
    if rule.action is Action.ALLOW:
        return _warning(rule, message, "remove it: it lets nothing through")
    tiers = dict.fromkeys(one.tier for one in otherwise if one.tier != rule.tier)
    if tiers:
        return _warning(rule, message, f"put it into the tier '{next(iter(tiers))}' if it must hold, or remove it")
    return _warning(rule, message, "give it a smaller priority if it must hold, or remove it")


def _names(rules: list[Rule]) -> str:
    return first_few([f"'{one.name}' ({one.place})" for one in rules], NAMED)


def _proves_nothing(estate: _Estate, invariant: Invariant) -> Iterator[Problem]:
    """Yield why an invariant holds whatever the rules say: nothing is chosen, or nothing enforces what is."""
    ends = (("from", invariant.sources), ("to", invariant.destinations))
    empty = [side for side, peers in ends if not estate.chooses(peers)]
    if empty:
        why, remedy = f"its '{empty[0]}' chooses nothing", "correct the selector, or remove it"
    elif estate.full.tables.keys().isdisjoint(estate.names(invariant.sources) | estate.names(invariant.destinations)):
        why, remedy = "no workload is at either end", "choose assets on which rules are enforced, or remove it"
    else:
        return
    message = f"invariant '{invariant.name}' proves nothing: {why}"
    yield Problem(Severity.WARNING, message, invariant.place, remedy)


def _negations(estate: _Estate, what: str, spoken: Rule | PolicyTest | Invariant) -> Iterator[Problem]:
    """Yield what a person may take `not` over addresses for; both readings are shown, none is advised."""
    for side, peers in (("from", spoken.sources), ("to", spoken.destinations)):
        found = (misleading_not(peer.selector, estate.private) for peer in peers)
        if negation := next(filter(None, found), None):
            yield Problem(
                Severity.WARNING,
                f"{what} has 'not' over addresses in '{side}': it chooses assets alone, never an address of no asset",
                spoken.place,
                f"where that is meant write {ASSETS_ALONE}, for every other address {every_other(negation)}",
            )


def _breadth(rule: Rule) -> Iterator[Problem]:
    open_ends = [
        side
        for side, peers in (("from", rule.sources), ("to", rule.destinations))
        if any(isinstance(peer.selector, AnyAddress | Internet | Unknown) and peer.process is None for peer in peers)
    ]
    if not open_ends:
        return
    # the types of ICMP and ICMPv6 are no ports
    ports = (rule.services.v4 - block_of(ICMP)).size(), (rule.services.v6 - block_of(ICMPV6)).size()
    if max(ports) > BROAD_PORTS:
        yield _warning(
            rule,
            f"is broad: it allows {' and '.join(open_ends)} anywhere on more than {BROAD_PORTS} ports",
            "name the services, or the peers, that are meant",
        )


def _warning(rule: Rule, message: str, remedy: str) -> Problem:
    return Problem(Severity.WARNING, f"rule '{rule.name}' {message}", rule.place, remedy)
