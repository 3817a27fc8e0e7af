"""The `diff` of a plan: what changes against what is enforced now, by rule and label."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from pyroaring import BitMap

from ringfence.analysis.difference import Difference, OutcomeChange, difference
from ringfence.model.addresses import EVERY_ADDRESS, range_text, range_texts
from ringfence.model.assets import Snapshot
from ringfence.model.intervals import IntervalSet
from ringfence.model.memberships import ALWAYS
from ringfence.model.services import EVERY_SERVICE, service_texts
from ringfence.model.tables import DEFAULT_RULE, Effect, Outcome, VerdictTable

if TYPE_CHECKING:
    from pydantic import JsonValue

KEYS = ("app", "role", "env", "loc")
# A plan is read by people: it names this many ranges of addresses that no asset holds, and counts the others.
RANGES_NAMED = 20


def plan_diff(
    before: Mapping[str, VerdictTable],
    after: Mapping[str, VerdictTable],
    snapshot: Snapshot,
    keys: Sequence[str] = KEYS,
) -> dict[str, JsonValue]:
    """Return what changes as plain data, equal for equal arguments.

    `groups` holds workloads that share their changes. A change says for whom (by its name in `peers`; with `members`
    where it is so only in, or not in, a dynamic set), on which services, which rule decided before and which does now,
    and what that does: `opens`, `closes`, `watches` (passes, recorded), `unwatches`, or `renames` where only the rule
    differs. `peers` holds every set of them once: `assets` by the labels in `keys`, or all `assets_except` these where
    that is shorter, and `every_unknown` address or the `unknown` ranges that no asset holds.
    """
    labels = _Labels(snapshot, keys)
    names = {rule: name for table in (*before.values(), *after.values()) for rule, name in table.rule_names.items()}
    groups: list[JsonValue] = []
    total: Counter[str] = Counter()
    for one in difference(before, after):
        changes = [_change(change, labels, names) for change in one.changes]
        total.update(str(change["does"]) for change in changes)
        groups.append(_group(one, labels, changes))
    return {"groups": groups, "peers": labels.sets, "changes": {key: total[key] for key in sorted(total)}}


class _Labels:
    """The labels of assets in reach of an address set, counted; `sets` holds what was counted by its name."""

    def __init__(self, snapshot: Snapshot, keys: Sequence[str]) -> None:
        self.of_asset = {
            asset.name: " ".join(f"{key}={asset.labels[key].value}" for key in keys if key in asset.labels)
            or "no labels"
            for asset in snapshot.assets
        }
        # Assets are numbered by their labels, so that those of the same labels are a range of numbers.
        numbered = sorted((self.of_asset[asset.name], asset.name) for asset in snapshot.assets if asset.addresses)
        number = {name: position for position, (_, name) in enumerate(numbered)}
        totals = Counter(labels for labels, _ in numbered)
        ends = accumulate(totals.values())
        self.ranges = [(labels, end - count, end) for (labels, count), end in zip(totals.items(), ends, strict=True)]
        held = sorted((point, number[asset.name]) for asset in snapshot.assets for point in asset.addresses)
        self.points = [point for point, _ in held]
        self.numbers = array("I", [position for _, position in held])
        # How many addresses are held before a position, each counted once.
        self.before = list(accumulate((low != high for low, high in pairwise([None, *self.points])), initial=0))
        self.held = IntervalSet.of((point, point) for point in self.points)
        self.outside = (EVERY_ADDRESS - self.held).size()
        self.sets: dict[str, JsonValue] = {}
        self._known: dict[IntervalSet, str] = {}
        self._named: dict[str, str] = {}

    def peers(self, addresses: IntervalSet) -> str:
        """Return the name of what is counted for an address set; what is told alike has one name."""
        known = self._known.get(addresses)
        if known is None:
            counted = self._count(addresses)
            known = self._named.setdefault(json.dumps(counted), f"p{len(self.sets)}")
            self.sets[known] = counted
            self._known[addresses] = known
        return known

    def _count(self, addresses: IntervalSet) -> dict[str, JsonValue]:
        found = array("I")
        outside = 0
        for low, high in addresses:
            begin = bisect_left(self.points, low)
            end = bisect_right(self.points, high, begin)
            found.extend(self.numbers[begin:end])
            outside += high - low + 1 - self.before[end] + self.before[begin]
        every = outside == self.outside
        # To subtract what is held takes long for broad sets, which mostly are every unknown address or none.
        unknown = addresses - self.held if outside and not every else IntervalSet()
        counted: dict[str, JsonValue] = {
            "every_unknown": every,
            **self._assets(BitMap(found)),
            "unknown": [range_text(low, high) for low, high in unknown.intervals[:RANGES_NAMED]],
        }
        if len(unknown) > RANGES_NAMED:
            counted["unknown_more"] = len(unknown) - RANGES_NAMED
        return counted

    def _assets(self, numbers: BitMap) -> dict[str, JsonValue]:
        """Return the shorter of which assets they are and which they are not, by their labels."""
        counted = [(labels, numbers.range_cardinality(begin, end), end - begin) for labels, begin, end in self.ranges]
        named = [(labels, count) for labels, count, _ in counted if count]
        others = [(labels, whole - count) for labels, count, whole in counted if whole > count]
        key, told = ("assets_except", others) if len(others) < len(named) else ("assets", named)
        return {key: [{"labels": labels, "count": count} for labels, count in told]}


def _group(one: Difference, labels: _Labels, changes: list[dict[str, JsonValue]]) -> dict[str, JsonValue]:
    kinds = sorted({labels.of_asset.get(name, "gone") for name in one.workloads})
    return {
        "workloads": list(one.workloads),
        "labels": list(kinds),
        "added": one.added,
        "removed": one.removed,
        "changes": list(changes),
    }


def _change(change: OutcomeChange, labels: _Labels, names: Mapping[str, str]) -> dict[str, JsonValue]:
    return {
        "does": _does(change.before, change.after),
        "direction": str(change.direction),
        **change.process.data(),
        "local": None if change.local.size() > 1 << 32 else list(range_texts(change.local)),
        **_services(change.services),
        "peers": labels.peers(change.remote),
        "before": _outcome(change.before, names),
        "after": _outcome(change.after, names),
        **({} if change.membership == ALWAYS else {"members": str(change.membership)}),
    }


def _services(services: IntervalSet) -> dict[str, JsonValue]:
    """Return the shorter of what the services are and what they are not."""
    key, texts = _service_words(services)
    return {key: list(texts)}


@lru_cache(maxsize=4096)
def _service_words(services: IntervalSet) -> tuple[str, tuple[str, ...]]:
    named, others = service_texts(services), service_texts(EVERY_SERVICE - services)
    return ("services_except", others) if others and len(others) < len(named) else ("services", named)


def _does(before: Outcome, after: Outcome) -> str:
    if before.passes != after.passes:
        return "opens" if after.passes else "closes"
    if before.effect is not after.effect:
        return "watches" if after.effect is Effect.WATCH else "unwatches"
    return "renames"


def _outcome(outcome: Outcome, names: Mapping[str, str]) -> dict[str, JsonValue]:
    name = None if outcome.rule == DEFAULT_RULE else names.get(outcome.rule)
    return {"effect": str(outcome.effect), "rule": outcome.rule, "name": name}
