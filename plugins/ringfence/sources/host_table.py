"""Hosts from a table that people keep: which columns say what, which rows are kept, which are broken and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ringfence.language.reports import nearest
from ringfence.model.errors import InputError, Place
from ringfence.model.problems import Problem, Severity
from ringfence.sources.host_variables import ADDRESSES, LABELS, HostVariables, shown
from ringfence.sources.table_rows import Row, read_rows

USUAL_LABELS = ("role", "app", "env", "loc")
LABELS_COLUMN = "labels"
# Ansible reads brackets, commas and colons in host names as patterns.
_NAME = re.compile(r"[\w.@-]+")
_SEPARATORS = re.compile(r"[\s,;|]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns say what: `labels` maps a label's key to its column; none given: role, app, env, loc if there."""

    name: str = "name"
    addresses: tuple[str, ...] = ("addresses",)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableHost:
    """One host: addresses as text, labels, and every cell of its row under the column's name."""

    name: str
    addresses: tuple[str, ...]
    labels: Mapping[str, str]
    cells: Mapping[str, object]
    place: Place


@dataclass(frozen=True, slots=True)
class HostTable:
    """The hosts of a table in its order, a warning for every broken row, and how many rows filters left out."""

    hosts: tuple[TableHost, ...]
    problems: tuple[Problem, ...]
    filtered: int = 0


Filters = Mapping[str, Sequence[str]]


def read_host_table(
    path: Path,
    shown_as: str,
    columns: Columns,
    *,
    delimiter: str | None = None,
    keep: Filters | None = None,
    leave_out: Filters | None = None,
) -> HostTable:
    """Return the hosts of a CSV or YAML table.

    `keep` and `leave_out` name columns and the texts they may have: a row stays if every column of `keep` has one of
    its texts and none of `leave_out` has. A broken row is left out and told; the rest goes on. Raises InputError where
    the table cannot be read or a column that was asked for is not there.
    """
    present, rows = read_rows(path, shown_as, delimiter)
    keep, leave_out = keep or {}, leave_out or {}
    if rows:
        wanted = (columns.name, *columns.labels.values(), *keep, *leave_out)
        _check_columns(wanted, present, columns.addresses, Place(shown_as, 1))
    hosts: list[TableHost] = []
    broken: list[Problem] = []
    filtered = 0
    names: dict[str, Place] = {}
    for row in rows:
        if row.fault is None and not _stays(row, keep, leave_out):
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
        broken.append(Problem(Severity.WARNING, message, Place(shown_as), "correct the rows named before"))
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
    return TableHost(name, texts, {key: label.value for key, label in given.items()}, row.cells, row.place)


def _addresses(row: Row, columns: Columns) -> list[object]:
    found: list[object] = []
    for column in columns.addresses:
        value = row.cells.get(column)
        if isinstance(value, str):
            found += [part for part in _SEPARATORS.split(value) if part]
        elif isinstance(value, list):
            found += value
        elif value is not None:
            found.append(value)
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
