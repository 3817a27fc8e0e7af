"""Rules written back into policy files and labels.yml: everything else in the file stays as it was, to the byte."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ringfence.files import write_whole
from ringfence.language.checking import fields, items
from ringfence.language.documents import parse_documents, read_text
from ringfence.language.label_rules import read_label_documents
from ringfence.language.list_edits import RULES, ItemList, Spot, prove, refuse_malformed, spliced, with_document
from ringfence.language.nodes import Node, Table, plain
from ringfence.language.reports import Reports
from ringfence.language.writing import label_rule_lines
from ringfence.model.errors import InputError, Place

LABELS = ItemList("labels", label_rule_lines)
# An item of a list with an empty line before it: the file parts its rules so.
_PARTED = re.compile(r"^[ \t]*\r?\n[ \t]*- ", re.MULTILINE)


def add_rule(path: Path, rule: Mapping[str, object], document: int | None = None) -> bool:
    """Write a rule, as plain data in the words of the grammar, into a policy file; return whether it replaced one.

    It replaces the rule of the same name. Else it comes after the last rule of the document of that number (from 0,
    empty ones not counted), or of the first one that has rules; a file without rules gets a document for it. Comments,
    layout and all other text stay. The file is replaced in one step and keeps its permissions.

    Raise InputError if the file is broken, the rule is no rule, or the rules there are not written as `- …` lines.
    """
    text, documents = _read(path)
    refuse_malformed(rule, path.as_posix())
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
        refuse_malformed(rule, path.as_posix())
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
    _append(path, text, documents, number, ItemList(key, lines), list(new))


def _append(
    path: Path, text: str, documents: tuple[Node, ...], document: int, into: ItemList, new: list[Mapping[str, object]]
) -> None:
    """Write items behind those of a list, parted by empty lines where those are."""
    spot = Spot(document, len(items(fields(documents[document])[into.key])))
    parted = [""] if _PARTED.search(text) else []

    def lines(_item: Mapping[str, object], indent: int) -> list[str]:
        return [line for number, one in enumerate(new) for line in (*parted[:number], *into.lines(one, indent))]

    written = spliced(text.splitlines(keepends=True), documents, spot, {}, path.as_posix(), ItemList(into.key, lines))
    prove(documents, spot, list(new), written, path.as_posix(), into)
    write_whole(path.resolve(), written)


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
    spot = None if number is None else Spot(number, len(items(fields(documents[number])[LABELS.key])))
    _write(path, text, documents, spot, dict(rule), LABELS)


def _read(path: Path) -> tuple[str, tuple[Node, ...]]:
    reports = Reports()
    text = (read_text(path, path.as_posix(), reports) or "") if path.exists() else ""
    documents = parse_documents(text, path.as_posix(), reports)
    reports.settle()
    return text, documents


def _write(
    path: Path, text: str, documents: tuple[Node, ...], spot: Spot | None, rule: dict[str, object], into: ItemList
) -> None:
    if spot is None:
        new = with_document(text, into.lines(rule, 2), into.key, more=bool(documents))
    else:
        new = spliced(text.splitlines(keepends=True), documents, spot, rule, path.as_posix(), into)
    prove(documents, spot, [rule], new, path.as_posix(), into)
    write_whole(path.resolve(), new)


def _spot(documents: tuple[Node, ...], rule: Mapping[str, object], wanted: int | None, path: Path) -> Spot | None:
    """Return where a rule goes; None for a new document."""
    name = rule.get("name")
    for number, one in enumerate(documents):
        for index, item in enumerate(items(fields(one).get("rules"))):
            if name is not None and isinstance(item, Table) and (said := item.get("name")) and plain(said) == name:
                return Spot(number, index, replaces=True)
    with_rules = [number for number, one in enumerate(documents) if "rules" in fields(one)]
    if wanted is not None and wanted not in with_rules:
        raise InputError(f"document {wanted} has no rules", Place(path.as_posix()), "name one that has")
    if not with_rules:
        return None
    number = with_rules[0] if wanted is None else wanted
    return Spot(number, len(items(fields(documents[number])["rules"])))
