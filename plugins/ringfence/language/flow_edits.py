"""Rules in flow style, `[{name: …}, …]`, added, changed and removed: what stands around them keeps every character."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from ringfence.language.nodes import Node, Table, plain
from ringfence.language.writing import ORDER, flow_text

Said = Mapping[str, object]


@dataclass(slots=True)
class Stretch:
    """Where a value stands in a text: from `start` to before `end`.

    `parts` are the items of a list, or the keys and values of a mapping in turns; `word` is what a scalar says.
    """

    start: int
    end: int
    flow: bool = False
    word: str | None = None
    parts: list[Stretch] = field(default_factory=list)

    def value(self, key: str) -> Stretch | None:
        """Return the value of a mapping's key."""
        return next((value for one, value in self.entries() if one.word == key), None)

    def entries(self) -> list[tuple[Stretch, Stretch]]:
        """Return a mapping's keys with their values."""
        return list(zip(self.parts[::2], self.parts[1::2], strict=False))


def in_flow(text: str, node: Node) -> bool:
    """Return whether a value seems to be written with brackets, so that looking closer pays."""
    lines = text.splitlines()
    return lines[node.place.line - 1][node.place.column - 1 : node.place.column] in ("[", "{", "&")


def stretches(text: str) -> list[Stretch]:
    """Return where the documents of a text stand that are not empty, and everything in them."""
    found: list[Stretch] = []
    opened: list[Stretch] = []
    for event in YAML(typ="safe", pure=True).parse(text):
        match event:
            case DocumentStartEvent():
                opened = [Stretch(0, 0)]
            case DocumentEndEvent():
                found += [one for one in opened[0].parts if one.word != ""]
            case MappingStartEvent() | SequenceStartEvent():
                opened.append(Stretch(event.start_mark.index, 0, bool(event.flow_style)))
            case MappingEndEvent() | SequenceEndEvent():
                done = opened.pop()
                done.end = event.end_mark.index
                opened[-1].parts.append(done)
            case ScalarEvent() | AliasEvent():
                word = event.value if isinstance(event, ScalarEvent) else None
                opened[-1].parts.append(Stretch(event.start_mark.index, event.end_mark.index, word=word))
    return found


def item_added(text: str, document: int, key: str, rule: Said) -> str | None:
    """Return a text with a rule behind the last of a list with brackets; None where it is no such list."""
    there = stretches(text)[document].value(key)
    if there is None or not there.flow or not there.parts:
        return None
    last = there.parts[-1]
    start = text.rfind("\n", 0, last.start) + 1
    indent = text[start : last.start]
    end = "\r\n" if "\r\n" in text else "\n"
    between = f",{end}{indent}" if start and not indent.strip() else ", "
    return text[: last.end] + between + flow_text(_ordered(rule)) + text[last.end :]


def item_removed(text: str, document: int, key: str, index: int) -> str | None:
    """Return a text without a rule of a list with brackets; None where it is no such list."""
    there = stretches(text)[document].value(key)
    if there is None or not there.flow:
        return None
    return _without(text, [(one.start, one.end) for one in there.parts], index)


def item_changed(text: str, document: int, key: str, index: int, node: Node, rule: Said) -> str | None:
    """Return a text in which a rule with braces says something else; None where it has none."""
    there = stretches(text)[document].value(key)
    if there is None or index >= len(there.parts) or not isinstance(node, Table):
        return None
    item = there.parts[index]
    if not item.flow or not item.parts:
        return None
    said = {entry.key: plain(entry.value) for entry in node.entries}
    gone = [one for one in said if one not in rule]
    new = [one for one in _ordered(rule) if one not in said]
    if len(gone) == len(new) == 1:  # one action stands in another's place
        name, value = next(pair for pair in item.entries() if pair[0].word == gone[0])
        return _put(text, [*_values(item, said, rule), (name.start, value.end, f"{new[0]}: {flow_text(rule[new[0]])}")])
    last = item.parts[-1].end
    more = "".join(f", {one}: {flow_text(rule[one])}" for one in new)
    changed = _put(text, [*_values(item, said, rule), *([(last, last, more)] if more else [])])
    for one in gone:
        item = _item(changed, document, key, index)
        spans = [(name.start, value.end) for name, value in item.entries()]
        place = next(number for number, (name, _) in enumerate(item.entries()) if name.word == one)
        changed = _without(changed, spans, place)
    return changed


def _item(text: str, document: int, key: str, index: int) -> Stretch:
    there = stretches(text)[document].value(key)
    assert there is not None
    return there.parts[index]


def _values(item: Stretch, said: Said, rule: Said) -> list[tuple[int, int, str]]:
    found = []
    for name, value in item.entries():
        key = name.word or ""
        if key in rule and rule[key] != said.get(key):
            gap = "" if _apart(name, value) else " "
            found.append((value.start, value.end, gap + flow_text(rule[key])))
    return found


def _apart(name: Stretch, value: Stretch) -> bool:
    """Return whether something stands between the colon of a key and its value."""
    return value.start > name.end + 1


def _without(text: str, spans: Sequence[tuple[int, int]], index: int) -> str:
    """Return a text without one of several parts that commas divide; what was said behind another one stays."""
    start, end = spans[index]
    rest = text[end:]
    rest = rest.lstrip()[1:] if rest.lstrip()[:1] == "," else rest
    if len(spans) == 1:
        return text[:start] + rest
    if index + 1 < len(spans):
        return text[:start] + text[spans[index + 1][0] :]
    before = spans[index - 1][1]
    if "#" in text[before:start]:
        return text[:start] + rest  # the comma before it is the last one now
    return text[:before] + text[end:]


def _put(text: str, edits: Sequence[tuple[int, int, str]]) -> str:
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _ordered(rule: Said) -> Said:
    order = {key: number for number, key in enumerate(ORDER)}
    return {key: rule[key] for key in sorted(rule, key=lambda one: order.get(one, len(order)))}
