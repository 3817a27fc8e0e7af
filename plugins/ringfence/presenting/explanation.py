"""Why a connection is allowed or denied, in lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ringfence.model.intervals import IntervalSet, union
from ringfence.model.services import service_texts
from ringfence.model.tables import DEFAULT_RULE, Effect
from ringfence.presenting.line import Line
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.analysis.explain import Answer, Explanation, Side

# Answers that are shown to people.
ANSWERS_SHOWN = 50
# Services that a line names before it counts the rest.
WORDS_SHOWN = 8


def explanation_lines(answer: Explanation) -> Iterator[Line]:
    """Yield every answer, those for further addresses last."""
    asked = union(one.services for one in answer.answers)
    for one in answer.answers[:ANSWERS_SHOWN]:
        yield from _answer(one, asked)
    if answer.not_proven:
        yield Line(f"not proven: {answer.not_proven}", style="yellow")
    if len(answer.answers) > ANSWERS_SHOWN:
        left = f"{len(answer.answers) - ANSWERS_SHOWN} more answers for other services (--json, or ask for fewer)"
        yield Line(left, style="yellow")
    for other in answer.others:
        yield Line(f"otherwise between {other.client} and {other.server}:", style="yellow")
        yield from _answer(other, asked)


def _answer(answer: Answer, asked: IntervalSet) -> Iterator[Line]:
    allowed, beside = answer.verdict == "allow", answer.beside
    word = "allowed" if allowed else "denied"
    if beside is not None:
        word = f"allowed by Ringfence, {beside.short}"
    yield Line(
        f"{word}: {answer.client} → {answer.server} on {_services(answer, asked)}",
        style="yellow" if beside else "green" if allowed else "red",
        bold=True,
    )
    for side in answer.sides:
        yield Line(f"  {side.side:<4}  {_reason(side)}")
        if side.beside is not None:
            yield Line(f"        {side.beside}")
        for note in side.notes:
            yield Line(f"        {note}")
    for way in answer.ways:
        yield Line(f"  way   {way}")
    if answer.nearest:
        nearest = answer.nearest
        misses = "; ".join(nearest.misses) or _overruled(answer)
        yield Line(f"nearest: '{nearest.rule}' ({nearest.place}) {misses}")


def _overruled(answer: Answer) -> str:
    """Return why a rule that chooses both ends and the service does not decide."""
    first = next((side for side in answer.sides if side.verdict == "deny" and side.rule != DEFAULT_RULE), None)
    if first is not None:
        return f"allows it too, but '{first.rule}' decides first"
    return "chooses both ends, but does not decide here: look at its 'at' and 'process', and at rules that 'pass'"


def _services(answer: Answer, asked: IntervalSet) -> str:
    """Return what an answer holds for: all but the rest of what was asked, where that is shorter."""
    words, rest = service_texts(answer.services), service_texts(asked - answer.services)
    if len(words) > WORDS_SHOWN and 0 < len(rest) < len(words):
        return f"all but {_some(rest)}"
    return _some(words)


def _some(words: Sequence[str]) -> str:
    return first_few(words, WORDS_SHOWN)


def _reason(side: Side) -> str:
    verdict = "allowed" if side.verdict == "allow" else "denied"
    direction = "inbound" if side.side == "to" else "outbound"
    watched = side.effect is Effect.WATCH
    parts = []
    if side.rule == DEFAULT_RULE:
        parts.append("no rule allows it" if watched or verdict == "denied" else "no rule denies it")
    else:
        parts.append(side.rule)
    if watched:
        parts[0] += ", which mode full would deny"
    if side.rule == DEFAULT_RULE or watched:
        parts.append(f"{direction} mode is {side.mode}")
    if side.process is not None:
        parts.append(f"for {str(side.process) or 'any other process'}")
    place = f" ({side.place})" if side.place else ""
    return f"{verdict}: {'; '.join(parts)}{place}"
