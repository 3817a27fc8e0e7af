"""Label rules applied to assets: which rule gives which label, and where rules contradict or never count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from ringfence.model.assets import Asset, Label
from ringfence.model.errors import Place
from ringfence.model.label_rules import LabelRule
from ringfence.model.problems import Problem, Severity
from ringfence.sources.comparisons import Unequal
from ringfence.sources.compiled_rules import CompiledRule, Keys, NoLabel, compile_rules, keys_of
from ringfence.sources.expressions import EvaluationError, Path
from ringfence.sources.host_told import told_roots, without_told
from ringfence.sources.host_variables import INVENTORY
from ringfence.wire.first_few import first_few

Problems = tuple[Problem, ...]


@dataclass(slots=True)
class _Conflict:
    first: CompiledRule
    second: CompiledRule
    values: tuple[str, str]
    assets: list[str] = field(default_factory=list)
    of_hosts: bool = False


@dataclass(slots=True)
class _Labelling:
    """The rules by key and then by priority, and the conflicts found so far."""

    by_key: Mapping[str, Sequence[Sequence[CompiledRule]]]
    paths: tuple[Path, ...]
    conflicts: dict[tuple[str, str, bool], _Conflict] = field(default_factory=dict)

    def labels_of(self, asset: Asset) -> dict[str, Label]:
        labels: dict[str, Label] = {}
        keys = keys_of(asset, self.paths)
        for key, ranks in self.by_key.items():
            if key not in asset.labels:
                label = self._decided(asset, keys, ranks)
                if label is not None:
                    labels[key] = label
        labels.update(asset.labels)
        return dict(sorted(labels.items()))

    def _decided(self, asset: Asset, keys: Keys, ranks: Sequence[Sequence[CompiledRule]]) -> Label | None:
        for rank in ranks:
            winner, winning = None, ""
            for compiled in rank:
                value = compiled.value_for(asset, keys)
                if value is None:
                    continue
                if winner is None:
                    winner, winning = compiled, value
                elif value != winning:
                    bare = _without_its_word(asset)
                    of_host = bare is not None and not _contradict(bare, winner, compiled)
                    self._conflict(asset, (winner, compiled), (winning, value), of_host)
                    if bare is not None and of_host:
                        return self._decided(bare, keys_of(bare, self.paths), ranks)
                compiled.wins += 1
            if winner is not None:
                return Label(winning, winner.provenance)
        return None

    def _conflict(
        self, asset: Asset, rules: tuple[CompiledRule, CompiledRule], values: tuple[str, str], of_host: bool
    ) -> None:
        key = (rules[0].provenance, rules[1].provenance, of_host)
        self.conflicts.setdefault(key, _Conflict(*rules, values, of_hosts=of_host)).assets.append(asset.name)


def apply_label_rules(assets: Iterable[Asset], rules: Sequence[LabelRule]) -> tuple[tuple[Asset, ...], Problems]:
    """Return the assets with all their labels, in the same order, and what is wrong with the rules.

    Labels that an asset already has (the inventory's own) win over every rule; then the rule of the smaller priority.
    Errors are rules of equal priority that give one asset two values for one key (the earlier rule's stands), and rules
    that fail on an asset; warnings are rules that never give a label, that give an asset what can be none, or that
    compare a text with a number. What is wrong by a host's own word alone is a warning, and the label is the one that
    the host has without that word: one host stops no plan. Raises InputErrors where an expression cannot be compiled.
    """
    assets = tuple(assets)
    compiled, paths = compile_rules(rules)
    labelling = _Labelling(_by_key_and_priority(compiled), paths)
    labelled = tuple(replace(asset, labels=labelling.labels_of(asset)) for asset in assets)
    idle = [one for one in compiled if assets and not one.wins and not one.failed_on and not one.refused_on]
    unreachable = [_unreachable(one, labelled, paths) for one in idle]
    by_name = {asset.name: asset for asset in assets} if any(one.failed_on for one in compiled) else {}
    problems = [
        *(problem for one in compiled if one.failed_on for problem in _fault_problems(one, by_name)),
        *(_refusal_problem(one, one.refusal) for one in compiled if one.refusal is not None),
        *(_unequal_problem(one.rule, *one.unequal) for one in compiled if one.unequal is not None),
        *(_conflict_problem(conflict) for conflict in labelling.conflicts.values()),
        *(problem for problem in unreachable if problem is not None),
    ]
    return labelled, tuple(sorted(problems, key=lambda problem: (problem.place or Place(""), problem.message)))


def _by_key_and_priority(compiled: Sequence[CompiledRule]) -> dict[str, list[list[CompiledRule]]]:
    def order(one: CompiledRule) -> tuple[str, int, Place]:
        return one.rule.key, one.rule.priority, one.rule.place

    by_key: dict[str, list[list[CompiledRule]]] = {}
    for (key, _), rank in groupby(sorted(compiled, key=order), key=lambda one: (one.rule.key, one.rule.priority)):
        by_key.setdefault(key, []).append(list(rank))
    return by_key


def _without_its_word(asset: Asset) -> Asset | None:
    """Return an asset as if its host had told nothing; None where it did not."""
    return replace(asset, attributes=without_told(asset)) if told_roots(asset) else None


def _contradict(asset: Asset, first: CompiledRule, second: CompiledRule) -> bool:
    values = first.seen(asset), second.seen(asset)
    return all(isinstance(value, str) for value in values) and values[0] != values[1]


def _fault_problems(compiled: CompiledRule, assets: Mapping[str, Asset]) -> list[Problem]:
    """Return an error for the assets on which a rule fails, and a warning for those where only their word makes it."""
    by_word: dict[bool, list[str]] = {False: [], True: []}
    for name in compiled.failed_on:
        bare = _without_its_word(assets[name])
        by_word[bare is not None and not isinstance(compiled.seen(bare), EvaluationError)].append(name)
    return [_fault_problem(compiled, assets[names[0]], names, told) for told, names in by_word.items() if names]


def _fault_problem(compiled: CompiledRule, first: Asset, names: Sequence[str], told: bool) -> Problem:
    rule = compiled.rule
    message = f"the rule for '{rule.key}' fails on {_assets(names)}: {compiled.seen(first)}"
    if told:
        message += ", which the host says of itself: it gives no label there"
    remedy = (
        "make it text: to_string(…), join(', ', …), or pick one: […] | [0]" if "labels are text" in message else None
    )
    severity = Severity.WARNING if told else Severity.ERROR
    return Problem(severity, message, rule.place, remedy or "guard it with 'when', or with not_null(…)")


def _refusal_problem(compiled: CompiledRule, refusal: NoLabel) -> Problem:
    rule = compiled.rule
    message = (
        f"the rule for '{rule.key}' gives {_assets(compiled.refused_on)} {refusal.fault}: that is not a valid label"
    )
    return Problem(Severity.WARNING, message, rule.place, refusal.remedy)


def _unequal_problem(rule: LabelRule, unequal: Unequal, asset: str) -> Problem:
    message = f"the rule for '{rule.key}' compares {unequal.text}, as on asset '{asset}': the two are never equal"
    return Problem(Severity.WARNING, message, rule.place, unequal.remedy)


def _conflict_problem(conflict: _Conflict) -> Problem:
    first, second = conflict.first, conflict.second
    told = ", by what the host says of itself: that does not count there" if conflict.of_hosts else ""
    return Problem(
        Severity.WARNING if conflict.of_hosts else Severity.ERROR,
        f"{_assets(conflict.assets)} gets two values for '{first.rule.key}': '{conflict.values[0]}' here and "
        f"'{conflict.values[1]}' from {second.provenance}, both of priority {first.rule.priority}{told}",
        first.rule.place,
        "give the one that is to win a smaller priority",
    )


def _unreachable(compiled: CompiledRule, labelled: Sequence[Asset], paths: Sequence[Path]) -> Problem | None:
    """Return the warning for a rule that gave no label, None where looking at it found that it fails.

    Where an asset lacks the label, every rule for it was tried already, this one among them.
    """
    rule = compiled.rule
    for asset in labelled:
        if rule.key not in asset.labels:
            continue
        if compiled.value_for(asset, keys_of(asset, paths)) is not None:
            before = asset.labels[rule.key].rule
            winner = "the inventory" if before == INVENTORY else before
            return Problem(
                Severity.WARNING,
                f"the rule for '{rule.key}' never wins: where it matches, as on '{asset.name}', {winner} comes first",
                rule.place,
                "give it a smaller priority, or delete it",
            )
        if compiled.failed_on:
            return None
    return Problem(
        Severity.WARNING,
        f"the rule for '{rule.key}' matches none of {len(labelled)} assets",
        rule.place,
        "look at the attributes an asset has: ringfence assets --json, or delete the rule",
    )


def _assets(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return f"asset {first_few(quoted, 1)}"
