"""The rows of a table of hosts in any of its formats, each with its place, and why some of them are none."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from ringfence.language.documents import parse_documents
from ringfence.language.nodes import Listing, Node, Table, plain
from ringfence.language.reports import Reports
from ringfence.model.errors import InputError, Place
from ringfence.sources.table_json import json_rows
from ringfence.sources.table_row import Row
from ringfence.sources.table_sheet import sheet_rows

DELIMITERS = ",;\t|"
YAML_SUFFIXES = (".yml", ".yaml")
SHEET_SUFFIXES = (".xlsx", ".xlsm")


def read_rows(
    path: Path, shown: str, delimiter: str | None = None, *, sheet: str | None = None, rows_at: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Return the columns of a table, in order, and its rows, broken ones among them.

    A file whose name ends in `.yml`, `.yaml` or `.json` is a list of mappings, or a mapping of names to mappings (the
    name is then the cell `name`), which stands under the keys `rows_at`; `.xlsx` is a workbook, of which one `sheet` is
    read; any other is CSV in UTF-8 with a header, its delimiter told from the header unless given.
    Raises InputError for a file that cannot be read, InputErrors for one that is no YAML.
    """
    place = Place(shown)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"the table cannot be read: {error.strerror}", place, "check 'table' and its path") from error
    suffix = path.suffix.lower()
    if suffix in SHEET_SUFFIXES:
        rows = tuple(sheet_rows(path, shown, sheet))
    elif suffix == ".json":
        rows = tuple(json_rows(_text(content, shown), shown, rows_at))
    elif suffix in YAML_SUFFIXES:
        rows = tuple(_yaml_rows(_text(content, shown), shown, rows_at))
    else:
        rows = tuple(_csv_rows(_text(content, shown), shown, delimiter))
    return tuple(dict.fromkeys(column for row in rows for column in row.cells)), rows


def _text(content: bytes, shown: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError("this is no UTF-8", Place(shown, line), "save the table as UTF-8") from error


def _csv_rows(text: str, shown: str, delimiter: str | None) -> Iterator[Row]:
    first = text.partition("\n")[0]
    if not first.strip():
        raise InputError("the table has no header", Place(shown, 1), "name the columns in its first line")
    split_at = delimiter or max(DELIMITERS, key=first.count)
    lines = io.StringIO(text, newline="").readlines()
    header = [column.strip() for column in next(csv.reader(lines, delimiter=split_at))]
    repeated = sorted({column for column in header if column and header.count(column) > 1})
    if repeated:
        raise InputError(
            f"the column '{repeated[0]}' stands twice in the header", Place(shown, 1), "rename one of them"
        )
    for line, values in _csv_values(lines, split_at):
        place = Place(shown, line)
        if isinstance(values, str):
            yield Row(place, {}, values)
        elif any(value.strip() for value in values):
            cells = {column: value.strip() for column, value in zip(header, values, strict=False) if column}
            fault = f"it has {len(values)} fields, and the header {len(header)}" if len(values) > len(header) else None
            yield Row(place, cells, fault)


def _csv_values(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield every row after the header with the line it begins at: its values, or why it is none.

    After a broken row reading goes on at the next line, so that a quote that is never closed takes one row with it.
    """
    reader = csv.reader(lines, delimiter=delimiter)
    next(reader)
    begin = reader.line_num
    while begin < len(lines):
        reader = csv.reader(lines[begin:], delimiter=delimiter, strict=True)
        start = begin
        try:
            for values in reader:
                yield start + 1, values
                start = begin + reader.line_num
            return
        except csv.Error as error:
            yield start + 1, f"it is no CSV: {error}"
            begin = start + 1


def _yaml_rows(text: str, shown: str, rows_at: tuple[str, ...]) -> Iterator[Row]:
    reports = Reports()
    documents = parse_documents(text, shown, reports)
    reports.settle()
    for document in documents:
        rows = _below(document, rows_at)
        if isinstance(rows, Listing):
            yield from (_yaml_row(item) for item in rows)
        elif isinstance(rows, Table):
            yield from (_named_row(entry.key, entry.place, entry.value) for entry in rows)
        else:
            raise InputError("this is no table", rows.place, "write a list of hosts: - {name: web-1, addresses: […]}")


def _below(node: Node, rows_at: tuple[str, ...]) -> Node:
    for key in rows_at:
        found = {entry.key: entry.value for entry in node} if isinstance(node, Table) else {}
        if key not in found:
            there = f"there are: {', '.join(found)}" if found else "there is no mapping"
            raise InputError(f"there is no '{key}' that could hold rows", node.place, there)
        node = found[key]
    return node


def _yaml_row(node: Node) -> Row:
    if isinstance(node, Table):
        return Row(node.place, {entry.key: plain(entry.value) for entry in node})
    return Row(node.place, {}, "it is no mapping")


def _named_row(name: str, place: Place, node: Node) -> Row:
    if isinstance(node, Table):
        return Row(place, {"name": name, **{entry.key: plain(entry.value) for entry in node}})
    empty = not isinstance(node, Listing) and node.value is None
    return Row(place, {"name": name}, None if empty else "it is no mapping")
