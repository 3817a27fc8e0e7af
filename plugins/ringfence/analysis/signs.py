"""The sign of a connection: the same for the map's flows and for the answers of explain, whichever tables judge."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ringfence.model.picture import Sign
from ringfence.model.tables import DEFAULT_RULE, Effect

if TYPE_CHECKING:
    from ringfence.analysis.explain import Answer, Side


def sign(*, allowed: bool, watched: bool, rules: Collection[str], unknown: bool) -> Sign:
    """Return the sign of a connection that passes or not; `rules` are those by which ends with a table decide it.

    What no table decides is not judged where one end is an address that nothing is known of.
    """
    if not allowed:
        return Sign.DENIED
    if watched:
        return Sign.WOULD_BE_DENIED
    if not rules and unknown:
        return Sign.NOT_JUDGED
    return Sign.ALLOWED if any(rule != DEFAULT_RULE for rule in rules) else Sign.UNDECIDED


def side_sign(side: Side) -> Sign:
    """Return the sign of what one end decides."""
    if side.verdict == "deny":
        return Sign.DENIED
    if side.effect is Effect.WATCH:
        return Sign.WOULD_BE_DENIED
    return Sign.UNDECIDED if side.rule == DEFAULT_RULE else Sign.ALLOWED


def answer_sign(answer: Answer) -> Sign:
    """Return the sign that the map has for a connection that was explained."""
    return sign(
        allowed=answer.verdict == "allow",
        watched=any(side.effect is Effect.WATCH for side in answer.sides),
        rules=[side.rule for side in answer.sides if side.effect is not None],
        unknown=any(side.unknown for side in answer.sides),
    )
