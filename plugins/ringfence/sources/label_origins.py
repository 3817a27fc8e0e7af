"""The origin of a label: the rule, its expression, and the attributes that decided, each with its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ringfence.model.assets import Asset
from ringfence.model.label_rules import LabelRule
from ringfence.sources.expressions import compile_expression
from ringfence.sources.host_told import source_of_told, told_roots
from ringfence.sources.host_variables import INVENTORY, LABELS
from ringfence.sources.merging import IDENTITY


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one attribute said, and which source said it."""

    attribute: str
    value: object
    source: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of one label: `rule` is a place or `inventory`, `expression` and `when` are those of the rule.

    `told` is the host on whose own report it depends, empty for none.
    """

    key: str
    value: str
    rule: str
    expression: str | None
    when: str | None
    evidence: tuple[Evidence, ...]
    told: str = ""

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "value": self.value,
            "rule": self.rule,
            "expression": self.expression,
            "when": self.when,
            **({"told": self.told} if self.told else {}),
            "evidence": [
                {"attribute": one.attribute, "value": one.value, "source": one.source} for one in self.evidence
            ],
        }


def origins(asset: Asset, rules: Sequence[LabelRule]) -> tuple[Origin, ...]:
    """Return the origin of every label of an asset, by key."""
    known = {(f"{rule.place.file}:{rule.place.line}", rule.key): rule for rule in rules}
    found = []
    for key, label in sorted(asset.labels.items()):
        rule = known.get((label.rule, key))
        if rule is None:
            evidence = [Evidence(f"{LABELS}.{key}", label.value, source_of(asset, (LABELS, key)))]
            told = evidence if label.rule == INVENTORY else []
            found.append(Origin(key, label.value, label.rule, None, None, tuple(told)))
            continue
        told = list(_evidence(asset, (rule.expression, rule.when)))
        found.append(Origin(key, label.value, label.rule, rule.expression, rule.when, tuple(told), label.told))
    return tuple(found)


def source_of(asset: Asset, path: Sequence[str]) -> str:
    """Return the source of an attribute: its host's report, the source in a merged asset, else all its sources."""
    host = told_roots(asset).get(path[0])
    if host is not None:
        return source_of_told(host)
    identity = asset.attributes.get(IDENTITY)
    came = identity.get("from") if isinstance(identity, Mapping) else None
    for end in range(len(path), 0, -1):
        source = came.get(".".join(path[:end])) if isinstance(came, Mapping) else None
        if isinstance(source, str):
            return source
    return ", ".join(asset.sources)


def _evidence(asset: Asset, expressions: Iterable[str | None]) -> Iterable[Evidence]:
    seen = set()
    for text in expressions:
        for path in (compile_expression(text).paths or ()) if text is not None else ():
            value: object = asset.attributes
            for name in path:
                value = value.get(name) if isinstance(value, Mapping) else None
            if value is not None and path not in seen:
                seen.add(path)
                yield Evidence(".".join(path), value, source_of(asset, path))
