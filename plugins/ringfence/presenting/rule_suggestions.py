"""Suggested rules with their evidence, what is kept out, and how good they are: in lines, rows and plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ringfence.language.writing import flow_text
from ringfence.model.counts import counted
from ringfence.model.intervals import IntervalSet
from ringfence.model.services import point_of, service_texts
from ringfence.presenting.line import Line
from ringfence.suggest.groups import EVERYBODY
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.operations.suggest import Effect, Suggested
    from ringfence.suggest.groups import Groups
    from ringfence.suggest.judging import Score
    from ringfence.suggest.mining import Kept
    from ringfence.suggest.rules import Offered

SCORE_COLUMNS = ("what allows", "#rules", "recall", "of new", "#pairs and services", "#never used")
KEPT_COLUMNS = ("why", "from", "to", "services", "#connections", "seen last")


def offer_lines(found: Suggested) -> Iterator[Line]:
    """Yield every suggestion: what it says, what it rests on, what it would allow beyond."""
    for one in found.offers:
        yield Line(f"{one.id}  {found.names[one.id]}", bold=True)
        kind = "  baseline" if one.kind else ""
        yield Line(f"   from {flow_text(one.peers('from'))} to {flow_text(one.peers('to'))}")
        yield Line(f"   allow {', '.join(one.service_words())}{kind}")
        yield Line(f"   {evidence_text(one)}")
        yield Line(f"   {beyond_text(one)}", style="yellow" if one.beyond > one.reach / 2 else None)
    if found.fence is not None:
        yield Line(f"{found.fence.id}  close {found.fence.name}", bold=True)
        yield Line(f"   mode full for {flow_text(found.fence.where)}: what no rule allows is denied")
    if found.same_as:
        yield Line(f"the dial at {' or '.join(found.same_as)} suggests the same rules")


def evidence_text(one: Offered) -> str:
    """Return what a suggestion rests on, for people."""
    seen = one.evidence
    assert seen is not None
    first, last = (time.strftime("%Y-%m-%d %H:%M") for time in (seen.first, seen.last))
    return (
        f"seen: {counted(seen.flows, 'flow')}, {counted(seen.connections, 'connection')} from "
        f"{counted(seen.clients, 'host')} to {counted(seen.servers, 'host')}, {first} to {last} UTC"
    )


def beyond_text(one: Offered) -> str:
    """Return what a suggestion would allow beyond what was seen, for people."""
    assert one.evidence is not None
    whole = [
        f"the {choice.peer}" if choice.peer.startswith(("internet", "list ")) else choice.peer
        for side, named in zip((one.sources, one.destinations), one.addresses, strict=True)
        for choice in side
        if not named and (choice.peer.startswith(("internet", "list ")) or "/" in choice.peer)
    ]
    others = f"; and all other addresses of {' and '.join(whole)}" if whole else ""
    if not one.beyond:
        return f"beyond: every pair of hosts was seen{others}" if whole else "beyond: nothing, every pair was seen"
    pairs = f"{one.beyond:,} of {one.reach:,} pairs of hosts and services were not seen"
    return f"beyond: {pairs}{others}"


def score_rows(scores: Sequence[Score]) -> Iterator[tuple[object, ...]]:
    """Yield a row for the rules and each baseline, under SCORE_COLUMNS."""
    for one in scores:
        new = f"{one.recalled_new:,} of {one.new:,}"
        yield one.name, one.rules, f"{one.recall:.1%}", new, one.reach, one.excess


def kept_rows(kept: Sequence[Kept], groups: Groups) -> list[tuple[object, ...]]:
    """Return a row for what is kept out, by reason and ends, under KEPT_COLUMNS; the busiest first."""
    found: dict[tuple[str, str, str], tuple[set[tuple[int, int]], int, str]] = {}
    for one in kept:
        seen = one.seen
        key = (one.why, _end(groups, seen.client), _end(groups, seen.server))
        services, connections, last = found.get(key, (set(), 0, ""))
        moment = seen.last.strftime("%Y-%m-%dT%H:%M:%SZ")
        found[key] = ({*services, (seen.protocol, seen.port)}, connections + seen.connections, max(last, moment))
    busiest = sorted(found.items(), key=lambda one: (-one[1][1], one[0]))
    return [(*key, _services(services), *rest) for key, (services, *rest) in busiest]


def effect_lines(effect: Effect, found: Suggested) -> Iterator[Line]:
    """Yield what the chosen suggestions would do to the flows, and the tests and invariants that they would break."""
    counts = effect.simulation.categories
    flows = {str(category): count.flows for category, count in counts.items()}
    yield Line(
        f"in mode full: {counted(flows['still_allowed'], 'flow passes', 'flows pass')} as before, "
        f"{flows['newly_allowed']:,} more, "
        f"{flows['still_denied']:,} denied"
    )
    for sentence, causes in effect.breaking:
        who = ", ".join(causes)
        cause = f"suggestion {who} " if len(causes) == 1 else f"one of the suggestions {who} " if causes else ""
        yield Line(f"{cause}breaks the {sentence}", style="red")
    for name, why in sorted(effect.left_out.items()):
        yield Line(f"{name} could not take its table: {why}", style="red")
    if found.unlabelled:
        yield Line(
            f"without labels, named one by one: {first_few(found.unlabelled)}; label them first (ringfence labels "
            "suggest), and a rule can speak of what they are",
            style="yellow",
        )


def suggested_data(found: Suggested) -> dict[str, object]:
    """Return plain data for `--json`."""
    return {
        "window": found.window,
        "dial": found.dial,
        "same_as": list(found.same_as),
        "suggestions": [_offer_data(number, one, found) for number, one in enumerate(found.offers, 1)],
        "fence": found.fence and {"number": len(found.offers) + 1, **found.fence.data()},
        "allowed_already": found.allowed,
        "kept_out": [
            dict(zip(("why", "from", "to", "services", "connections", "last_seen"), row, strict=True))
            for row in kept_rows(found.kept, found.groups)
        ],
        "held_out": [one.data() for one in found.scores] if found.scores else None,
        "difference": found.difference,
        "effect": found.effect.data() if found.effect else None,
        "unlabelled": list(found.unlabelled),
        "rejected": [{"id": one.id, "because": one.because} for one in found.rejected],
        "written": list(found.written),
        "wrong": found.wrong,
    }


def _offer_data(number: int, one: Offered, found: Suggested) -> dict[str, object]:
    assert one.evidence is not None
    return {
        "number": number,
        "id": one.id,
        **one.rule(found.names[one.id]),
        "tier": "baseline" if one.kind else None,
        "evidence": one.evidence.data(),
        "reach": one.reach,
        "beyond": one.beyond,
        "chosen": one in found.chosen,
    }


def _services(services: Iterable[tuple[int, int]]) -> str:
    return first_few(service_texts(IntervalSet.of((point_of(*one), point_of(*one)) for one in services)))


def _end(groups: Groups, number: int) -> str:
    if number < 0:
        return groups.crowd(number) if number <= EVERYBODY else "-"
    group = groups.every[number]
    if group.labels:
        return " ".join(value for _, value in group.labels)
    return group.asset or group.peer or "-"
