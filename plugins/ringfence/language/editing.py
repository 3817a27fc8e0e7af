"""Rules written back into policy files and labels.yml: everything else in the file stays as it was, to the byte."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.files import write_whole
from ringfence.language.checking import check, fields, items
from ringfence.language.documents import CONTROLS, parse_documents, read_text
from ringfence.language.label_rules import read_label_documents
from ringfence.language.nodes import Entry, Listing, Node, Table, plain
from ringfence.language.reports import Reports
from ringfence.language.shapes import RuleEntry
from ringfence.language.writing import label_rule_lines, rule_lines
from ringfence.model.errors import InputError, Place


@dataclass(frozen=True, slots=True)
class _List:
    """A list of rules: the key it stands under, and how one of its items is written."""

    key: str
    lines: Callable[[Mapping[str, object], int], list[str]]


RULES = _List("rules", rule_lines)
LABELS = _List("labels", label_rule_lines)
# An item of a list with an empty line before it: the file parts its rules so.
_PARTED = re.compile(r"^[ \t]*\r?\n[ \t]*- ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a rule goes: the document, the index among its rules, and whether it replaces the one there."""

    document: int
    index: int
    replaces: bool = False


def add_rule(path: Path, rule: Mapping[str, object], document: int | None = None) -> bool:
    """Write a rule, as plain data in the words of the grammar, into a policy file; return whether it replaced one.

    It replaces the rule of the same name. Else it comes after the last rule of the document of that number (from 0,
    empty ones not counted), or of the first one that has rules; a file without rules gets a document for it. Comments,
    layout and all other text stay. The file is replaced in one step and keeps its permissions.

    Raise InputError if the file is broken, the rule is no rule, or the rules there are not written as `- …` lines.
    """
    text, documents = _read(path)
    refuse_malformed(rule, path)
    spot = _spot(documents, rule, document, path)
    _write(path, text, documents, spot, dict(rule), RULES)
    return spot is not None and spot.replaces


def add_rules(path: Path, rules: Sequence[Mapping[str, object]], document: int) -> None:
    """Write rules behind the last one of the document of a number (from 0, empty ones not counted) of a policy file.

    Comments, layout and all other text stay; the file is replaced in one step and keeps its permissions. Raise
    InputError as `add_rule` does, and for a name that a rule of the file has.
    """
    text, documents = _read(path)
    for rule in rules:
        refuse_malformed(rule, path)
    names = {rule["name"] for rule in rules if "name" in rule}
    for one in documents:
        for item in items(fields(one).get(RULES.key)):
            if isinstance(item, Table) and (said := item.get("name")) and plain(said) in names:
                raise InputError(
                    f"there is a rule '{plain(said)}' already", item.place, "give the new one another name"
                )
    if document >= len(documents) or RULES.key not in fields(documents[document]):
        raise InputError(f"document {document} has no rules", Place(path.as_posix()), "name one that has")
    _append(path, text, documents, document, RULES, list(rules))


def add_items(
    path: Path, key: str, new: Sequence[Mapping[str, object]], lines: Callable[[Mapping[str, object], int], list[str]]
) -> None:
    """Write items, as plain data, behind the last one of the list that stands under a key of a file that is there.

    `lines` writes one, its dash at an indentation. Comments, layout and all other text stay; the file is replaced in
    one step. Raise InputError if the file is broken, has no such key, or its list is not written as `- …` lines.
    """
    text, documents = _read(path)
    number = next((number for number, one in enumerate(documents) if key in fields(one)), None)
    if number is None:
        raise InputError(f"there is no '{key}'", Place(path.as_posix(), 1, 1), f"begin it with '{key}:'")
    _append(path, text, documents, number, _List(key, lines), list(new))


def _append(
    path: Path, text: str, documents: tuple[Node, ...], document: int, into: _List, new: list[Mapping[str, object]]
) -> None:
    """Write items behind those of a list, parted by empty lines where those are."""
    spot = _Spot(document, len(items(fields(documents[document])[into.key])))
    parted = [""] if _PARTED.search(text) else []

    def lines(_item: Mapping[str, object], indent: int) -> list[str]:
        return [line for number, one in enumerate(new) for line in (*parted[:number], *into.lines(one, indent))]

    written = _spliced(text.splitlines(keepends=True), documents, spot, {}, path, _List(into.key, lines))
    _prove(documents, spot, list(new), written, path, into)
    write_whole(path, written)


def add_label_rule(path: Path, rule: Mapping[str, object]) -> None:
    """Write a label rule, as plain data in the words of the grammar, behind the last one of `labels.yml`.

    The file is replaced in one step and keeps its permissions, comments, layout and all other text.

    Raise InputError if the file is broken, the rule is not a valid label rule, or those there are not written as
    `- …` lines.
    """
    text, documents = _read(path)
    reports = Reports()
    read_label_documents(
        parse_documents("\n".join(("labels:", *LABELS.lines(rule, 2))), "labels.yml", reports), reports
    )
    reports.settle()
    number = next((number for number, one in enumerate(documents) if LABELS.key in fields(one)), None)
    spot = None if number is None else _Spot(number, len(items(fields(documents[number])[LABELS.key])))
    _write(path, text, documents, spot, dict(rule), LABELS)


def _read(path: Path) -> tuple[str, tuple[Node, ...]]:
    reports = Reports()
    text = (read_text(path, path.as_posix(), reports) or "") if path.exists() else ""
    documents = parse_documents(text, path.as_posix(), reports)
    reports.settle()
    return text, documents


def _write(
    path: Path, text: str, documents: tuple[Node, ...], spot: _Spot | None, rule: dict[str, object], into: _List
) -> None:
    if spot is None:
        new = _with_document(text, rule, bool(documents), into)
    else:
        new = _spliced(text.splitlines(keepends=True), documents, spot, rule, path, into)
    _prove(documents, spot, [rule], new, path, into)
    write_whole(path, new)


def refuse_malformed(rule: Mapping[str, object], path: Path) -> None:
    """Raise InputErrors if plain data has not the form of a rule."""
    reports = Reports()
    for node in parse_documents("\n".join(rule_lines(rule, 0)), path.as_posix(), reports, CONTROLS):
        for item in node.items if isinstance(node, Listing) else ():
            check(item, RuleEntry, "a rule", reports)
    reports.settle()


def _spot(documents: tuple[Node, ...], rule: Mapping[str, object], wanted: int | None, path: Path) -> _Spot | None:
    """Return where a rule goes; None for a new document."""
    name = rule.get("name")
    for number, one in enumerate(documents):
        for index, item in enumerate(items(fields(one).get("rules"))):
            if name is not None and isinstance(item, Table) and (said := item.get("name")) and plain(said) == name:
                return _Spot(number, index, replaces=True)
    with_rules = [number for number, one in enumerate(documents) if "rules" in fields(one)]
    if wanted is not None and wanted not in with_rules:
        raise InputError(f"document {wanted} has no rules", Place(path.as_posix()), "name one that has")
    if not with_rules:
        return None
    number = with_rules[0] if wanted is None else wanted
    return _Spot(number, len(items(fields(documents[number])["rules"])))


def _with_document(text: str, rule: Mapping[str, object], more: bool, into: _List) -> str:
    """Return a text with a new last document that holds the rule."""
    end = _newline(text)
    start = text if not text or text.endswith("\n") else text + end
    return (
        start + ("---" + end if more else "") + "".join(line + end for line in (f"{into.key}:", *into.lines(rule, 2)))
    )


def _spliced(
    lines: list[str],
    documents: tuple[Node, ...],
    spot: _Spot,
    rule: Mapping[str, object],
    path: Path,
    into: _List,
) -> str:
    """Return the lines with the rule among those of its document."""
    rules = fields(documents[spot.document])[into.key]
    end = _newline("".join(lines))
    there = items(rules)
    if not there:
        return _first_rule(lines, rules, rule, end, into)
    neighbour = there[spot.index] if spot.replaces else there[-1]
    first, indent = _dash(lines, neighbour, path)
    last = _last_line(lines, first, indent)
    new = [line + end for line in into.lines(rule, indent)]
    if spot.replaces:
        return "".join([*lines[:first], *new, *lines[last + 1 :]])
    if len(there) > 1 and not lines[first - 1].strip():
        new.insert(0, end)
    before = lines[: last + 1]
    if not before[-1].endswith("\n"):
        before[-1] += end
    return "".join([*before, *new, *lines[last + 1 :]])


def _first_rule(lines: list[str], rules: Entry, rule: Mapping[str, object], end: str, into: _List) -> str:
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


def _dash(lines: list[str], item: Node, path: Path) -> tuple[int, int]:
    """Return the number (from 0) of the line with an item's dash, and the dash's indentation."""
    number = item.place.line - 1
    before = lines[number][: item.place.column - 1]
    while not before.strip() and number:
        number -= 1
        before = lines[number].partition("#")[0]
    if before.strip() != "-":
        raise InputError(
            "the rules here are written in one line, and another cannot be put among them",
            Place(path.as_posix(), item.place.line, item.place.column),
            "write them as '- …' lines",
        )
    return number, before.index("-")


def _last_line(lines: list[str], first: int, indent: int) -> int:
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


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _prove(
    documents: tuple[Node, ...], spot: _Spot | None, new_rules: list[object], new: str, path: Path, into: _List
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
    reports = Reports()
    if [plain(one) for one in parse_documents(new, path.as_posix(), reports)] != expected or len(reports):
        place = Place(path.as_posix(), 1, 1)
        if spot is not None:
            place = fields(documents[spot.document])[into.key].place
        raise InputError("the layout of these rules is too unusual to put one among them", place, "add it by hand")
