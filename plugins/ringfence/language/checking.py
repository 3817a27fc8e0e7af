"""A written mapping held against its pydantic model: every fault reported at its place, with the nearest valid word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from ringfence.language.nodes import Entry, Listing, Node, Scalar, Table, kind, plain
from ringfence.language.reports import Reports, meant, nearest
from ringfence.model.errors import Place

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from ringfence.language.shapes import Written

Shape = TypeVar("Shape", bound="Written")

WANTED = {
    "string_type": "a word",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


def check(node: Node, shape: type[Shape], what: str, reports: Reports) -> Shape | None:
    """Return a mapping as its model, or None after reporting everything that is wrong with its form.

    `what` names the mapping in messages: `a rule`.
    """
    if not isinstance(node, Table):
        words = ", ".join(f"'{word}'" for word in words_of(shape))
        reports.add(node.place, f"{what} is a mapping, not {kind(node)}", f"its keys are {words}")
        return None
    from pydantic import ValidationError

    before = len(reports)
    _refuse_nothing(node, shape, reports)
    try:
        value = shape.model_validate(plain(node))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            _report(fault, node, shape, what, reports)
        return None
    return value if len(reports) == before else None


def words_of(shape: type[Written]) -> tuple[str, ...]:
    """Return the keys that a model has, as they are written."""
    return tuple(field.alias or name for name, field in shape.model_fields.items())


def fields(node: Node) -> Mapping[str, Entry]:
    """Return the entries of a mapping by key; nothing for what is not a mapping."""
    return {entry.key: entry for entry in node} if isinstance(node, Table) else {}


def misspelt(node: Node, shape: type[Written]) -> frozenset[str]:
    """Return the keys of a model that the unknown keys of a mapping most likely mean."""
    known = words_of(shape)
    return frozenset(near for key in fields(node) if key not in known and (near := nearest(key, known)))


def items(entry: Entry | None) -> tuple[Node, ...]:
    """Return the items of a list; nothing where there is none (its form is reported elsewhere)."""
    return entry.value.items if entry and isinstance(entry.value, Listing) else ()


def _refuse_nothing(node: Table, shape: type[Written], reports: Reports) -> None:
    known = words_of(shape)
    for entry in node:
        if entry.key in known and isinstance(entry.value, Scalar) and entry.value.value is None:
            reports.add(entry.place, f"'{entry.key}' has no value", "write one, or leave the key out")


def _report(fault: ErrorDetails, node: Table, shape: type[Written], what: str, reports: Reports) -> None:
    """Report one fault that pydantic found, at the innermost node that its location leads to."""
    at, place, key = _located(fault, node, what)
    if isinstance(at, Scalar) and at.value is None and fault["type"] != "extra_forbidden":
        if len(fault["loc"]) > 1:  # what has no value in the mapping itself is said by _refuse_nothing
            reports.add(place, f"{key} has no value", "write one, or leave it out")
        return
    match fault["type"]:
        case "extra_forbidden":
            word = str(fault["loc"][-1])
            reports.add(place, f"'{word}' is not a key of {what}", meant(word, words_of(shape), "its keys are"))
        case "missing" if key in misspelt(node, shape):
            pass  # the misspelt key is reported, with this one as its remedy
        case "missing":
            reports.add(at.place, f"{what} needs '{key}'", f"add '{key}:'")
        case _:
            reports.add(place, *_wrong_value(fault, at, key))


def _located(fault: ErrorDetails, node: Table, what: str) -> tuple[Node, Place, str]:
    """Return the innermost node that a fault's location leads to, the place to report and the words for it."""
    at: Node = node
    place: Place = node.place
    key = what
    for step in fault["loc"]:
        if isinstance(at, Table) and isinstance(step, str):
            entry = fields(at).get(step)
            if entry is None:
                key = step
                break
            place, at, key = entry.value.place, entry.value, f"'{step}'"
            if fault["type"] == "extra_forbidden":
                place = entry.place
        elif isinstance(at, Listing) and isinstance(step, int):
            at = at.items[step]
            place, key = at.place, f"an item of {key}"
        # Any other step names a branch of a union and no place in the text.
    return at, place, key


def _wrong_value(fault: ErrorDetails, at: Node, key: str) -> tuple[str, str | None]:
    """Return what is wrong with a value, and the remedy."""
    match fault["type"]:
        case "literal_error":
            expected = str(fault.get("ctx", {}).get("expected", ""))
            words = [word for word in expected.replace(" or ", ", ").replace("'", "").split(", ") if word]
            return f"{key} cannot be {kind(at)}", meant(at.text if isinstance(at, Scalar) else "", words)
        case "too_short" | "string_too_short":
            return f"{key} is empty", "write a value, or leave the key out"
        case "bool_type":
            return f"{key} is true or false, not {kind(at)}", "write true or false, without quotes"
        case "int_type":
            return f"{key} is a whole number, not {kind(at)}", "write digits, without quotes"
        case "string_type" if isinstance(at, Scalar):
            return f"{key} is a word, not {kind(at)}", f'write "{at.text}": in quotes'
        case wrong if wrong in WANTED:
            form = "'- …' lines" if wrong == "list_type" else "'key: value' lines"
            remedy = None if wrong == "string_type" else f"write it as {form}"
            return f"{key} is {WANTED[wrong]}, not {kind(at)}", remedy
        case _:
            wanted = fault["msg"].removeprefix("Input ").removeprefix("should ").removeprefix("be ")
            return f"{key} cannot be {kind(at)}", f"it must be {wanted}"
