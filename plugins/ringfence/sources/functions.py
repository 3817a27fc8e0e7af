"""What label rules can do beyond JMESPath's own functions: patterns with groups, and the position in networks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import cast

import jmespath
from jmespath import exceptions
from jmespath import functions as jmespath_functions

from ringfence.model.addresses import addresses_of, point_of
from ringfence.model.errors import InputError
from ringfence.model.intervals import IntervalSet
from ringfence.sources.patterns import search


class Functions(jmespath_functions.Functions):  # type: ignore[misc]  # jmespath has no types
    """The functions of JMESPath and `match` and `in_network`; jmespath finds them by their names."""

    @jmespath_functions.signature({"types": []})  # type: ignore[untyped-decorator]  # jmespath has no types
    def _func_to_string(self, value: object) -> str | None:
        """Return a value as text; null stays null, so that nothing does not become a label of the name `null`."""
        return None if value is None else cast("str", super()._func_to_string(value))

    @jmespath_functions.signature(  # type: ignore[untyped-decorator]  # jmespath has no types
        {"types": ["string"]}, {"types": ["string", "number"], "variadic": True}
    )
    def _func_match(self, text: str, pattern: object, *group: object) -> str | None:
        """Return what a group of a pattern found somewhere in a text, None where it is not there."""
        if not isinstance(pattern, str) or len(group) > 1:
            raise ValueError("match() wants a text, a pattern in quotes, and the number or name of a group")
        compiled = _pattern(pattern)
        found = search(compiled, text)
        if found is None:
            return None
        numbered, named = found
        wanted = group[0] if group else min(1, compiled.groups)
        try:
            return named[wanted] if isinstance(wanted, str) else numbered[int(cast(float, wanted))]
        except LookupError as error:
            raise ValueError(f"the pattern '{pattern}' has no group {wanted}") from error

    @jmespath_functions.signature(  # type: ignore[untyped-decorator]  # jmespath has no types
        {"types": ["string", "array-string"]}, {"types": ["string", "array-string"]}
    )
    def _func_in_network(self, addresses: str | list[str], networks: str | list[str]) -> bool:
        """Return whether one of the addresses lies in one of the networks, addresses or ranges."""
        wanted = _networks((networks,) if isinstance(networks, str) else tuple(networks))
        given = [addresses] if isinstance(addresses, str) else addresses
        return any(point is not None and point in wanted for point in map(_point, given))


OPTIONS = jmespath.Options(custom_functions=Functions())


def pattern_fault(name: str, arguments: Sequence[Mapping[str, object]]) -> str | None:
    """Return the fault of the constants among the arguments of one of our functions, None if there is none."""
    constants = [one["value"] if one["type"] == "literal" else None for one in arguments]
    try:
        if name == "match":
            if len(arguments) > 3:
                return "match() takes a text, a pattern and a group"
            if isinstance(constants[1], str):
                pattern = _pattern(constants[1])
                group = constants[2] if len(constants) > 2 else None
                known = pattern.groupindex if isinstance(group, str) else range(pattern.groups + 1)
                if group is not None and group not in known:
                    return f"the pattern '{constants[1]}' has no group {group}"
        if name == "in_network" and isinstance(constants[1], str | list):
            _networks((constants[1],) if isinstance(constants[1], str) else tuple(map(str, constants[1])))
    except (exceptions.JMESPathError, InputError, ValueError) as error:
        return str(error)
    return None


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"'{text}' is not a valid pattern: {error}") from error


@lru_cache(maxsize=1024)
def _networks(texts: tuple[str, ...]) -> IntervalSet:
    try:
        return addresses_of(texts)
    except InputError as error:
        raise ValueError(str(error)) from error


@lru_cache(maxsize=65536)
def _point(text: str) -> int | None:
    try:
        return point_of(text)
    except InputError:
        return None
