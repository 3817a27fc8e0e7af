"""The counters that hosts report: packets that their table denied, or would have denied, since it was loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ringfence.model.safe_text import clean_line

if TYPE_CHECKING:
    from ringfence.rollout.results import HostResult


def packets(host: HostResult, effect: str) -> int:
    """Return the packets that a host denied (`deny`), or would have denied (`watch`)."""
    return sum(packets_of(one) for one in _counters(host) if one.get("effect") == effect)


def denied_by_rule(host: HostResult) -> tuple[tuple[str, int], ...]:
    """Return the packets that a host denied by the name of the rule, the most first."""
    found: Counter[str] = Counter()
    for one in _counters(host):
        if one.get("effect") == "deny" and packets_of(one):
            found[clean_line(rule_words(one))] += packets_of(one)
    return tuple(found.most_common())


def packets_of(entry: Mapping[str, object]) -> int:
    """Return the packets of an entry, 0 where it has no number."""
    packets = entry.get("packets")
    return packets if isinstance(packets, int) else 0


def rule_words(entry: Mapping[str, object]) -> str:
    """Return the name of the rule of an entry."""
    return str(entry.get("name") or ("no rule allows it" if entry.get("rule") == "default" else entry.get("rule")))


def _counters(host: HostResult) -> Iterator[Mapping[str, object]]:
    counters = host.result.get("counters")
    yield from (one for one in (counters if isinstance(counters, list) else ()) if isinstance(one, Mapping))
