"""Decisions: a service map, or a dynamic set to ask first, with a decision for its members and one for all others.

Only sets on which the outcome depends are asked: equal decisions for members and non-members are one decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ringfence.compiler.precedence import Ranked
from ringfence.compiler.terms import Term
from ringfence.model.errors import InputError
from ringfence.model.intervals import EMPTY
from ringfence.model.memberships import ALWAYS, Membership
from ringfence.model.rules import Action
from ringfence.model.services import EVERY_SERVICE
from ringfence.model.tables import ServiceMap

# How many different questions one direction of one view may put: beyond it a ruleset would be of no use to anybody.
MOST_QUESTIONS = 10_000
MOST_SETS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A dynamic set to look an address up in, with the decision for members and that for all others.

    Equal questions are one object.
    """

    name: str
    inside: Decision
    outside: Decision


Decision = ServiceMap | Question


class Questions:
    """Makes questions, each distinct one once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], Question] = {}

    def ask(self, name: str, inside: Decision, outside: Decision, about: Ranked) -> Decision:
        """Return the question, or the decision if both answers agree. Raise InputError, at a rule, for too many."""
        if inside is outside:
            return inside
        key = (name, id(inside), id(outside))
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MOST_QUESTIONS:
                raise too_many(about)
            known = self._known[key] = Question(name, inside, outside)
        return known


def too_many(about: Ranked) -> InputError:
    """Return the error of a policy in which too much depends on too many names at once."""
    return InputError(
        f"with rule '{about.rule.name}' the names of one workload decide in too many combinations",
        about.rule.place,
        "give the rules of several names the same services, or name their networks with cidr",
    )


def cases(decision: Decision, met: Membership = ALWAYS) -> Iterator[tuple[Membership, ServiceMap]]:
    """Yield every membership that a decision distinguishes, with its service map.

    Each address is in exactly one of these memberships.
    """
    if isinstance(decision, ServiceMap):
        yield met, decision
        return
    inside = met.merged(Membership((decision.name,), ()))
    outside = met.merged(Membership((), (decision.name,)))
    if inside is not None:
        yield from cases(decision.inside, inside)
    if outside is not None:
        yield from cases(decision.outside, outside)


def mattering(
    ranked: Sequence[Ranked], terms: Sequence[Term], family: int, inside: frozenset[str], outside: frozenset[str]
) -> tuple[Term, ...]:
    """Return the terms (in deciding order) whose decision still depends on the sets that an address is in.

    Terms that need no further set are certain: what they decide is removed from all later terms.
    """
    kept: list[Term] = []
    undecided, open_here, tier = EVERY_SERVICE, EMPTY, -1
    for term in terms:
        one = ranked[term.rule]
        if one.tier != tier:
            tier, open_here = one.tier, undecided
        if term.members & outside:
            continue
        hit = one.rule.services.of(family) & open_here
        if not hit:
            continue
        kept.append(term)
        if term.members <= inside and term.far is None:
            open_here = open_here - hit
            if one.rule.action is not Action.PASS:
                undecided = undecided - hit
    return tuple(kept)
