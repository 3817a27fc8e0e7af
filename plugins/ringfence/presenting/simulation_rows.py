"""Judged flows as rows: by rule, by the labels of both ends, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.analysis.simulate_counts import Count, LabelCount, RuleCount
    from ringfence.analysis.simulate_judge import Category
    from ringfence.analysis.simulate_selection import AssetCount, RulesetCount

CATEGORIES = ("still_allowed", "newly_allowed", "newly_denied", "still_denied")
_COUNTS = (*(f"#{name.replace('_', ' ')}" for name in CATEGORIES), "#watched")
RULE_COLUMNS = ("rule", "side", *_COUNTS)
LABEL_COLUMNS = ("from", "to", *_COUNTS)
FLOW_COLUMNS = ("from", "to", "service", "#connections", "verdict", "seen last")
REFUSED_COLUMNS = ("from", "to", "service", "#connections", "seen last")
RULESET_COLUMNS = ("ruleset", *_COUNTS)
ASSET_COLUMNS = ("asset", "#flows", "#connections", "#newly denied", "#newly allowed", "seen first", "seen last")


def rule_rows(counts: Sequence[RuleCount]) -> Iterator[tuple[object, ...]]:
    """Yield a row a rule and side, under RULE_COLUMNS."""
    for one in counts:
        yield one.name, "to" if one.direction == "in" else "from", *_flows(one.categories), one.watched.flows


def ruleset_rows(counts: Sequence[RulesetCount]) -> Iterator[tuple[object, ...]]:
    """Yield a row a ruleset, under RULESET_COLUMNS."""
    for one in counts:
        yield one.ruleset, *_flows(one.categories), one.watched.flows


def label_rows(counts: Sequence[LabelCount]) -> Iterator[tuple[object, ...]]:
    """Yield a row for each pair of label combinations, under LABEL_COLUMNS."""
    for one in counts:
        yield label_text(one.source), label_text(one.destination), *_flows(one.categories), one.watched.flows


def counts_text(categories: Mapping[Category, Count]) -> str:
    """Return how many flows of each category there are, for people."""
    return ", ".join(
        f"{categories[one].flows:,} {str(one).replace('_', ' ')}" for one in sorted(categories, key=_place)
    )


def flow_rows(flows: Sequence[Mapping[str, object]]) -> Iterator[tuple[object, ...]]:
    """Yield a row a flow, under FLOW_COLUMNS."""
    for flow in flows:
        yield (
            _end(flow, "client"),
            _end(flow, "server"),
            service_text(flow["protocol"], flow["port"]),
            flow["connections"],
            str(flow["category"]).replace("_", " ") + (", watched" if flow["would_be_denied"] else ""),
            flow["last_seen"],
        )


def refused_rows(flows: Sequence[Mapping[str, object]]) -> Iterator[tuple[object, ...]]:
    """Yield a row a refused attempt, under REFUSED_COLUMNS."""
    for flow in flows:
        service = service_text(flow["protocol"], flow["port"])
        yield _end(flow, "client"), _end(flow, "server"), service, flow["connections"], flow["last_seen"]


def asset_rows(counts: Sequence[AssetCount]) -> Iterator[tuple[object, ...]]:
    """Yield a row an asset, under ASSET_COLUMNS."""
    for one in counts:
        seen = one.evidence
        times = (time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else "never" for time in (seen.first_seen, seen.last_seen))
        _, allowed, denied, _ = _flows(one.categories)
        yield one.asset, seen.count.flows, seen.count.connections, denied, allowed, *times


def label_text(labels: Mapping[str, str] | None) -> str:
    """Return labels for people; an end of no asset is `unknown`."""
    if labels is None:
        return "unknown"
    return " ".join(f"{key}={value}" for key, value in labels.items()) or "no labels"


def service_text(protocol: object, port: object) -> str:
    """Return a service for people; an ICMP type that nobody said is left out."""
    return str(protocol) if port is None else f"{protocol}/{port}"


def _end(flow: Mapping[str, object], side: str) -> str:
    process = flow[f"{side}_unit"] or flow[f"{side}_user"] or flow[f"{side}_process"]
    name = flow[f"{side}_asset"] or flow[side]
    return f"{name} ({process})" if process else str(name)


def _flows(categories: Mapping[Category, Count]) -> tuple[int, int, int, int]:
    still_allowed, newly_allowed, newly_denied, still_denied = (
        categories[one].flows for one in sorted(categories, key=_place)
    )
    return still_allowed, newly_allowed, newly_denied, still_denied


def _place(category: str) -> int:
    return CATEGORIES.index(str(category))
