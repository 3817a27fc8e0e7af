"""What is found of rules, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ringfence.model.counts import counted
from ringfence.presenting.line import Line
from ringfence.presenting.simulation_rows import service_text

if TYPE_CHECKING:
    from ringfence.analysis.hygiene import RuleHygiene
    from ringfence.operations.hygiene import Hygiene

TITLES = {
    "needless": "Nothing changes without them, proven by the tables",
    "unused": "No flow used them",
    "wide": "Far wider than their traffic",
    "no_evidence": "No evidence",
    "guard": "Denies that nobody met, and passes",
    "used": "Used",
}
COLOURS = {
    "needless": "yellow",
    "unused": "yellow",
    "wide": "yellow",
    "no_evidence": None,
    "guard": "green",
    "used": "green",
}


def hygiene_lines(result: Hygiene, limit: int, *, everything: bool) -> Iterator[Line]:
    """Yield what is found of rules, by finding; of those that are used or guard only with `everything`."""
    for finding, title in TITLES.items():
        rules = [one for one in result.rules if one.finding == finding]
        if not rules or (finding in ("guard", "used") and not everything):
            continue
        yield Line()
        yield Line(f"{title} ({len(rules)})", style=COLOURS[finding], bold=True)
        yield from _rules(result, rules[:limit])
        if len(rules) > limit:
            yield Line(f"  {len(rules) - limit:,} more (--limit, --json)")
    yield Line()
    fine = len(result.rules) - result.bad
    yield Line(f"{counted(result.bad, 'finding')} in {counted(len(result.rules), 'rule')}; {fine} without one")


def _rules(result: Hygiene, rules: Sequence[RuleHygiene]) -> Iterator[Line]:
    for one in rules:
        count = one.use.count
        used = f"{counted(count.flows, 'flow')}, {counted(count.connections, 'connection')}"
        yield Line(f"  {one.rule.place}  '{one.rule.name}': decided {used}")
        if one.why:
            yield Line(f"    {one.why}")
        if not one.deletion.nothing:
            yield Line(f"    without it: {one.deletion.words()}")
        if one.narrower is not None:
            yield Line(f"    narrower: {one.narrower.words()}", style="cyan")
        if (changed := result.changed.get(one.rule.id)) is not None:
            yield Line(
                f"    of the flows that were seen: {changed.newly_denied:,} denied that are allowed, "
                f"{changed.newly_allowed:,} allowed that are denied"
            )
            yield from (Line(f"      {_flow(flow)}") for flow in changed.flows)


def _flow(flow: Mapping[str, object]) -> str:
    client, server = (flow[f"{side}_asset"] or flow[side] for side in ("client", "server"))
    service = service_text(flow["protocol"], flow["port"])
    return f"{client} → {server} {service}: {str(flow['category']).replace('_', ' ')}, {flow['connections']} times"
