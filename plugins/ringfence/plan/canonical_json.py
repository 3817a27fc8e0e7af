"""The one text of plain data: sorted keys, one space of indentation, a newline at the end; made in C, not in Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from pydantic_core import PydanticSerializationError, to_json


def canonical_text(data: object) -> str:
    """Return the text that `json.dumps(data, sort_keys=True, indent=1, ensure_ascii=False)` gives, and a newline.

    `json` indents in Python alone, which takes seconds for a plan of 20,000 hosts. Where the two write differently (a
    fraction, a half of a surrogate pair) that of `json` counts.
    """
    try:
        return to_json(in_order(data), indent=1).decode() + "\n"
    except (_WrittenDifferently, PydanticSerializationError):
        return json.dumps(data, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def consumed_text(made: Callable[[], dict[str, Any]]) -> str:
    """Return `canonical_text` of what a function makes, which is given up piece by piece: less is held at once."""
    data = made()
    try:
        return to_json({key: _given_up(data.pop(key)) for key in sorted(data)}, indent=1).decode() + "\n"
    except (_WrittenDifferently, PydanticSerializationError):
        return canonical_text(made())


def _given_up(value: Any) -> Any:
    """Return a value in order; a mapping's parts are given up one by one."""
    if type(value) is InOrder:
        return value
    if type(value) is not dict or set(map(type, value)) != _TEXTS:
        return in_order(value)
    return {key: in_order(value.pop(key)) for key in sorted(value)}


_ALIKE = frozenset({str, int, bool, type(None)})
_TEXTS = {str}


class _WrittenDifferently(Exception):
    """A value of which the two make different texts."""


class InOrder(dict[str, Any]):
    """A mapping whose keys, and whose values, are in order already."""


def in_order(value: Any) -> Any:
    """Return plain data with the keys of every mapping in order; raise for what the two write differently."""
    kind = type(value)
    if kind in _ALIKE:
        return value
    if kind is dict:
        if value and set(map(type, value)) != _TEXTS:
            raise _WrittenDifferently
        return {
            key: item if type(item) in _ALIKE else in_order(item)
            for key, item in sorted(value.items(), key=itemgetter(0))
        }
    if kind is list or kind is tuple:
        return [item if type(item) in _ALIKE else in_order(item) for item in value]
    raise _WrittenDifferently
