"""Precedence: rules that match, in the order they decide, resolved to one outcome for every service point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ringfence.model.intervals import EMPTY, Interval
from ringfence.model.rules import EMERGENCY, Action, Mode, Rule
from ringfence.model.services import EVERY_SERVICE
from ringfence.model.tables import Effect, Outcome, Piece, ServiceMap

ACTION_RANK: Mapping[Action, int] = {Action.DENY: 0, Action.PASS: 1, Action.ALLOW: 2}
EFFECT_RANK: Mapping[Effect, int] = {Effect.ALLOW: 0, Effect.WATCH: 1, Effect.DENY: 2}


@dataclass(frozen=True, slots=True)
class Ranked:
    """A rule with the number of its tier; a list of these in deciding order is what `resolve` takes."""

    rule: Rule
    tier: int


def in_deciding_order(rules: Sequence[Rule], tiers: Sequence[str]) -> list[Ranked]:
    """Return rules as they decide: by tier, then priority, then deny before pass before allow, then as written.

    `tiers` are in deciding order; `emergency` comes before them even if the workspace does not name it.
    """
    numbers = {tier: number for number, tier in enumerate((EMERGENCY, *(t for t in tiers if t != EMERGENCY)))}
    ranked = [Ranked(rule, numbers[rule.tier]) for rule in rules]
    return sorted(ranked, key=lambda one: (one.tier, one.rule.priority, ACTION_RANK[one.rule.action]))


def resolve(matching: Sequence[Ranked], family: int, mode: Mode) -> ServiceMap:
    """Return the outcome at every service point for rules in deciding order (semantics 3 and 4)."""
    pieces: list[Piece] = []
    undecided = EVERY_SERVICE
    tier = -1
    open_here = EMPTY
    for one in matching:
        if one.tier != tier:
            tier, open_here = one.tier, undecided
        hit = one.rule.services.of(family) & open_here
        if not hit:
            continue
        open_here = open_here - hit
        if one.rule.action is Action.PASS:
            continue
        undecided = undecided - hit
        outcome = _outcome(one.rule, mode)
        pieces.extend((low, high, outcome) for low, high in hit)
    rest = Outcome(_UNDECIDED[mode])
    pieces.extend((low, high, rest) for low, high in undecided)
    return fused(pieces)


_UNDECIDED: Mapping[Mode, Effect] = {
    Mode.FULL: Effect.DENY,
    Mode.SELECTIVE: Effect.ALLOW,
    Mode.OBSERVE: Effect.WATCH,
}


def _outcome(rule: Rule, mode: Mode) -> Outcome:
    if rule.action is Action.ALLOW:
        return Outcome(Effect.ALLOW, rule.id, rule.log)
    bites = mode is not Mode.OBSERVE or rule.tier == EMERGENCY
    return Outcome(Effect.DENY if bites else Effect.WATCH, rule.id, rule.log)


def fused(pieces: Sequence[Piece]) -> ServiceMap:
    """Return a service map of disjoint pieces in any order, equal neighbours made one."""
    whole: list[Piece] = []
    for low, high, outcome in sorted(pieces, key=lambda piece: piece[0]):
        if whole and whole[-1][2] == outcome and whole[-1][1] + 1 == low:
            whole[-1] = (whole[-1][0], high, outcome)
        else:
            whole.append((low, high, outcome))
    return ServiceMap(tuple(whole))


def most_open(maps: Sequence[ServiceMap]) -> ServiceMap:
    """Return, at every point, the outcome that lets most through; the first map wins among equals (semantics 6)."""
    if len(maps) == 1:
        return maps[0]
    edges = sorted({low for one in maps for low, _, _ in one.pieces} | {EVERY_SERVICE.intervals[0][1] + 1})
    spans: list[Interval] = [(low, following - 1) for low, following in pairwise(edges)]
    pieces: list[Piece] = []
    for low, high in spans:
        outcomes = [one.outcome(low) for one in maps]
        pieces.append((low, high, min(outcomes, key=lambda outcome: EFFECT_RANK[outcome.effect])))
    return fused(pieces)
