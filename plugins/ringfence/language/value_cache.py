"""What files say as text that is read back in a fraction of the time: the language's and the model's values, no others.

A value is a JSON scalar, or a list that begins with a number: what kind it is. What occurs more than once as the same
object is written once, and is one object again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from ringfence.language import definitions, mentions, nodes
from ringfence.model import (
    assets,
    emergency_settings,
    errors,
    identity,
    intervals,
    label_rules,
    rules,
    selectors,
    services,
    watch_settings,
)

AGAIN, TUPLE, LIST, SET, MAPPING, FIRST_KIND = range(6)
_KINDS: tuple[type, ...] = (
    errors.Place,
    intervals.IntervalSet,
    services.Services,
    assets.Control,
    identity.Identity,
    identity.IdentityKey,
    label_rules.LabelRule,
    *(rules.Action, rules.Mode, rules.Direction, rules.Process, rules.Peer, rules.Rule, rules.Enforcement),
    *(rules.PolicyTest, rules.Invariant, rules.Settings, rules.Policy),
    *(selectors.LabelIn, selectors.LabelExists, selectors.AssetNamed, selectors.AllOf, selectors.AnyOf, selectors.Not),
    *(selectors.AddressIn, selectors.FqdnIs, selectors.AnyAddress, selectors.Unknown, selectors.Internet),
    *(nodes.Scalar, nodes.Listing, nodes.Entry, nodes.Table, definitions.Definitions),
    *(watch_settings.Sends, watch_settings.SinkSettings, watch_settings.WatchSettings),
    *(mentions.LabelMention, mentions.AssetMention, mentions.ProcessMention),
    *(mentions.ChoiceMention, mentions.AlternativeMention),
    *(emergency_settings.Approval, emergency_settings.EmergencySettings),
)
_NUMBERS: dict[type, int] = {kind: number for number, kind in enumerate(_KINDS, FIRST_KIND)}


def value_text(value: object) -> str:
    """Return the text of a value. Raise TypeError for what is no value of the language or the model."""
    return json.dumps(_Writer().written(value), separators=(",", ":"))


def value_of(text: str | bytes) -> object:
    """Return the value of a text that `value_text` wrote; any other text raises, or gives another value."""
    return _reader()(json.loads(text))


class _Writer:
    def __init__(self) -> None:
        self._known: dict[int, tuple[int, object]] = {}

    def written(self, value: Any) -> object:
        """Return a value as scalars and lists."""
        if value is None or type(value) in (str, int, float, bool):
            return value
        if id(value) in self._known:
            return [AGAIN, self._known[id(value)][0]]
        found = self._list(value)
        self._known[id(value)] = len(self._known), value  # with the object, so that its id stays its own
        return found

    def _list(self, value: Any) -> list[object]:
        kind = type(value)
        if kind in (tuple, list, frozenset):
            number = TUPLE if kind is tuple else LIST if kind is list else SET
            return [number, *map(self.written, value)]
        if kind is dict:
            return [MAPPING, *(self.written(part) for item in value.items() for part in item)]
        if kind not in _NUMBERS:
            raise TypeError(f"a {kind.__name__} is not kept")
        if isinstance(value, Enum):
            return [_NUMBERS[kind], value.value]
        return [_NUMBERS[kind], *(self.written(getattr(value, name)) for name in _names(kind))]


def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()


def _reader() -> Callable[[Any], object]:
    known: list[object] = []
    make: dict[int, Callable[..., object]] = dict(enumerate(_KINDS, FIRST_KIND))

    def read(data: Any) -> object:
        if type(data) is not list:
            return data
        kind, *parts = data
        if kind == AGAIN:
            return known[parts[0]]
        values = [read(part) if type(part) is list else part for part in parts]
        found: object
        if kind >= FIRST_KIND:
            found = make[kind](*values)
        elif kind == TUPLE:
            found = tuple(values)
        elif kind == LIST:
            found = values
        elif kind == SET:
            found = frozenset(values)
        else:
            found = dict(zip(values[::2], values[1::2], strict=True))
        known.append(found)
        return found

    return read
