"""Comparisons in label rules that can never hold: a literal text with the number it looks like, or the reverse."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from jmespath import visitor

from ringfence.sources.functions import OPTIONS

Node = Mapping[str, object]
_NUMBER = re.compile(r"\s*[-+]?\d+(\.\d*)?([eE][-+]?\d+)?\s*")
# Words that people and YAML 1.1 mean as truth values, which Ansible reads without quotes as such.
_TRUTHS = {"true": "false", "yes": "no", "on": "off"}
_UNTRUTHS = {no: yes for yes, no in _TRUTHS.items()}


@dataclass(frozen=True, slots=True)
class Unequal:
    """The two sides of a comparison, in words that follow 'compares', and how to write what was meant."""

    text: str
    remedy: str


class Interpreter(visitor.TreeInterpreter):  # type: ignore[misc]  # jmespath has no types
    """JMESPath's own interpreter, which notes in `met` the comparisons that can never hold."""

    def __init__(self) -> None:
        super().__init__(OPTIONS)
        self.met: list[Unequal] = []

    def visit_comparator(self, node: Node, value: object) -> object:
        """Return what a comparison gives."""
        children = cast("Sequence[Node]", node["children"])
        literal = next((at for at, child in enumerate(children) if child["type"] == "literal"), None)
        if literal is None or node["value"] not in self._EQUALITY_OPS:
            return super().visit_comparator(node, value)
        values = [self.visit(child, value) for child in children]
        self._note(values[literal], values[1 - literal])
        return self.COMPARATOR_FUNC[node["value"]](*values)

    def visit_function_expression(self, node: Node, value: object) -> object:
        """Return what a function gives; contains() compares as well."""
        children = cast("Sequence[Node]", node["children"])
        if node["value"] != "contains" or children[1]["type"] != "literal":
            return super().visit_function_expression(node, value)
        within, sought = self.visit(children[0], value), children[1]["value"]
        for item in within if isinstance(within, list) and sought not in within else ():
            self._note(sought, item)
        return self._functions.call_function("contains", [within, sought])

    def _note(self, literal: object, met: object) -> None:
        found = unequal(literal, met)
        if found is not None and found not in self.met:
            self.met.append(found)


def unequal(literal: object, met: object) -> Unequal | None:
    """Return why a literal of an expression never equals a value, None if it may."""
    if type(literal) is str and type(met) is not str and _same(met, literal):
        kind = "the truth value" if isinstance(met, bool) else "the number"
        meant = json.dumps(literal.strip().lower() in _TRUTHS) if isinstance(met, bool) else _number(literal)
        return Unequal(f"the text '{literal}' with {kind} {json.dumps(met)}", f"write it between backticks: `{meant}`")
    if type(met) is str and type(literal) is not str and _same(literal, met):
        kind = "the truth value" if isinstance(literal, bool) else "the number"
        meant = _word(literal, met) if isinstance(literal, bool) else json.dumps(literal)
        return Unequal(f"{kind} {json.dumps(literal)} with the text '{met}'", f"write it in single quotes: '{meant}'")
    return None


def _number(text: str) -> str:
    number = float(text)
    return json.dumps(int(number) if number.is_integer() else number)


def _word(truth: bool, beside: str) -> str:
    """Return the word for a truth value that goes with another word for one: `yes` where there is `no`."""
    word = beside.strip().lower()
    if (word in _TRUTHS) is truth:
        return beside
    return _TRUTHS.get(word) or _UNTRUTHS[word]


def _same(value: object, text: str) -> bool:
    """Return whether a text could be meant for a number or a truth value; which one plays no part."""
    if isinstance(value, bool):
        return text.strip().lower() in (*_TRUTHS, *_UNTRUTHS)
    return isinstance(value, int | float) and _NUMBER.fullmatch(text) is not None
