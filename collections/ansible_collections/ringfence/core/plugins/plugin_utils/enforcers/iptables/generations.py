"""Generations of sets: their names end in `_g0`, `_g1`, …, and what our rules ask for is the one that is enforced.

Sets of another generation are what an interrupted load left behind; nothing asks for them, and they enforce nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from .listing import Chain, Listing, Rule
from .shapes import GENERATION, OURS

_NAMED = re.compile(rf"\b{GENERATION.pattern}\b")


def one_generation(listing: Listing) -> list[str]:
    """Give the enforced generation's sets, and rules that name them, plain names; return the sets that others left.

    A set of another generation that a rule does ask for keeps its name, so that it is told.
    """
    asked = Counter(named[0] for rule in _rules(listing) for named in _names(rule))
    generations: Counter[str] = Counter()
    for name, count in asked.items():
        if match := GENERATION.fullmatch(name):
            generations[match[2]] += count
    if not generations:
        generations = Counter(match[2] for match in map(GENERATION.fullmatch, listing.sets) if match)
    enforced = generations.most_common(1)[0][0] if generations else ""

    def plain(named: re.Match[str]) -> str:
        return named[1] if named[2] == enforced else named[0]

    leftovers = [
        name
        for name in listing.sets
        if (match := GENERATION.fullmatch(name)) and match[2] != enforced and name not in asked
    ]
    sets = {}
    for name, block in listing.sets.items():
        if name not in leftovers:
            block.name = _NAMED.sub(plain, name)
            sets[block.name] = block
    listing.sets = sets
    for chain in _chains(listing):
        chain.rules = [_plain(rule, plain) for rule in chain.rules]
    return sorted(leftovers)


def _plain(rule: Rule, plain: Callable[[re.Match[str]], str]) -> Rule:
    if not rule.parsed.known or not _NAMED.search(rule.text):
        return rule
    parsed = rule.parsed
    conditions = tuple(sorted(_NAMED.sub(plain, one) for one in parsed.conditions))
    return replace(rule, parsed=parsed._replace(conditions=conditions, verdict=_NAMED.sub(plain, parsed.verdict)))


def _chains(listing: Listing) -> list[Chain]:
    return [
        chain
        for tables in listing.tables.values()
        for chains in tables.values()
        for chain in chains.values()
        if OURS.fullmatch(chain.name)
    ]


def _rules(listing: Listing) -> list[Rule]:
    return [rule for chain in _chains(listing) for rule in chain.rules]


def _names(rule: Rule) -> list[re.Match[str]]:
    return list(_NAMED.finditer(rule.text))
