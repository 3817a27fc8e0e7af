"""YAML files as placed trees: every document of a file, or every reason why it is none, with its line and column."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from ringfence.language.nodes import Entry, Listing, Node, Plain, Scalar, Table
from ringfence.language.reports import Reports
from ringfence.model.errors import Place

MOST_BYTES = 16 << 20
MOST_DEPTH = 40
MOST_NODES = 2_000_000
# YAML 1.2.2, section 10.3.2: the core schema. Whatever it does not name is a string, `on` and `no` among them.
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
DECIMAL = re.compile(r"[-+]?[0-9]{1,18}")
OCTAL = re.compile(r"0o[0-7]{1,20}")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,15}")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# Text programs put them in the place of a blank: then this is a word and no key, and no item of a list.
NO_BREAK_SPACE = re.compile("(:|^-)([\u00a0\u2007\u202f])")
# YAML 1.2.2, section 5.1: what a stream may not hold.
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What escapes can put into words, and what terminals, logs and rendered rulesets must never see: control characters,
# line and paragraph separators, bidirectional overrides, lone surrogates. Expressions may have several lines.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
CONTROLS_BUT_LINES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def shown(path: Path, root: Path | None) -> str:
    """Return a file's name as places show it: relative to the workspace where it lies in it."""
    if root is not None and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return path.as_posix()


def read_documents(
    path: Path, shown: str, reports: Reports, refused: re.Pattern[str] | None = None
) -> tuple[Node, ...]:
    """Return the documents of a YAML file that are not empty; `shown` is the file's name in places.

    What is wrong with the file goes to `reports`, and the documents before it are returned; so does every word that
    holds a `refused` character. Never raises.
    """
    text = read_text(path, shown, reports)
    return () if text is None else parse_documents(text, shown, reports, refused)


def parse_documents(
    text: str, shown: str, reports: Reports, refused: re.Pattern[str] | None = None
) -> tuple[Node, ...]:
    """Return the documents of a YAML text that are not empty, as `read_documents` does."""
    if unprintable := UNPRINTABLE.search(text):
        place = _place_of_offset(text, unprintable.start(), shown)
        reports.add(place, f"the character {unprintable.group()!a} may not stand in YAML", "remove it; is this a text?")
        return ()
    builder = _Builder(shown, reports, refused)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            if not builder.take(event):
                break
    except MarkedYAMLError as error:
        _report_yaml(error, shown, reports)
    except (YAMLError, ValueError, LookupError, AttributeError, TypeError, AssertionError) as error:
        # What is no YAMLError is the parser stumbling over input that it did not foresee; the input is at fault.
        reports.add(
            Place(shown), f"this is not valid YAML: {str(error).splitlines()[0] if str(error) else 'unreadable'}"
        )
    return tuple(builder.documents)


def read_text(path: Path, shown: str, reports: Reports) -> str | None:
    """Return a file's text with its line ends as they are, or None after reporting why there is none."""
    place = Place(shown)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            reports.add(place, "is not a regular file", "write a file here")
            return None
        if status.st_size > MOST_BYTES:
            reports.add(place, f"the file is larger than {MOST_BYTES >> 20} MiB", "split it into several files")
            return None
        content = path.read_bytes()
    except OSError as error:
        reports.add(place, f"cannot be read: {error.strerror or error}", "is the name right, and may you read it?")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = content[: error.start].decode("utf-8", errors="replace")
        where = _place_of_offset(good, len(good), shown)
        reports.add(where, f"the byte 0x{content[error.start]:02x} is not UTF-8", "save the file as UTF-8")
        return None


def _place_of_offset(text: str, offset: int, shown: str) -> Place:
    before = text[:offset]
    return Place(shown, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def _report_yaml(error: MarkedYAMLError, shown: str, reports: Reports) -> None:
    mark = error.problem_mark or error.context_mark
    place = Place(shown, mark.line + 1, mark.column + 1) if mark else Place(shown)
    problem = str(error.problem or error.context or "unreadable")
    if "'\\t'" in problem or "tab" in problem:
        reports.add(place, "a tab where YAML wants spaces", "indent with spaces")
    else:
        context = f" {error.context}" if error.context and error.problem else ""
        reports.add(
            place, f"this is not valid YAML: {problem}{context}", "look at the indentation, quotes and brackets here"
        )


class _Builder:
    """Builds trees from parser events without recursion, so that neither depth nor aliases can exhaust anything."""

    def __init__(self, shown: str, reports: Reports, refused: re.Pattern[str] | None) -> None:
        self.documents: list[Node] = []
        self._shown = shown
        self._reports = reports
        self._refused = refused
        self._open: list[tuple[NodeEvent, list[Node]]] = []
        self._anchors: dict[str, Node | None] = {}
        self._sizes: dict[int, tuple[Node, int]] = {}
        self._total = 0

    def take(self, event: Event) -> bool:
        """Take one event; return False when reading on makes no sense."""
        match event:
            case MappingStartEvent() | SequenceStartEvent():
                if len(self._open) >= MOST_DEPTH:
                    self._reports.add(self._place(event), f"nested deeper than {MOST_DEPTH} levels", "write it flatter")
                    return False
                self._refuse_tag(event)
                if event.anchor:
                    self._anchors[event.anchor] = None
                self._open.append((event, []))
                return True
            case MappingEndEvent() | SequenceEndEvent():
                start, nodes = self._open.pop()
                place = self._place(start)
                if isinstance(start, MappingStartEvent):
                    return self._close(start, Table(place, self._entries(nodes)))
                return self._close(start, Listing(place, tuple(nodes)))
            case ScalarEvent():
                self._refuse_tag(event)
                if self._refused and (wrong := self._refused.search(event.value)):
                    remedy = "write it in one line, without control characters"
                    self._reports.add(self._place(event), f"a word with the character {wrong.group()!a}", remedy)
                if event.implicit[0] and (blank := NO_BREAK_SPACE.search(event.value)):
                    message = f"a no-break space (U+{ord(blank[2]):04X}) where YAML wants a blank"
                    self._reports.add(self._place(event), message, "type the blank anew: it looks the same")
                value = resolved(event.value) if event.implicit[0] else event.value
                return self._close(event, Scalar(self._place(event), value, event.value))
            case AliasEvent():
                return self._alias(event)
            case DocumentEndEvent():
                self._anchors.clear()
        return True

    def _place(self, event: Event) -> Place:
        return Place(self._shown, event.start_mark.line + 1, event.start_mark.column + 1)

    def _refuse_tag(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        if event.tag:
            self._reports.add(self._place(event), f"the tag '{event.tag}' has no meaning here", "leave it out")

    def _alias(self, event: AliasEvent) -> bool:
        target = self._anchors.get(event.anchor)
        if target is None:
            inside = event.anchor in self._anchors
            fault = "stands inside what it names" if inside else "names no anchor before it"
            self._reports.add(self._place(event), f"the alias '*{event.anchor}' {fault}", "write the value out")
            return self._close(None, Scalar(self._place(event), None, ""))
        return self._close(None, target)

    def _close(self, event: NodeEvent | None, node: Node) -> bool:
        """Add a finished node to what is open, or to the documents; count what aliases make of it."""
        size = self._size(node)
        if event is None:
            self._total += size
        else:
            self._total += 1
            if event.anchor:
                self._anchors[event.anchor] = node
        if self._total > MOST_NODES or size > MOST_NODES:
            self._reports.add(node.place, f"more than {MOST_NODES} values, aliases counted", "split the file")
            return False
        if self._open:
            self._open[-1][1].append(node)
        elif not (isinstance(node, Scalar) and node.value is None):
            self.documents.append(node)
        return True

    def _size(self, node: Node) -> int:
        """Return how many values a node is; the node is kept with its size, so that its id stays its own."""
        if isinstance(node, Scalar):
            return 1
        if id(node) not in self._sizes:
            self._sizes[id(node)] = node, 1 + sum(self._size(child) for child in _children(node))
        return self._sizes[id(node)][1]

    def _entries(self, nodes: list[Node]) -> tuple[Entry, ...]:
        entries: dict[str, Entry] = {}
        merged: list[Node] = []
        for key, value in zip(nodes[::2], nodes[1::2], strict=True):
            if not isinstance(key, Scalar):
                self._reports.add(key.place, "a key must be a word", "write 'key: value'")
            elif not isinstance(key.value, str):
                shown = key.text or "~"
                self._reports.add(key.place, f"the key {shown} is not a word", f'write "{shown}": in quotes')
            elif key.value == "<<":
                remedy = "write the keys out, or name what is shared under 'selectors', 'services' or 'lists'"
                self._reports.add(key.place, "YAML 1.2 has no merge keys", remedy)
                merged += value.items if isinstance(value, Listing) else (value,)
            elif key.value in entries:
                first = entries[key.value].place
                self._reports.add(
                    key.place, f"the key '{key.value}' stands twice", f"the first is in line {first.line}: remove one"
                )
            else:
                entries[key.value] = Entry(key.place, key.value, value)
        # What a merge key stands for is there, so that nothing is said to be lacking beside the error.
        for node in merged:
            for entry in node if isinstance(node, Table) else ():
                entries.setdefault(entry.key, entry)
        return tuple(entries.values())


def _children(node: Node) -> tuple[Node, ...]:
    match node:
        case Table():
            return tuple(entry.value for entry in node)
        case Listing():
            return node.items
        case _:
            return ()


def resolved(text: str) -> Plain:
    """Return what a plain scalar means in the core schema."""
    if text in NULLS:
        return None
    if text in TRUTHS:
        return TRUTHS[text]
    if DECIMAL.fullmatch(text):
        return int(text)
    if OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if HEXADECIMAL.fullmatch(text):
        return int(text[2:], 16)
    if FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
