"""The short form of a label selector, as people type it: `role=web|api,env=prod`, values in quotes where needed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ringfence.language.nodes import Entry, Listing, Node, Scalar, Table
from ringfence.model.errors import InputError, Place
from ringfence.model.label_texts import label_text

KEY = re.compile(r"""\s*([^=,|"']+?)\s*=""")
VALUE = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|((?:[^\s,|"'][^,|]*)?))\s*([,|]|$)""", re.DOTALL)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# What parts values and pairs, so that a value which holds it needs quotes.
PARTING = frozenset(",|")

Values = Mapping[str, Collection[str]]


def short_selector(text: str, place: Place, values: Values) -> Table:
    """Return what a short form says in the grammar's own nodes; `key=` asks that the label exists.

    `values` are those that labels have, by key: a text that is one of them as a whole is not taken apart. Raises
    InputError for what is no short form, and for what may mean two things.
    """
    key, _, rest = text.partition("=")
    whole = {key.strip(): [label_text(rest)]}
    if not PARTING & set(rest) or label_text(rest) not in values.get(key.strip(), ()):
        return _table(_pairs(text), place)
    try:
        parts = _pairs(text)
    except InputError:
        return _table(whole, place)
    if all(value in values.get(one, ()) for one, found in parts.items() for value in found):
        raise InputError(
            f"'{text}' may mean one value or several",
            remedy=f'put values in quotes: {key.strip()}="{label_text(rest)}"',
        )
    return _table(whole, place)


def _pairs(text: str) -> dict[str, list[str]]:
    """Return the values by key; none for a key that only has to exist."""
    found: dict[str, list[str]] = {}
    at = 0
    while at < len(text) or not found:
        key = KEY.match(text, at)
        if key is None:
            raise _wrong(text, f"'{text[at:].strip() or text}' is not a valid label")
        if key[1] in found:
            raise _wrong(text, f"the label '{key[1]}' stands twice in '{text}'")
        values = found[key[1]] = []
        at, end = key.end(), "|"
        while end == "|":
            value = VALUE.match(text, at)
            if value is None:
                raise _wrong(text, f"the value of '{key[1]}' in '{text}' has text beside its quotes, or no end")
            double, single, bare, end = value.groups()
            if double is not None:
                values.append(ESCAPED.sub(r"\1", double))
            elif single is not None:
                values.append(single.replace("''", "'"))
            elif bare or values or end == "|":
                values.append(bare.strip())
            at = value.end()
        if any(not value for value in values):
            raise _wrong(text, f"a value of '{key[1]}' in '{text}' is empty")
        if end == "," and at == len(text):
            raise _wrong(text, f"'{text}' ends in a comma")
    return found


def _wrong(text: str, message: str) -> InputError:
    remedy = 'write key=value, several with commas; a value that holds , or | in quotes: key="a, b"'
    return InputError(message, remedy=remedy)


def _table(pairs: Mapping[str, list[str]], place: Place) -> Table:
    return Table(place, tuple(Entry(place, key, _value(values, place)) for key, values in pairs.items()))


def _value(values: list[str], place: Place) -> Node:
    if not values:
        return Table(place, (Entry(place, "exists", Scalar(place, True, "true")),))
    return Listing(place, tuple(Scalar(place, value, value) for value in values))
