"""`identity` of `ringfence.yml`: which keys make hosts of several sources one asset, and what people said of hosts."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ringfence.language.checking import check, fields
from ringfence.language.expressions import refuse_expression
from ringfence.language.nodes import Entry, Listing, Node, Scalar
from ringfence.language.reports import Reports
from ringfence.language.shapes import IdentityEntry
from ringfence.language.values import words
from ringfence.model.identity import ADDRESS, DEFAULT_KEYS, Identity, IdentityKey

KEY = re.compile(r"[a-z][a-z0-9_]*")
UUID = "uuid"


def read_identity(node: Node, reports: Reports) -> Identity:
    """Return the rules of identity; what is wrong is reported and has its default."""
    entry = check(node, IdentityEntry, "'identity'", reports)
    written = fields(node)
    keys = _keys(tuple(fields(written["keys"].value).values()), reports) if "keys" in written else DEFAULT_KEYS
    if entry is None:
        return Identity(keys)
    for name in ("same", "different"):
        _refuse_single(written.get(name), reports)
    return Identity(
        keys,
        tuple(entry.prefer or ()),
        tuple(tuple(group) for group in entry.same or ()),
        tuple(tuple(group) for group in entry.different or ()),
    )


def _keys(entries: tuple[Entry, ...], reports: Reports) -> tuple[IdentityKey, ...]:
    """Return the keys by strength: `uuid`, those of one's own as written, then the other known ones.

    A key that is not written has its default, one that is false is left out.
    """
    given: dict[str, tuple[str, ...] | None] = {}
    for entry in entries:
        if not KEY.fullmatch(entry.key):
            reports.add(entry.place, f"'{entry.key}' is not a valid name for a key", "small letters, digits and '_'")
        given[entry.key] = _expressions(entry, reports)
    default = {key.name: key.expressions for key in DEFAULT_KEYS}
    own = [name for name in given if name not in default]
    found = ((name, given[name] if name in given else default[name]) for name in _order(own, default))
    return tuple(
        IdentityKey(name, expressions)
        for name, expressions in found
        if expressions is not None and (expressions or name == ADDRESS)
    )


def _order(own: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    return (UUID, *own, *(name for name in known if name != UUID))


def _expressions(entry: Entry, reports: Reports) -> tuple[str, ...] | None:
    """Return the expressions of a key, None where it is not to be used; `true` gives the default ones."""
    node = entry.value
    default = {key.name: key.expressions for key in DEFAULT_KEYS}.get(entry.key, ())
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        if node.value and not default and entry.key != ADDRESS:
            reports.add(node.place, f"'{entry.key}' does not say where its values are", "write a JMESPath expression")
        return default if node.value else None
    if entry.key == ADDRESS:
        reports.add(node.place, f"'{ADDRESS}' is true or false: its values are the addresses of an asset")
        return default
    found = words(node, "expressions", reports)
    return tuple(word.text for word in found if refuse_expression(word, word.text, reports))


def _refuse_single(entry: Entry | None, reports: Reports) -> None:
    groups = entry.value.items if entry and isinstance(entry.value, Listing) else ()
    for group in groups:
        if isinstance(group, Listing) and len(set(map(_text, group.items))) < 2:
            reports.add(group.place, "these are not two hosts", "name at least two: [web-1, web-1.example.com]")


def _text(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ""
