"""What another label would do, as lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ringfence.model.counts import counted
from ringfence.presenting.line import Line
from ringfence.presenting.plan_view import changed_tables
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.analysis.impact import LabelChange, RuleChange
    from ringfence.operations.impact import Impact

_SPOKEN = {"internet": "the internet", "any": "any address", "unknown": "addresses that no asset holds"}


def impact_lines(found: Impact, limit: int, *, everything: bool) -> Iterator[Line]:
    """Yield which labels, rules, modes and tables change."""
    yield from _labels(found, limit)
    yield Line()
    if not found.rules:
        yield Line("no rule begins or stops to speak of these assets")
    for one in found.rules:
        yield from _rule(one)
    for mode in found.modes[:limit]:
        yield Line(f"mode of {mode.asset}, {mode.direction}: {mode.before} → {mode.after}", style="yellow")
    if len(found.modes) > limit:
        yield Line(f"{counted(len(found.modes) - limit, 'more mode')} (--limit, --json)")
    for failing in found.failing:
        yield Line(f"{failing.place}: {failing.why}", style="red")
    if not found.workloads:
        yield Line("no workload gets another table")
        return
    yield Line(f"{counted(found.workloads, 'workload gets', 'workloads get')} another table")
    yield from changed_tables(found.tables, everything=everything)


def flow_line(found: Impact, words: str) -> Line:
    """Return what becomes of the flows that were seen."""
    return Line(f"{words}: {found.simulation.summary()}", style="red" if found.newly_denied else None, bold=True)


def _labels(found: Impact, limit: int) -> Iterator[Line]:
    changes: dict[tuple[str, str | None, str | None, str], list[LabelChange]] = {}
    for one in found.labels:
        changes.setdefault((one.key, one.before, one.after, one.origin), []).append(one)
    for number, ((key, before, after, origin), assets) in enumerate(changes.items()):
        if number == limit:
            yield Line(f"{len(changes) - limit:,} more (--limit, --json)")
            return
        named = first_few([one.asset for one in assets])
        given = f", which {origin} gives" if origin else ""
        yield Line(f"{named}: {key} {before or 'none'} → {after or 'none'}{given}", bold=True)
    if found.new_values:
        yield Line(f"no asset has {first_few(found.new_values)} yet", style="yellow")


def _rule(one: RuleChange) -> Iterator[Line]:
    others = [_SPOKEN.get(word, word) for word in one.others]
    assets = [counted(one.peers, "asset")] if one.peers else [] if others else ["no asset yet"]
    peers = " and ".join([*assets, *([first_few(others)] if others else [])])
    for word, names, colour in (("begins", one.begins, "green"), ("stops", one.stops, "red")):
        if names:
            yield Line(
                f"'{one.rule.name}' ({one.rule.place}, {one.rule.action}) {word} to hold {one.side} "
                f"{first_few(names)}, with {peers} on its other side",
                style=colour if one.rule.action == "allow" else "yellow",
            )
