"""Rules added to, changed in and removed from the text of a policy file: only their own lines are other ones then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ringfence.language import flow_edits
from ringfence.language.block_edits import by_keys, line_end
from ringfence.language.checking import fields, items
from ringfence.language.list_edits import (
    RULES,
    Spot,
    dash,
    last_line,
    prove,
    prove_says,
    refuse_malformed,
    spliced,
    with_document,
)
from ringfence.language.nodes import Entry, Node, plain
from ringfence.language.policies import HEADER
from ringfence.language.remembered import documents_of
from ringfence.language.reports import Reports
from ringfence.language.writing import ORDER, flow_text, rule_lines
from ringfence.model.errors import InputError, Place

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
    there = fields(documents[number])[RULES.key].value
    flat = flow_edits.item_added(text, number, RULES.key, rule) if flow_edits.in_flow(text, there) else None
    new = flat or spliced(text.splitlines(keepends=True), documents, spot, rule, file, RULES)
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
    new = _in_flow(text, spot, node, rule) or by_keys(lines, node, rule, file)
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
    gone = Spot(spot.document, spot.index, replaces=True)
    there = fields(documents[spot.document])[RULES.key]
    if flow_edits.in_flow(text, there.value):
        flat = flow_edits.item_removed(text, spot.document, RULES.key, spot.index)
        if flat is not None:
            prove(documents, gone, [], flat, file, RULES)
            return flat
    lines = text.splitlines(keepends=True)
    first, indent = dash(lines, node, file)
    last = last_line(lines, first, indent)
    if len(items(there)) == 1:
        new = _emptied(lines, there, first, last)
    else:
        if spot.index and not lines[first - 1].strip():
            first -= 1
        elif not spot.index and last + 1 < len(lines) and not lines[last + 1].strip():
            last += 1
        new = "".join([*lines[:first], *lines[last + 1 :]])
    prove(documents, gone, [], new, file, RULES)
    return new


def _in_flow(text: str, spot: Spot, node: Node, rule: Said) -> str | None:
    if not flow_edits.in_flow(text, node):
        return None
    return flow_edits.item_changed(text, spot.document, RULES.key, spot.index, node, rule)


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
    new = f"{start}{flow_text(sorted_rule)}{line_end(lines[first])}"
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
