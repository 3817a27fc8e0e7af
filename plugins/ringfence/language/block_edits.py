"""Keys of a rule in block style written anew: the lines of what stays stay, with their comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ringfence.language.documents import parse_documents
from ringfence.language.list_edits import dash, last_line, newline
from ringfence.language.nodes import Entry, Node, Scalar, Table, plain
from ringfence.language.reports import Reports
from ringfence.language.writing import ORDER, flow_text

ACTIONS = ("allow", "deny", "pass")
_COMMENT = re.compile(r"\s+#")
_KEY_ALONE = re.compile(r"""(\w+|"\w+"|'\w+')\s*:(\s+[>|][-+]?)?""")
Said = Mapping[str, object]


def by_keys(lines: list[str], node: Node, rule: Said, file: str) -> str | None:
    """Return the lines with only those keys of a rule written anew that say something else; None where that fails."""
    if not isinstance(node, Table) or not node.entries:
        return None
    first, indent = dash(lines, node, file)
    last = last_line(lines, first, indent)
    starts = [entry.place.line - 1 for entry in node.entries]
    columns = {entry.place.column for entry in node.entries}
    if len(set(starts)) != len(starts) or len(columns) != 1 or not _begins(lines, first, node.entries[0]):
        return None
    said = {entry.key: plain(entry.value) for entry in node.entries}
    renamed = _renamed(said, rule)
    kept = next((entry for entry in node.entries if entry.key in rule or entry.key in renamed), None)
    if kept is None:
        return None
    end, column = newline("".join(lines)), columns.pop()
    if kept is not node.entries[0] and starts[0] == first:  # the dash goes to the first key that stays
        number = kept.place.line - 1
        lines = [*lines]
        lines[number] = lines[first][: column - 1] + lines[number][column - 1 :]
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
            last_end = line_end(lines[until])
            remarks = [lines[number] for number in _remarks(lines, entry, start, until)]
            made = f"{prefix}{key}: {flow_text(rule[key])}{comment}"
            new[until] = [made + (end if remarks else last_end), *remarks]
    order = {key: number for number, key in enumerate(ORDER)}
    for key in sorted(set(rule) - set(tails), key=lambda one: order.get(one, len(order))):
        before = [one for one in tails if order.get(one, 0) < order.get(key, len(order)) and one in rule]
        after = max((tails[one] for one in before), default=tails[renamed.get(kept.key, kept.key)])
        new.setdefault(after, [lines[after]] if after not in gone else [])
        new[after][-1:] = [_ended(line, end) for line in new[after][-1:]]
        new[after].append(f"{' ' * (column - 1)}{key}: {flow_text(rule[key])}{end}")
    out = [
        "".join(new[number]) if number in new else "" if number in gone else line for number, line in enumerate(lines)
    ]
    return "".join(out)


def _begins(lines: list[str], first: int, entry: Entry) -> bool:
    """Return whether a rule's first key stands in the line of its dash, or below with a remark or an anchor between."""
    number = entry.place.line - 1
    if number == first:
        return True
    return not lines[number][: entry.place.column - 1].strip()


def _remarks(lines: list[str], entry: Entry, start: int, until: int) -> Iterator[int]:
    """Yield the numbers of the lines within an entry that are a comment and nothing else; none where it has a text."""
    if not isinstance(entry.value, Scalar):
        yield from (number for number in range(start + 1, until) if lines[number].lstrip().startswith("#"))


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
        if start != until and not _KEY_ALONE.fullmatch(left.strip()):
            return ""
        reports = Reports()
        said = parse_documents(left, file, reports)
        alone = start != until or (said and not len(reports) and plain(said[0]) == {entry.key: plain(entry.value)})
        if alone or "*" in left or "&" in left:
            return written[found.start() :]
    return ""


def _ended(line: str, end: str) -> str:
    return line if line.endswith("\n") else line + end


def line_end(line: str) -> str:
    """Return the line feed that a line ends with, or nothing."""
    return line[len(line.rstrip("\r\n")) :]
