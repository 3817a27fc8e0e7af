"""Rules added to, changed in and removed from the text of a policy file: only their own lines are other ones then."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ringfence.language.checking import fields, items
from ringfence.language.documents import parse_documents
from ringfence.language.list_edits import (
    RULES,
    Spot,
    dash,
    last_line,
    newline,
    prove,
    prove_says,
    refuse_malformed,
    spliced,
    with_document,
)
from ringfence.language.nodes import Entry, Node, Table, plain
from ringfence.language.policies import HEADER
from ringfence.language.remembered import documents_of
from ringfence.language.reports import Reports
from ringfence.language.writing import ORDER, flow_text, rule_lines
from ringfence.model.errors import InputError, Place

ACTIONS = ("allow", "deny", "pass")
_COMMENT = re.compile(r"\s+#")
Said = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RuleAt:
    """A rule of a text: the number of its document (from 0, empty ones not counted), its index there, what it says."""

    document: int
    index: int
    said: Said

    @property
    def name(self) -> str:
        """Return its name, or what tells it from others where it has none."""
        return str(self.said.get("name") or flow_text({key: self.said[key] for key in self.said}))


def rules_in(text: str, file: str) -> list[tuple[RuleAt, Place]]:
    """Return the rules of a text with their places. Raise InputErrors where it is no YAML."""
    return list(_rules(_parsed(text, file)))


def added(text: str, file: str, rule: Said, head: Said | None = None) -> str:
    """Return a text with a rule behind the last one of the first document with such a head, or in a new one.

    `head` is what the document says of `scope`, `tier` and `priority`. Raise InputError for what is no rule, a name
    that a rule of the file has, and rules that are not written as `- …` lines.
    """
    refuse_malformed(rule, file)
    documents, head = _parsed(text, file), dict(head or {})
    for one, place in _rules(documents):
        if "name" in rule and one.said.get("name") == rule["name"]:
            raise InputError(f"there is a rule '{rule['name']}' already", place, "give the new one another name")
    number = next((n for n, one in enumerate(documents) if "rules" in fields(one) and _head(one) == head), None)
    if number is None:
        new = with_document(text, rule_lines(rule, 2), RULES.key, head, more=bool(documents))
        expected = [*map(plain, documents), {**head, RULES.key: [dict(rule)]}]
        prove_says(expected, new, file, Place(file, 1, 1), "add a document")
        return new
    spot = Spot(number, len(items(fields(documents[number])[RULES.key])))
    new = spliced(text.splitlines(keepends=True), documents, spot, rule, file, RULES)
    prove(documents, spot, [dict(rule)], new, file, RULES)
    return new


def changed(text: str, file: str, at: RuleAt, rule: Said) -> str:
    """Return a text in which a rule says something else: the lines of what stays stay, with their comments.

    Raise InputError as `added` does, and where the rule is no more what it was.
    """
    refuse_malformed(rule, file)
    documents = _parsed(text, file)
    spot, node = _found(documents, at, file)
    mine = (spot.document, spot.index)
    others = ((one, place) for one, place in _rules(documents) if (one.document, one.index) != mine)
    for one, place in others:
        if "name" in rule and one.said.get("name") == rule["name"]:
            raise InputError(f"there is a rule '{rule['name']}' already", place, "give this one another name")
    if dict(rule) == dict(at.said):
        return text
    lines = text.splitlines(keepends=True)
    replaced = Spot(spot.document, spot.index, replaces=True)
    new = _by_keys(lines, node, rule, file)
    if new is None or not _says(documents, replaced, [dict(rule)], new, file):
        new = _written_anew(lines, documents, replaced, node, rule, file)
    prove(documents, replaced, [dict(rule)], new, file, RULES)
    return new


def removed(text: str, file: str, at: RuleAt) -> str:
    """Return a text without a rule's lines, and without an empty line that parted it from the others.

    Raise InputError where the rule is no more what it was, or where another one uses a part of it (`*anchor`).
    """
    documents = _parsed(text, file)
    spot, node = _found(documents, at, file)
    lines = text.splitlines(keepends=True)
    first, indent = dash(lines, node, file)
    last = last_line(lines, first, indent)
    there = fields(documents[spot.document])[RULES.key]
    if len(items(there)) == 1:
        new = _emptied(lines, there, first, last)
    else:
        if spot.index and not lines[first - 1].strip():
            first -= 1
        elif not spot.index and last + 1 < len(lines) and not lines[last + 1].strip():
            last += 1
        new = "".join([*lines[:first], *lines[last + 1 :]])
    prove(documents, Spot(spot.document, spot.index, replaces=True), [], new, file, RULES)
    return new


def _parsed(text: str, file: str) -> tuple[Node, ...]:
    reports = Reports()
    documents = documents_of(text, file, reports)
    reports.settle()
    return documents


def _rules(documents: Sequence[Node]) -> Iterator[tuple[RuleAt, Place]]:
    for number, document in enumerate(documents):
        for index, item in enumerate(items(fields(document).get(RULES.key))):
            said = plain(item)
            yield RuleAt(number, index, said if isinstance(said, dict) else {}), item.place


def _head(document: Node) -> dict[str, object]:
    entries = fields(document)
    return {key: plain(entries[key].value) for key in HEADER if key in entries}


def _found(documents: Sequence[Node], at: RuleAt, file: str) -> tuple[Spot, Node]:
    """Return where a rule stands now. Raise InputError where there is none that says the same."""
    every = [one for one, _ in _rules(documents)]
    same = [one for one in every if dict(one.said) == dict(at.said)]
    found = next((one for one in same if (one.document, one.index) == (at.document, at.index)), None)
    if found is None and len(same) != 1:
        named = next((one for one in every if at.said.get("name") and one.said.get("name") == at.said["name"]), None)
        if named is not None and not same:
            place = items(fields(documents[named.document])[RULES.key])[named.index].place
            raise InputError(f"the rule '{at.name}' says something else now", place, "look at it again")
        how = "several rules say" if same else "no rule says"
        raise InputError(f"{how} what '{at.name}' said", Place(file), "look at the file again")
    one = found or same[0]
    node = items(fields(documents[one.document])[RULES.key])[one.index]
    return Spot(one.document, one.index), node


def _says(documents: tuple[Node, ...], spot: Spot, rules: list[object], new: str, file: str) -> bool:
    try:
        prove(documents, spot, rules, new, file, RULES)
    except InputError:
        return False
    return True


def _by_keys(lines: list[str], node: Node, rule: Said, file: str) -> str | None:
    """Return the lines with only those keys of a rule written anew that say something else; None where that fails."""
    if not isinstance(node, Table) or not node.entries:
        return None
    first, indent = dash(lines, node, file)
    last = last_line(lines, first, indent)
    starts = [entry.place.line - 1 for entry in node.entries]
    columns = {entry.place.column for entry in node.entries}
    if len(set(starts)) != len(starts) or len(columns) != 1 or starts[0] != first:
        return None
    said = {entry.key: plain(entry.value) for entry in node.entries}
    renamed = _renamed(said, rule)
    if node.entries[0].key not in rule and node.entries[0].key not in renamed:
        return None
    end, column = newline("".join(lines)), columns.pop()
    new: dict[int, list[str]] = {}
    gone: set[int] = set()
    tails: dict[str, int] = {}
    for entry, following in zip(node.entries, [*starts[1:], last + 1], strict=True):
        start = entry.place.line - 1
        until = _end_of(lines, start, following)
        key = renamed.get(entry.key, entry.key)
        tails[key] = until
        if key == entry.key and key in rule and rule[key] == said[key]:
            continue
        gone.update(range(start, until + 1))
        if key in rule:
            prefix, comment = lines[start][: column - 1], _comment(lines, entry, start, until, file)
            new[until] = [f"{prefix}{key}: {flow_text(rule[key])}{comment}{_end(lines[until])}"]
    order = {key: number for number, key in enumerate(ORDER)}
    for key in sorted(set(rule) - set(tails), key=lambda one: order.get(one, len(order))):
        before = [one for one in tails if order.get(one, 0) < order.get(key, len(order)) and one in rule]
        after = max((tails[one] for one in before), default=tails[node.entries[0].key])
        new.setdefault(after, [lines[after]] if after not in gone else [])
        new[after][-1:] = [_ended(line, end) for line in new[after][-1:]]
        new[after].append(f"{' ' * (column - 1)}{key}: {flow_text(rule[key])}{end}")
    out = [
        "".join(new[number]) if number in new else "" if number in gone else line for number, line in enumerate(lines)
    ]
    return "".join(out)


def _renamed(said: Said, rule: Said) -> dict[str, str]:
    """Return the action that stands in another's place."""
    before = [key for key in said if key in ACTIONS and key not in rule]
    after = [key for key in rule if key in ACTIONS and key not in said]
    return {before[0]: after[0]} if len(before) == len(after) == 1 else {}


def _end_of(lines: list[str], start: int, following: int) -> int:
    """Return the last line of an entry: not the comments and empty lines behind it."""
    until = following - 1
    while until > start and (not lines[until].strip() or lines[until].lstrip().startswith("#")):
        until -= 1
    return until


def _comment(lines: list[str], entry: Entry, start: int, until: int, file: str) -> str:
    """Return the comment behind an entry's first line with the blanks before it, nothing where there is none."""
    line = lines[start].rstrip("\r\n")
    written = line[entry.place.column - 1 :]
    for found in _COMMENT.finditer(written):
        left = written[: found.start()]
        if start != until and left.strip() not in (f"{entry.key}:", f'"{entry.key}":'):
            return ""
        reports = Reports()
        said = parse_documents(left, file, reports)
        alone = start != until or (said and not len(reports) and plain(said[0]) == {entry.key: plain(entry.value)})
        if alone or "*" in left or "&" in left:
            return written[found.start() :]
    return ""


def _written_anew(lines: list[str], documents: tuple[Node, ...], spot: Spot, node: Node, rule: Said, file: str) -> str:
    """Return the lines with a rule's own written anew, in one line where it was a mapping in one line."""
    first, indent = dash(lines, node, file)
    last = last_line(lines, first, indent)
    inline = lines[first][indent + 1 :].lstrip(" ").startswith("{") and first == last
    if not inline:
        return spliced(lines, documents, spot, rule, file, RULES)
    order = {key: number for number, key in enumerate(ORDER)}
    sorted_rule = {key: rule[key] for key in sorted(rule, key=lambda one: order.get(one, len(order)))}
    start = lines[first][: node.place.column - 1]
    new = f"{start}{flow_text(sorted_rule)}{_end(lines[first])}"
    return "".join([*lines[:first], new, *lines[first + 1 :]])


def _emptied(lines: list[str], there: Entry, first: int, last: int) -> str:
    """Return the lines without the only rule of a list, which is an empty list then."""
    number = there.place.line - 1
    before = list(lines[:first])
    if number < first:
        line = lines[number]
        key_end = there.place.column - 1 + line[there.place.column - 1 :].index(":") + 1
        before[number] = f"{line[:key_end]} []{line[key_end:]}"
    return "".join([*before, *lines[last + 1 :]])


def _end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _ended(line: str, end: str) -> str:
    return line if line.endswith("\n") else line + end
