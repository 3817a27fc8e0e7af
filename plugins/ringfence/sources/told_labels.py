"""Labels that rest on what a host says of itself: marked with that host, and told unless their rule trusts it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ringfence.model.assets import Asset, Label
from ringfence.model.label_rules import LabelRule
from ringfence.model.problems import Problem, Severity
from ringfence.sources.expressions import compile_expression
from ringfence.sources.host_told import TOLD, told_roots, without_told
from ringfence.sources.labelling import apply_label_rules
from ringfence.wire.first_few import first_few

_REMEDY = "trust: facts in the rule, where that is meant; else take the label from the inventory"

# A rule as the labels know it: its place, and the label's key.
_Known = tuple[str, str]


def mark_told(assets: Sequence[Asset], rules: Sequence[LabelRule]) -> tuple[tuple[Asset, ...], list[Problem]]:
    """Return labelled assets with the labels marked that rest on a host's own word, and a warning for every such rule.

    A label does where its rule looks at what that host told, or where it would be another one, or none, without that.
    """
    telling = [asset for asset in assets if told_roots(asset)]
    if not telling or not rules:
        return tuple(assets), []
    known = {(f"{rule.place.file}:{rule.place.line}", rule.key): rule for rule in rules}
    looked_at = {one: _roots(rule) for one, rule in known.items()}
    without = {asset.name: asset.label_values() for asset in _without(telling, rules, known)}
    named: dict[_Known, list[str]] = {}
    found = []
    for asset in assets:
        told = told_roots(asset)
        labels = dict(asset.labels)
        for key, label in asset.labels.items() if told else ():
            one = (label.rule, key)
            roots = looked_at.get(one, frozenset())
            read = [root for root in told if roots is not None and root in roots]
            if one in known and (read or without[asset.name].get(key) != label.value):
                labels[key] = Label(label.value, label.rule, told[read[0]] if read else next(iter(told.values())))
                named.setdefault(one, []).append(asset.name)
        for one, roots in looked_at.items() if told else ():
            # A host that is asked and says nothing of it decides by that as well.
            if roots is not None and roots & told.keys():
                named.setdefault(one, [])
        found.append(replace(asset, labels=labels) if told else asset)
    problems = [_problem(known[one], names) for one, names in named.items() if not known[one].trusts_facts]
    return tuple(found), sorted(problems, key=lambda problem: str(problem.place))


def _without(assets: Sequence[Asset], rules: Sequence[LabelRule], known: Collection[_Known]) -> tuple[Asset, ...]:
    """Return assets with the labels that they would have if their hosts had told nothing."""
    kept = [
        replace(
            asset,
            labels={key: label for key, label in asset.labels.items() if (label.rule, key) not in known},
            attributes=without_told(asset),
        )
        for asset in assets
    ]
    return apply_label_rules(kept, rules)[0]


def _roots(rule: LabelRule) -> frozenset[str] | None:
    """Return the attributes that a rule looks at; None where it may look at any."""
    found: set[str] = set()
    for text in (rule.expression, rule.when):
        paths = compile_expression(text).paths if text is not None else ()
        if paths is None:
            return None
        found.update(path[0] for path in paths)
    return frozenset(found - {TOLD})


def _problem(rule: LabelRule, names: Sequence[str]) -> Problem:
    some = first_few([f"'{name}'" for name in names])
    gives = f": it labels {some}" if names else ", and gives no label now"
    message = f"the rule for '{rule.key}' rests on what hosts say of themselves{gives}"
    return Problem(Severity.WARNING, message, rule.place, _REMEDY)
