"""The expressions that most label rules are, run without JMESPath's interpreter, about ten times as fast.

What is made here gives what jmespath gives or `UNSURE`; whoever meets that, asks jmespath. So types that do not fit,
and all that has no plain form here, are jmespath's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from ringfence.sources.functions import Functions

Attributes = Mapping[str, object]
Evaluate = Callable[[Attributes], object]
Node = Mapping[str, object]

UNSURE = object()
_FUNCTIONS = Functions()
_LONGEST = 6


def direct(node: Node) -> Evaluate | None:
    """Return a function from attributes to what a syntax tree gives, None for a tree of other forms."""
    make = _MAKERS.get(str(node["type"]))
    return make(node, cast("Sequence[Node]", node["children"])) if make else None


def _literal(node: Node, children: Sequence[Node]) -> Evaluate:
    value = node["value"]
    return lambda attributes: value


def _field(node: Node, children: Sequence[Node]) -> Evaluate:
    name = cast(str, node["value"])
    return lambda attributes: attributes.get(name)


def _path(node: Node, children: Sequence[Node]) -> Evaluate | None:
    """Return a function for `a.b.c`, whose fields the parser puts side by side."""
    if any(child["type"] != "field" for child in children):
        return None
    first, *names = [cast(str, child["value"]) for child in children]

    def evaluate(attributes: Attributes) -> object:
        value = attributes.get(first)
        for name in names:
            value = value.get(name) if type(value) is dict else None
        return value

    return evaluate


def _either(node: Node, children: Sequence[Node]) -> Evaluate | None:
    parts = _all(children)
    if parts is None:
        return None
    left, right = parts

    def evaluate(attributes: Attributes) -> object:
        value = left(attributes)
        return right(attributes) if _is_false(value) else value

    return evaluate


def _both(node: Node, children: Sequence[Node]) -> Evaluate | None:
    parts = _all(children)
    if parts is None:
        return None
    left, right = parts

    def evaluate(attributes: Attributes) -> object:
        value = left(attributes)
        return value if value is UNSURE or _is_false(value) else right(attributes)

    return evaluate


def _compared(node: Node, children: Sequence[Node]) -> Evaluate | None:
    """Return a function for `==` and `!=` of texts and nulls."""
    parts = _all(children)
    if parts is None or node["value"] not in ("eq", "ne"):
        return None
    (left, right), wanted = parts, node["value"] == "eq"

    def evaluate(attributes: Attributes) -> object:
        one, other = left(attributes), right(attributes)
        if not all(value is None or type(value) is str for value in (one, other)):
            return UNSURE
        return (one == other) is wanted

    return evaluate


def _list(node: Node, children: Sequence[Node]) -> Evaluate | None:
    parts = _all(children)
    if parts is None:
        return None

    def evaluate(attributes: Attributes) -> object:
        values = [part(attributes) for part in parts]
        return UNSURE if UNSURE in values else values

    return evaluate


def _function(node: Node, children: Sequence[Node]) -> Evaluate | None:
    called, parts = _CALLED.get(str(node["value"])), _all(children)
    if called is None or parts is None or len(parts) > _LONGEST:
        return None

    def evaluate(attributes: Attributes) -> object:
        values = [part(attributes) for part in parts]
        return UNSURE if UNSURE in values else called(values)

    return evaluate


def _all(children: Sequence[Node]) -> list[Evaluate] | None:
    parts = [direct(child) for child in children]
    return None if None in parts else cast("list[Evaluate]", parts)


def _is_false(value: object) -> bool:
    return value is None or value is False or value in ("", [], {})


def _starts_with(values: list[object]) -> object:
    text, start = values
    return text.startswith(start) if type(text) is str and type(start) is str else UNSURE


def _ends_with(values: list[object]) -> object:
    text, end = values
    return text.endswith(end) if type(text) is str and type(end) is str else UNSURE


def _contains(values: list[object]) -> object:
    within, sought = values
    if type(sought) is not str:
        return UNSURE
    if type(within) is list:
        # A number or a truth value could be what is sought, written as text: the interpreter tells that.
        return sought in within or (UNSURE if any(type(one) is not str for one in within) else False)
    return sought in within if type(within) is str else UNSURE


def _join(values: list[object]) -> object:
    glue, parts = values
    if type(glue) is not str or type(parts) is not list or any(type(part) is not str for part in parts):
        return UNSURE
    return glue.join(cast("list[str]", parts))


def _not_null(values: list[object]) -> object:
    return next((value for value in values if value is not None), None)


def _match(values: list[object]) -> object:
    text, pattern, *group = values
    if type(text) is not str or type(pattern) is not str or any(type(one) not in (str, int) for one in group):
        return UNSURE
    try:
        return _FUNCTIONS._func_match(text, pattern, *group)
    except ValueError:
        return UNSURE


def _in_network(values: list[object]) -> object:
    for value in values:
        if type(value) is not str and not (type(value) is list and all(type(item) is str for item in value)):
            return UNSURE
    try:
        return _FUNCTIONS._func_in_network(*values)
    except ValueError:
        return UNSURE


_CALLED: Mapping[str, Callable[[list[object]], object]] = {
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "contains": _contains,
    "join": _join,
    "not_null": _not_null,
    "match": _match,
    "in_network": _in_network,
}
_MAKERS: Mapping[str, Callable[[Node, Sequence[Node]], Evaluate | None]] = {
    "literal": _literal,
    "field": _field,
    "subexpression": _path,
    "or_expression": _either,
    "and_expression": _both,
    "comparator": _compared,
    "multi_select_list": _list,
    "function_expression": _function,
}
