"""The rows of a JSON table of hosts, each with the line on which it begins."""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ringfence.model.errors import InputError, Place
from ringfence.sources.table_row import Row

_BLANK = re.compile(r"[ \t\r\n]*")


def json_rows(text: str, shown: str, rows_at: tuple[str, ...] = ()) -> Iterator[Row]:
    """Yield the rows of a list of objects, or of an object of names to objects (the name is then the cell `name`).

    `rows_at` has the keys that lead to that list or object. Raise InputError with the place of what is not valid JSON.
    """
    document = _Document(text, shown)
    at = document.rows_begin(rows_at)
    if text[at : at + 1] == "[":
        for begin, value in document.items(at):
            cells = value if isinstance(value, dict) else {}
            fault = document.fault if isinstance(value, dict) else "it is not an object"
            yield Row(document.place(begin), cells, fault)
    else:
        for name, begin, value in document.members(at):
            fault = document.fault if isinstance(value, dict) or value is None else "it is not an object"
            yield Row(document.place(begin), {"name": name, **(value if isinstance(value, dict) else {})}, fault)


@dataclass
class _Document:
    """A JSON text that is read piece by piece, since `json` itself tells no places of what it has read."""

    text: str
    shown: str
    line_ends: list[int] = field(init=False)
    # What is wrong with the value that was read last.
    fault: str | None = None

    def __post_init__(self) -> None:
        self.line_ends = [found.start() for found in re.finditer("\n", self.text)]
        try:
            # Once as a whole: NaN is not valid JSON, and what stands behind the end is a fault too.
            json.loads(self.text, parse_constant=_refused)
        except json.JSONDecodeError as error:
            if error.msg == "Extra data" and self.text[error.pos] in "{[":
                message = "this is not valid JSON: Extra data, as in JSON lines, a value a line"
                raise InputError(message, self.place(error.pos), "make it one list: jq -s . FILE") from error
            raise InputError(f"this is not valid JSON: {error.msg}", self.place(error.pos)) from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"this is not valid JSON: {error}", Place(self.shown)) from error

    def place(self, offset: int) -> Place:
        line = bisect.bisect_left(self.line_ends, offset)
        return Place(self.shown, line + 1, offset - (self.line_ends[line - 1] if line else -1))

    def rows_begin(self, rows_at: tuple[str, ...]) -> int:
        """Return where the list or the object of rows begins."""
        at = self._past_blank(0)
        for key in rows_at:
            found = {name: begin for name, begin, _ in self.members(at)} if self.text[at] == "{" else {}
            if key not in found:
                there = f"there are: {', '.join(found)}" if found else "there is no object"
                raise InputError(f"there is no '{key}' that could hold rows", self.place(at), there)
            at = found[key]
        if self.text[at] not in "[{":
            raise InputError("this is not a table", self.place(at), 'write a list of hosts: [{"name": "web-1"}]')
        return at

    def items(self, at: int) -> Iterator[tuple[int, object]]:
        """Yield where each value of the list that begins at `at` begins, and the value."""
        at = self._past_blank(at + 1)
        while self.text[at] != "]":
            value, end = self._value(at)
            yield at, value
            at = self._next(end)

    def members(self, at: int) -> Iterator[tuple[str, int, object]]:
        """Yield the name of each member of the object that begins at `at`, where its value begins, and the value."""
        at = self._past_blank(at + 1)
        while self.text[at] != "}":
            name, end = self._value(at)
            begin = self._past_blank(self._past_blank(end) + 1)
            value, end = self._value(begin)
            yield str(name), begin, value
            at = self._next(end)

    def _value(self, at: int) -> tuple[object, int]:
        self.fault = None
        return json.JSONDecoder(object_pairs_hook=self._object).raw_decode(self.text, at)

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            self.fault = f"its '{next(name for name in names if names.count(name) > 1)}' stands twice"
        return found

    def _next(self, end: int) -> int:
        at = self._past_blank(end)
        return self._past_blank(at + 1) if self.text[at] == "," else at

    def _past_blank(self, at: int) -> int:
        found = _BLANK.match(self.text, at)
        return found.end() if found else at


def _refused(word: str) -> object:
    raise ValueError(f"{word} is not a number of JSON")
