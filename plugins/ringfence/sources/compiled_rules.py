"""A label rule ready to run on many assets: no two assets of equal attributes make it evaluate twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from ringfence.model.assets import Asset
from ringfence.model.errors import InputError, InputErrors
from ringfence.model.label_rules import LabelRule
from ringfence.model.label_texts import label_fault, label_text
from ringfence.sources.comparisons import Unequal
from ringfence.sources.expressions import (
    Attributes,
    EvaluationError,
    EvaluationGivenUpError,
    Expression,
    Path,
    compile_expression,
    value_key,
)
from ringfence.sources.host_variables import shown

# Outcomes of one rule that are remembered; where attributes are that many, remembering them does not pay.
REMEMBERED = 4096

Keys = Sequence[object]


@dataclass(frozen=True, slots=True)
class NoLabel:
    """A rule gave what can be no label; `fault` says why."""

    fault: str
    remedy: str = "correct the value where it comes from, or take a part of it with match(…)"


Outcome = str | EvaluationError | NoLabel | None


@dataclass(slots=True, eq=False)
class CompiledRule:
    """A rule, and what it did so far: how often it gave a label, on which assets it failed, and how first.

    On the assets `refused_on` it gave what can be no label, first for the reason `refusal`; `unequal` is the first
    comparison of a text with a number, and the asset where it was met. `values` are those of the rule as label texts.
    `pick` takes the keys of the attributes that the rule depends on from those of an asset; None: evaluate always.
    """

    rule: LabelRule
    expression: Expression
    condition: Expression | None
    provenance: str
    values: Mapping[str, str]
    pick: Callable[[Keys], object] | None = None
    wins: int = 0
    failed_on: list[str] = field(default_factory=list)
    fault: str = ""
    refused_on: list[str] = field(default_factory=list)
    refusal: NoLabel | None = None
    unequal: tuple[Unequal, str] | None = None
    _known: dict[object, Outcome] = field(default_factory=dict)

    def value_for(self, asset: Asset, keys: Keys) -> str | None:
        """Return the value that the rule gives an asset, None where it does not match or fails, which is noted."""
        if self.pick is None:
            outcome = self._outcome(asset)
        else:
            key = self.pick(keys)
            try:
                outcome = self._known[key]
            except KeyError:
                outcome = self._known[key] = self._outcome(asset)
                if len(self._known) >= REMEMBERED:
                    self.pick = None
        if isinstance(outcome, EvaluationError):
            self.failed_on.append(asset.name)
            self.fault = self.fault or str(outcome)
            return None
        if isinstance(outcome, NoLabel):
            self.refused_on.append(asset.name)
            self.refusal = self.refusal or outcome
            return None
        return outcome

    def seen(self, asset: Asset) -> Outcome:
        """Return what the rule makes of an asset, which is not noted."""
        try:
            return self._value(asset.attributes, [])
        except EvaluationError as error:
            return error

    def _outcome(self, asset: Asset) -> Outcome:
        met: list[Unequal] = []
        try:
            return self._value(asset.attributes, met)
        except EvaluationGivenUpError as error:
            return NoLabel(str(error), "write it without a repeat inside of a repeat")
        except EvaluationError as error:
            return error
        finally:
            if met and self.unequal is None:
                self.unequal = met[0], asset.name

    def _value(self, attributes: Attributes, met: list[Unequal]) -> str | NoLabel | None:
        if self.condition is not None and not _is_true(self.condition.value(attributes, met)):
            return None
        found = self.expression.value(attributes, met)
        if found is None or found == "":
            return None
        if not isinstance(found, str):
            raise EvaluationError(_no_text(found, self.rule.expression))
        text = label_text(found)
        text = self.values.get(text, text)
        if not text:
            return None
        fault = label_fault(text)
        return text if fault is None else NoLabel(fault)


def compile_rules(rules: Sequence[LabelRule]) -> tuple[list[CompiledRule], tuple[Path, ...]]:
    """Return the rules compiled, and the paths whose keys they want of every asset, in order.

    Raises InputErrors with every expression that cannot be compiled.
    """
    compiled: list[CompiledRule] = []
    errors: list[InputError] = []
    known: dict[str, Expression] = {}
    paths: dict[Path, int] = {}
    for rule in rules:
        try:
            for text in (rule.expression, rule.when):
                if text is not None and text not in known:
                    known[text] = compile_expression(text, rule.place)
        except InputError as error:
            errors.append(error)
            continue
        condition = None if rule.when is None else known[rule.when]
        pick = _pick((known[rule.expression], condition), paths)
        provenance = f"{rule.place.file}:{rule.place.line}"
        values = {label_text(given): label_text(value) for given, value in rule.values.items()}
        compiled.append(CompiledRule(rule, known[rule.expression], condition, provenance, values, pick))
    if errors:
        raise InputErrors(errors)
    return compiled, tuple(paths)


def keys_of(asset: Asset, paths: Iterable[Path]) -> Keys:
    """Return the keys of an asset's attributes at the paths."""
    return [value_key(asset.attributes, path) for path in paths]


def _pick(expressions: Iterable[Expression | None], paths: dict[Path, int]) -> Callable[[Keys], object] | None:
    wanted: list[Path] = []
    for expression in expressions:
        if expression is None:
            continue
        if expression.paths is None:
            return None
        wanted += expression.paths
    slots = [paths.setdefault(path, len(paths)) for path in dict.fromkeys(wanted)]
    return itemgetter(*slots) if slots else _nothing


def _nothing(keys: Keys) -> object:
    return ()


def _is_true(value: object) -> bool:
    """Return JMESPath's truth: null, false, and empty text, lists and mappings are false; numbers are true."""
    return not (value is None or value is False or value in ("", [], {}))


def _no_text(value: object, expression: str) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return f"'{expression}' gives {kinds.get(type(value), 'an expression')}, {shown(value)}, and labels are text"
