"""Items put into lists of YAML files as text: everything else stays as it was, and that is proven."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ringfence.language.checking import check, fields, items
from ringfence.language.documents import CONTROLS, parse_documents
from ringfence.language.nodes import Entry, Listing, Node, plain
from ringfence.language.remembered import documents_of
from ringfence.language.reports import Reports
from ringfence.language.shapes import RuleEntry
from ringfence.language.writing import flow_text, rule_lines
from ringfence.model.errors import InputError, Place


@dataclass(frozen=True, slots=True)
class ItemList:
    """A list of rules: the key it stands under, and how one of its items is written."""

    key: str
    lines: Callable[[Mapping[str, object], int], list[str]]


RULES = ItemList("rules", rule_lines)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a rule goes: the document, the index among its rules, and whether it replaces the one there."""

    document: int
    index: int
    replaces: bool = False


def refuse_malformed(rule: Mapping[str, object], file: str) -> None:
    """Raise InputErrors if plain data has not the form of a rule."""
    reports = Reports()
    for node in parse_documents("\n".join(rule_lines(rule, 0)), file, reports, CONTROLS):
        for item in node.items if isinstance(node, Listing) else ():
            check(item, RuleEntry, "a rule", reports)
    reports.settle()


def with_document(
    text: str, lines: Sequence[str], key: str, head: Mapping[str, object] | None = None, *, more: bool
) -> str:
    """Return a text with a new last document: its head, and the lines of a list's items under a key."""
    end = newline(text)
    start = text if not text or text.endswith("\n") else text + end
    said = [f"{name}: {flow_text(value)}" for name, value in (head or {}).items()]
    return start + ("---" + end if more else "") + "".join(line + end for line in (*said, f"{key}:", *lines))


def spliced(
    lines: list[str],
    documents: tuple[Node, ...],
    spot: Spot,
    rule: Mapping[str, object],
    file: str,
    into: ItemList,
) -> str:
    """Return the lines with the rule among those of its document."""
    rules = fields(documents[spot.document])[into.key]
    end = newline("".join(lines))
    there = items(rules)
    if not there:
        return _first_rule(lines, rules, rule, end, into)
    neighbour = there[spot.index] if spot.replaces else there[-1]
    first, indent = dash(lines, neighbour, file)
    last = last_line(lines, first, indent)
    new = [line + end for line in into.lines(rule, indent)]
    if spot.replaces:
        return "".join([*lines[:first], *new, *lines[last + 1 :]])
    if len(there) > 1 and not lines[first - 1].strip():
        new.insert(0, end)
    before = lines[: last + 1]
    if not before[-1].endswith("\n"):
        before[-1] += end
    return "".join([*before, *new, *lines[last + 1 :]])


def _first_rule(lines: list[str], rules: Entry, rule: Mapping[str, object], end: str, into: ItemList) -> str:
    """Return the lines with a rule under a key that has nothing, or an empty list, as its value."""
    number, place = rules.place.line - 1, rules.value.place
    new = [line + end for line in into.lines(rule, rules.place.column + 1)]
    before = lines[: number + 1]
    if isinstance(rules.value, Listing) and place.line - 1 == number:
        line = before[-1]
        before[-1] = line[: place.column - 1].rstrip() + re.sub(r"^\[\s*\]", "", line[place.column - 1 :])
    if not before[-1].endswith("\n"):
        before[-1] += end
    return "".join([*before, *new, *lines[number + 1 :]])


def dash(lines: list[str], item: Node, file: str) -> tuple[int, int]:
    """Return the number (from 0) of the line with an item's dash, and the dash's indentation."""
    number = item.place.line - 1
    before = lines[number][: item.place.column - 1]
    while not before.strip() and number:
        number -= 1
        before = lines[number].partition("#")[0]
    if before.strip() != "-":
        raise InputError(
            "the rules here are written in one line, and another cannot be put among them",
            Place(file, item.place.line, item.place.column),
            "write them as '- …' lines",
        )
    return number, before.index("-")


def last_line(lines: list[str], first: int, indent: int) -> int:
    """Return the number of an item's last line: what follows is indented less, or only comments and empty lines."""
    last = first
    for number in range(first + 1, len(lines)):
        content = lines[number].strip()
        deeper = len(lines[number]) - len(lines[number].lstrip(" ")) > indent
        if content and deeper:
            last = number
        elif content and not content.startswith("#"):
            break
    return last


def newline(text: str) -> str:
    """Return how the lines of a text end."""
    return "\r\n" if "\r\n" in text else "\n"


def prove(
    documents: tuple[Node, ...], spot: Spot | None, new_rules: list[object], new: str, file: str, into: ItemList
) -> None:
    """Raise InputError unless the new text says the same as the old one, but for the new rules."""
    expected = [plain(one) for one in documents]
    if spot is None:
        expected.append({into.key: new_rules})
    else:
        head = expected[spot.document]
        assert isinstance(head, dict)
        rules = list(head[into.key] or [])
        rules[spot.index : spot.index + spot.replaces] = new_rules
        expected[spot.document] = {**head, into.key: rules}
    place = Place(file, 1, 1) if spot is None else fields(documents[spot.document])[into.key].place
    prove_says(expected, new, file, place, "put one among them")


def prove_says(expected: list[object], new: str, file: str, place: Place, what: str) -> None:
    """Raise InputError, about what was tried, unless a text says what is expected of each of its documents."""
    reports = Reports()
    if [plain(one) for one in documents_of(new, file, reports)] != expected or len(reports):
        raise InputError(f"the layout of these rules is too unusual to {what}", place, "do it by hand")
