"""Terms: one rule's far ends as classes of a view, split by the far processes it names, for one direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from ringfence.compiler.precedence import Ranked
from ringfence.compiler.selection import Selection, address_sets, holds_locally
from ringfence.model.addresses import addresses_of
from ringfence.model.memberships import alternatives
from ringfence.model.rules import Direction, Peer, Process
from ringfence.model.selectors import chooses_assets

# RFC 5771, RFC 4291 section 2.7, RFC 919: addresses that no single host holds.
GROUPS = addresses_of(["224.0.0.0/4", "ff00::/8", "255.255.255.255"])
_GROUP_STARTS = frozenset(low for low, _ in GROUPS)
# A term that covers more classes than this is partitioned once and shared by all tables that have it.
BROAD = 64


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """The classes that a rule (by its number in deciding order) meets on the far end as one far process, or any.

    `members` are the dynamic sets that an address of them must be in for the rule to speak for it.
    """

    rule: int
    far: Process | None
    classes: BitMap
    members: frozenset[str] = frozenset()

    @property
    def broad(self) -> bool:
        """Return whether the term covers so many classes that its partition is worth sharing."""
        return len(self.classes) > BROAD


class Terms:
    """All terms of one direction, in deciding order, and which rules an entry of the view meets as the near end.

    `dynamic` says whether any term needs a dynamic set.

    `of_groups` holds, for rules whose near end names multicast or broadcast addresses, some of these addresses: a
    packet to a group reaches every host, so such a rule may apply to any workload.
    """

    def __init__(self, ranked: Sequence[Ranked], direction: Direction, selection: Selection, near: BitMap) -> None:
        view = selection.view
        self.dynamic = False
        self.of_rule: dict[int, tuple[Term, ...]] = {}
        self.of_groups: dict[int, tuple[int, ...]] = {}
        self.rules_of_entry: dict[int, list[int]] = {entry: [] for entry in near}
        for number, one in enumerate(ranked):
            if direction not in one.rule.sides:
                continue
            met_as: dict[tuple[Process | None, frozenset[str]], BitMap] = {}
            for peer in one.rule.remote(direction):
                for members, selector in alternatives(peer.selector):
                    classes = view.classes_of(selection.entries(selector))
                    key = (peer.process, members)
                    met_as[key] = met_as[key] | classes if key in met_as else classes
            terms = tuple(Term(number, far, classes, members) for (far, members), classes in met_as.items() if classes)
            if not terms:
                continue
            met = [selection.entries(peer.selector) & near for peer in one.rule.local(direction)]
            entries = met[0] if len(met) == 1 else BitMap.union(*met)
            groups = _group_addresses(one.rule.local(direction)) if direction is Direction.IN else ()
            if groups:
                self.of_groups[number] = groups
            if not entries and not groups:
                continue
            self.of_rule[number] = terms
            self.dynamic = self.dynamic or any(term.members for term in terms)
            for entry in entries:
                self.rules_of_entry[entry].append(number)

    def rules_at(self, entries: BitMap) -> list[int]:
        """Return the rules that a workload with these entries meets as the near end, in deciding order."""
        lists = [self.rules_of_entry[entry] for entry in entries]
        if len(lists) == 1:
            return lists[0]
        return sorted({rule for rules in lists for rule in rules})


def _group_addresses(peers: Sequence[Peer]) -> tuple[int, ...]:
    """Return a group address of every stretch between the ends of the ranges that some peers name.

    Peers that choose by address alone, the many, give only those that they choose.
    """
    found: set[int] = set()
    for peer in peers:
        ends = {end for addresses in address_sets(peer.selector) for low, high in addresses for end in (low, high + 1)}
        points = {point for point in (ends | _GROUP_STARTS if ends else ends) if point in GROUPS}
        if not chooses_assets(peer.selector):
            points = {point for point in points if holds_locally(peer.selector, {}, None, point)}
        found |= points
    return tuple(sorted(found))
