"""The rows of a table of hosts in any of its formats, each with its place and, if it is not valid, the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ringfence.language.documents import parse_documents
from ringfence.language.nodes import Listing, Node, Scalar, Table, plain
from ringfence.language.reports import Reports
from ringfence.model.errors import InputError, Place
from ringfence.sources.table_csv import csv_rows
from ringfence.sources.table_files import table_bytes, table_text
from ringfence.sources.table_header import Wanted
from ringfence.sources.table_json import json_rows
from ringfence.sources.table_row import Row, TableRows
from ringfence.sources.table_sheet import sheet_rows

YAML_SUFFIXES = (".yml", ".yaml")
SHEET_SUFFIXES = (".xlsx", ".xlsm")
LINES_SUFFIXES = (".jsonl", ".ndjson")


def read_rows(
    path: Path,
    shown: str,
    wanted: Wanted,
    delimiter: str | None = None,
    *,
    sheet: str | None = None,
    rows_at: tuple[str, ...] = (),
) -> TableRows:
    """Return the columns of a table, in order, and its rows, broken ones among them.

    A file whose name ends in `.yml`, `.yaml` or `.json` is a list of mappings, or a mapping of names to mappings (the
    name is then the cell `name`), which stands under the keys `rows_at`; `.xlsx` is a workbook, of which one `sheet` is
    read; any other is CSV in UTF-8 or UTF-16, whose header is the first line with the `wanted` columns.
    Raise InputError for a file that cannot be read, InputErrors for one that is not valid YAML.
    """
    content = table_bytes(path, shown)
    suffix = path.suffix.lower()
    if suffix in SHEET_SUFFIXES:
        return sheet_rows(content, shown, sheet, wanted)
    text = table_text(content, shown)
    if suffix in LINES_SUFFIXES:
        raise InputError(
            "JSON lines are not a table", Place(shown), f"make it one list: jq -s . {path.name} > hosts.json"
        )
    if suffix == ".json":
        return _without_header(shown, json_rows(text, shown, rows_at))
    if suffix in YAML_SUFFIXES:
        return _without_header(shown, _yaml_rows(text, shown, rows_at))
    return csv_rows(text, shown, delimiter, wanted)


def _without_header(shown: str, found: Iterator[Row]) -> TableRows:
    rows = tuple(found)
    return TableRows(shown, tuple(dict.fromkeys(column for row in rows for column in row.cells)), rows)


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
            raise InputError(
                "this is not a table", rows.place, "write a list of hosts: - {name: web-1, addresses: […]}"
            )


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
        return Row(node.place, {entry.key: _cell(entry.value) for entry in node})
    return Row(node.place, {}, "it is not a mapping")


def _named_row(name: str, place: Place, node: Node) -> Row:
    if isinstance(node, Table):
        return Row(place, {"name": name, **{entry.key: _cell(entry.value) for entry in node}})
    empty = not isinstance(node, Listing) and node.value is None
    return Row(place, {"name": name}, None if empty else "it is not a mapping")


def _cell(node: Node) -> object:
    """Return a cell as plain data; a number that would be written otherwise, `007` or `1.10`, is the text it is."""
    if isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value if str(node.value) == node.text else node.text
    return plain(node)
