"""One JMESPath expression over an asset's attributes: compiled, checked, and which attributes its result depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import jmespath
from jmespath import exceptions

from ringfence.model.errors import InputError, Place
from ringfence.sources.comparisons import Interpreter, Unequal
from ringfence.sources.direct_expressions import UNSURE, Evaluate, direct
from ringfence.sources.functions import Functions, pattern_fault
from ringfence.sources.patterns import GivenUpError

Path = tuple[str, ...]
Attributes = Mapping[str, object]

# Longer lists cost more to compare than to look through.
LONGEST_KEY = 64
# Nodes of a syntax tree whose children all see what the node itself sees.
_SEE_ALL = (
    "or_expression",
    "and_expression",
    "not_expression",
    "comparator",
    "function_expression",
    "multi_select_list",
)
# Nodes that look at what their first child gives.
_SEE_FIRST = (
    "projection",
    "flatten",
    "value_projection",
    "filter_projection",
    "index_expression",
    "pipe",
    "subexpression",
)


class _Parsed(Protocol):
    parsed: Mapping[str, object]


class EvaluationError(Exception):
    """An expression met a value of the wrong type; the text says which."""


class EvaluationGivenUpError(EvaluationError):
    """An expression took too long; the text says where."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. `paths` are the attributes that its result depends on; None if they are not known.

    `direct` gives the same result without JMESPath's interpreter, for expressions that have such a form.
    """

    text: str
    parsed: _Parsed
    paths: tuple[Path, ...] | None
    direct: Evaluate | None = None

    def value(self, attributes: Attributes, met: list[Unequal] | None = None) -> object:
        """Return the result of the expression; None also where it met null instead of a value.

        Comparisons that can never hold are added to `met`. Raise EvaluationError for another value of the wrong type,
        EvaluationGivenUpError if a pattern takes too long.
        """
        try:
            found = UNSURE if self.direct is None else self.direct(attributes)
            return self._interpreted(attributes, met) if found is UNSURE else found
        except GivenUpError as error:
            raise EvaluationGivenUpError(str(error)) from error

    def _interpreted(self, attributes: Attributes, met: list[Unequal] | None) -> object:
        interpreter = Interpreter()
        try:
            return interpreter.visit(self.parsed.parsed, attributes)
        except exceptions.JMESPathTypeError as error:
            if error.current_value is None:
                return None
            raise EvaluationError(_type_fault(error)) from error
        except (exceptions.JMESPathError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise EvaluationError(f"it cannot be evaluated: {error}") from error
        except RecursionError as error:
            raise EvaluationError("it, or what it looks at, nests too deep") from error
        finally:
            if met is not None:
                met += interpreter.met


def compile_expression(text: str, place: Place | None = None) -> Expression:
    """Return a compiled expression. Raise InputError for bad syntax, unknown functions and wrong arguments."""
    try:
        parsed = cast(_Parsed, jmespath.compile(text))
        _check_functions(parsed.parsed)
        paths = _paths(parsed.parsed)
        quick = direct(parsed.parsed)
    except exceptions.JMESPathError as error:
        raise InputError(
            f"'{text}' is not a valid JMESPath expression: {_syntax_fault(error)}",
            place,
            _way_out(error),
        ) from error
    except (RecursionError, ValueError) as error:
        raise InputError(
            f"this is not a valid JMESPath expression that can be read: {type(error).__name__}", place
        ) from error
    return Expression(text, parsed, None if paths is None else tuple(dict.fromkeys(paths)), quick)


def value_key(attributes: Attributes, path: Path) -> object:
    """Return a hashable stand-in for the value at a path: equal ones are of values that JMESPath does not distinguish.

    A value without a cheap stand-in gets one that equals no other.
    """
    value: object = attributes
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if value is None or type(value) is str:
        return value
    if type(value) is list and len(value) <= LONGEST_KEY:
        return (list, repr(value))
    if type(value) is bool or type(value) is int:
        return (type(value), value)
    return object()


def _paths(node: Mapping[str, object]) -> list[Path] | None:
    """Return the paths of fields, from the root, that a syntax tree reads; None where it may read something else.

    Only nodes whose children all see the root are followed; any other reads what the path to its left end names.
    """
    kind, children = node["type"], cast("list[Mapping[str, object]]", node["children"])
    if kind == "literal":
        return []
    if kind == "field":
        return [(cast(str, node["value"]),)]
    if kind == "subexpression" and all(child["type"] == "field" for child in _flat(node)):
        return [tuple(cast(str, child["value"]) for child in _flat(node))]
    if kind in _SEE_ALL:
        found: list[Path] = []
        for child in children:
            below = _paths(child)
            if below is None:
                return None
            found += below
        return found
    return _paths(children[0]) if kind in _SEE_FIRST else None


def _flat(node: Mapping[str, object]) -> list[Mapping[str, object]]:
    if node["type"] != "subexpression":
        return [node]
    return [leaf for child in cast("list[Mapping[str, object]]", node["children"]) for leaf in _flat(child)]


def _way_out(error: exceptions.JMESPathError) -> str:
    if isinstance(error, exceptions.UnknownFunctionError):
        known = ", ".join(sorted(Functions.FUNCTION_TABLE))
        return f"a part of a text: match(name, '^([a-z]+)-', `1`); all functions: {known}"
    return "a constant is written in quotes of its own: \"'db'\""


def _check_functions(node: Mapping[str, object]) -> None:
    children = cast("list[Mapping[str, object]]", node["children"])
    if node["type"] == "function_expression":
        name = cast(str, node["value"])
        known = Functions.FUNCTION_TABLE.get(name)
        if known is None:
            raise exceptions.UnknownFunctionError(f"there is no function {name}()")
        signature = known["signature"]
        variadic = bool(signature) and bool(signature[-1].get("variadic"))
        if len(children) < len(signature) or (len(children) > len(signature) and not variadic):
            raise exceptions.ArityError(len(signature), len(children), name)
        fault = pattern_fault(name, children)
        if fault is not None:
            raise exceptions.JMESPathError(fault)
    for child in children:
        if isinstance(child, Mapping):
            _check_functions(child)


def _syntax_fault(error: exceptions.JMESPathError) -> str:
    if isinstance(error, exceptions.ArityError):
        return f"{error.function_name}() takes {error.expected_arity} arguments, not {error.actual_arity}"
    if isinstance(error, exceptions.LexerError):
        return f"{error.message} at character {error.lexer_position + 1}"
    if isinstance(error, exceptions.ParseError) and not error.token_value:
        return "it ends too early"
    if isinstance(error, exceptions.ParseError):
        return f"'{error.token_value}' at character {error.lex_position + 1} does not belong there"
    return str(error).splitlines()[0] if str(error) else "it is empty"


def _type_fault(error: exceptions.JMESPathTypeError) -> str:
    expected = " or ".join(error.expected_types)
    value = repr(error.current_value)
    shown = value if len(value) <= 60 else f"{value[:57]}…"
    return f"{error.function_name}() wants {expected} and met {shown}"
