"""Hosts from a table that people keep: which columns say what, which rows are kept, which are broken and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ringfence.language.reports import nearest
from ringfence.model.errors import InputError, Place
from ringfence.model.problems import Problem, Severity
from ringfence.sources.host_variables import ADDRESSES, LABELS, HostVariables, shown
from ringfence.sources.table_merge import merged_rows
from ringfence.sources.table_row import Row
from ringfence.sources.table_rows import read_rows

USUAL_LABELS = ("role", "app", "env", "loc")
LABELS_COLUMN = "labels"
# Ansible reads brackets, commas and colons in host names as patterns.
_NAME = re.compile(r"\w[\w.@-]*")
# Names that mean something else to Ansible: its own groups, and the machine it runs on.
_OF_ANSIBLE = frozenset({"all", "ungrouped", "localhost", "127.0.0.1", "::1"})
_SEPARATORS = re.compile(r"[\s,;|]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns say what: `labels` maps a label's key to its column; none given: role, app, env, loc if there."""

    name: str = "name"
    addresses: tuple[str, ...] = ("addresses",)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableHost:
    """One host: addresses as text, labels, and every cell of its row under the column's name.

    `also` has the places of the rows of other tables that were merged into it.
    """

    name: str
    addresses: tuple[str, ...]
    labels: Mapping[str, str]
    cells: Mapping[str, object]
    place: Place
    also: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class HostTable:
    """The hosts of a table in its order, a warning for every broken row, and how many rows filters left out."""

    hosts: tuple[TableHost, ...]
    problems: tuple[Problem, ...]
    filtered: int = 0


Filters = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """How tables are read: the format's options, which rows stay, and by which columns rows of several are one host.

    `keep` and `leave_out` name columns and the texts they may have: a row stays if every column of `keep` has one of
    its texts and none of `leave_out` has.
    """

    delimiter: str | None = None
    sheet: str | None = None
    rows_at: tuple[str, ...] = ()
    keep: Filters = field(default_factory=dict)
    leave_out: Filters = field(default_factory=dict)
    merge_by: tuple[str, ...] = ()


def read_host_tables(tables: Sequence[tuple[Path, str]], columns: Columns, reading: Reading) -> HostTable:
    """Return the hosts of tables, each given with the name it is shown by; with `merge_by` they are merged first.

    A broken row is left out and told; the rest goes on. Raises InputError where a table cannot be read or a column that
    was asked for is not there.
    """
    read = [
        read_rows(path, shown_as, reading.delimiter, sheet=reading.sheet, rows_at=reading.rows_at)
        for path, shown_as in tables
    ]
    if not reading.merge_by:
        found = [
            _hosts(present, rows, Place(shown_as, 1), columns, reading)
            for (_, shown_as), (present, rows) in zip(tables, read, strict=True)
        ]
        hosts = tuple(host for table in found for host in table.hosts)
        return HostTable(
            hosts, tuple(one for table in found for one in table.problems), sum(table.filtered for table in found)
        )
    rows, contradictions = merged_rows([rows for _, rows in read], reading.merge_by, columns.addresses)
    present = tuple(dict.fromkeys(column for columns_there, _ in read for column in columns_there))
    if rows and not set(reading.merge_by) & set(present):
        _check_columns(reading.merge_by[:1], present, present, Place(tables[0][1], 1))
    merged = _hosts(present, rows, Place(tables[0][1], 1), columns, reading)
    return replace(merged, problems=(*contradictions, *merged.problems))


def read_host_table(path: Path, shown_as: str, columns: Columns, reading: Reading | None = None) -> HostTable:
    """Return the hosts of one table, as `read_host_tables` does."""
    return read_host_tables([(path, shown_as)], columns, reading or Reading())


def _hosts(present: Sequence[str], rows: Sequence[Row], place: Place, columns: Columns, reading: Reading) -> HostTable:
    if any(row.fault is None for row in rows):
        wanted = (columns.name, *columns.labels.values(), *reading.keep, *reading.leave_out)
        _check_columns(wanted, present, columns.addresses, place)
    hosts: list[TableHost] = []
    broken: list[Problem] = []
    filtered = 0
    names: dict[str, Place] = {}
    for row in rows:
        if row.fault is None and not _stays(row, reading.keep, reading.leave_out):
            filtered += 1
            continue
        host = _host(row, columns, names)
        if isinstance(host, Problem):
            broken.append(host)
        else:
            names[host.name] = host.place
            hosts.append(host)
    if broken:
        message = f"{len(broken)} of {len(rows)} rows are broken and left out: no policy knows these hosts"
        broken.append(Problem(Severity.WARNING, message, Place(place.file), "correct the rows named before"))
    return HostTable(tuple(hosts), tuple(broken), filtered)


def _check_columns(wanted: Sequence[str], present: Sequence[str], addresses: Sequence[str], place: Place) -> None:
    missing = [column for column in wanted if column not in present]
    if not any(column in present for column in addresses):
        missing += addresses
    if missing:
        near = nearest(missing[0], present)
        remedy = f"did you mean '{near}'?" if near else f"there are: {', '.join(present)}"
        raise InputError(f"the table has no column '{missing[0]}'", place, f"{remedy}; 'columns' says which is which")


def _stays(row: Row, keep: Filters, leave_out: Filters) -> bool:
    return all(_text(row.cells.get(column)) in texts for column, texts in keep.items()) and not any(
        _text(row.cells.get(column)) in texts for column, texts in leave_out.items()
    )


def _host(row: Row, columns: Columns, names: Mapping[str, Place]) -> TableHost | Problem:
    if row.fault is not None:
        return _broken(row, row.fault)
    name = row.cells.get(columns.name)
    if name is None or name == "":
        return _broken(row, f"it has no {columns.name}")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return _broken(row, f"{shown(name)} is no name for a host", "letters, digits and any of _ . @ -")
    if name in _OF_ANSIBLE:
        return _broken(row, f"'{name}' means something else to Ansible and is no name for a host", "rename it")
    if name in names:
        return _broken(row, f"the host '{name}' stands already at {names[name]}", "remove or rename one of the two")
    addresses = _addresses(row, columns)
    labels = _labels(row, columns)
    if isinstance(labels, str):
        return _broken(row, labels, "write 'key=value; key=value', in YAML a mapping")
    reading = HostVariables(name, {ADDRESSES: addresses, LABELS: labels}, row.place)
    reading.addresses()
    given = reading.labels()
    if reading.errors:
        error = reading.errors[0]
        return _broken(row, error.message, error.remedy)
    texts = tuple(str(address) for address in addresses)
    return TableHost(name, texts, {key: label.value for key, label in given.items()}, row.cells, row.place, row.also)


def _addresses(row: Row, columns: Columns) -> list[object]:
    found: list[object] = []
    for column in columns.addresses:
        value = row.cells.get(column)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                found += [part for part in _SEPARATORS.split(item) if part]
            elif item is not None:
                found.append(item)
    return list(dict.fromkeys(found)) if all(isinstance(item, str) for item in found) else found


def _labels(row: Row, columns: Columns) -> dict[str, object] | str:
    """Return the labels of a row, as written; a text says why there are none."""
    found: dict[str, object] = {}
    several = row.cells.get(LABELS_COLUMN)
    if isinstance(several, dict):
        found.update(several)
    elif isinstance(several, str):
        for pair in filter(None, (part.strip() for part in re.split(r"[;,\n]", several))):
            key, equals, value = pair.partition("=")
            if not equals:
                return f"'{pair}' in the column '{LABELS_COLUMN}' is no label"
            found[key.strip()] = value.strip()
    elif several is not None:
        return f"the column '{LABELS_COLUMN}' is {shown(several)}"
    mapped = columns.labels or {key: key for key in USUAL_LABELS if key in row.cells}
    for key, column in mapped.items():
        value = row.cells.get(column)
        if value is not None and value != "":
            found[key] = value
    return found


def _broken(row: Row, fault: str, remedy: str | None = None) -> Problem:
    return Problem(Severity.WARNING, f"this row is left out: {fault}", row.place, remedy)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
