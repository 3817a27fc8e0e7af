"""One row of a table as a host: its name, addresses and labels, or why it is none, and what is odd about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ringfence.model.errors import Place
from ringfence.model.label_rules import label_key_fault
from ringfence.model.label_texts import label_text, visible
from ringfence.model.problems import Problem, Severity
from ringfence.sources.host_variables import ADDRESSES, HostVariables, shown, written_label_fault
from ringfence.sources.label_doubts import EVERYBODYS, everybodys
from ringfence.sources.table_row import Row

USUAL_LABELS = ("role", "app", "env", "loc")
LABELS_COLUMN = "labels"
# Ansible reads brackets, commas and colons in host names as patterns, and a sign at the beginning as an option.
_NAME = re.compile(r"\w[\w.@-]*")
# What means something else to Ansible than a host of an inventory.
_TAKEN = frozenset({"all", "ungrouped", "localhost", "127.0.0.1"})
# What programs write below the last row.
_FOOTER = re.compile(r"(sub|grand[ _-]?)?totals?|sums?|summe|gesamt|anzahl|count|rows|eof|end", re.IGNORECASE)
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

    `also` has the places of the rows of other tables that were merged into it. `odd` is what there is to say of it.
    """

    name: str
    addresses: tuple[str, ...]
    labels: Mapping[str, str]
    cells: Mapping[str, object]
    place: Place
    also: tuple[Place, ...] = ()
    odd: tuple[Problem, ...] = ()


def host_of(row: Row, columns: Columns, keys: tuple[str, ...] = ()) -> TableHost | Problem:
    """Return the host of a row, or the warning that says why it is none.

    `keys` are the columns by which rows of several tables are one host.
    """
    if row.fault is not None:
        return broken(row, row.fault)
    for column in (columns.name, *columns.addresses):
        if column in row.doubts and row.doubts[column].lost:
            return broken(row, f"its cell '{visible(column)}' is {row.doubts[column].text}")
    name = row.cells.get(columns.name)
    name = label_text(name) if isinstance(name, str) else name
    if name is None or name == "":
        return broken(row, f"it has no {columns.name}")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return broken(row, f"{shown(name)} is not a valid name for a host", "letters, digits and any of _ . @ -")
    if name in _TAKEN:
        return broken(row, f"'{name}' means something else to Ansible than a host", "rename it")
    addresses = _addresses(row, columns)
    if not addresses and _FOOTER.fullmatch(name):
        return broken(row, f"'{name}' without an address is not a host, but what a program wrote below them")
    reading = HostVariables(name, {ADDRESSES: addresses}, row.place)
    reading.addresses()
    if reading.errors:
        error = reading.errors[0]
        return broken(row, error.message, error.remedy)
    odd = list(_odd_cells(row, name, columns, keys))
    labels = dict(_labels(row, name, columns, odd))
    left_out = tuple(reading.address_faults())
    odd += [_left_out(row, name, address) for address in left_out]
    texts = tuple(str(address) for address in addresses if address not in left_out)
    return TableHost(name, texts, labels, row.cells, row.place, row.also, tuple(odd))


def wrong_keys(columns: Columns) -> dict[str, str]:
    """Return the columns whose label has a key that can be none, each with why: no row is at fault."""
    faults = {column: label_key_fault(visible(key.strip())) for key, column in columns.labels.items()}
    return {column: fault for column, fault in faults.items() if fault is not None}


def broken(row: Row, fault: str, remedy: str | None = None) -> Problem:
    """Return the warning for a row that is left out."""
    also = f" (with {', '.join(map(str, row.also))})" if row.also else ""
    return Problem(Severity.WARNING, f"this row{also} is left out: {fault}", row.place, remedy)


def _left_out(row: Row, name: str, address: str) -> Problem:
    return Problem(Severity.WARNING, f"this row of '{name}' holds {everybodys(address)}", row.place, EVERYBODYS)


def _addresses(row: Row, columns: Columns) -> list[object]:
    found: list[object] = []
    for column in columns.addresses:
        value = row.cells.get(column)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                found += [part for part in _SEPARATORS.split(label_text(item)) if part]
            elif item is not None:
                found.append(item)
    return list(dict.fromkeys(found)) if all(isinstance(item, str) for item in found) else found


def _odd_cells(row: Row, name: str, columns: Columns, keys: tuple[str, ...]) -> Iterator[Problem]:
    labels = columns.labels.values() if columns.labels else USUAL_LABELS
    for column in dict.fromkeys((columns.name, *keys, *labels)):
        doubt = row.doubts.get(column)
        if doubt is None or (doubt.dated and column not in (columns.name, *keys)):
            continue
        message = f"the cell '{visible(column)}' of '{name}' is {doubt.text}"
        remedy = (
            "correct the table: it has no value" if doubt.lost else "write it as text, in a column formatted as text"
        )
        yield Problem(Severity.WARNING, message, row.place, remedy)


def _labels(row: Row, name: str, columns: Columns, odd: list[Problem]) -> Iterator[tuple[str, str]]:
    """Yield the labels of a row; what can be none is added to `odd`."""
    for key, value in _written_labels(row, name, columns, odd).items():
        fault = written_label_fault(key, value)
        if fault is None:
            yield key.strip(), label_text(str(value))
        else:
            message = f"this row of '{name}' {fault.fault}: that label is left out"
            odd.append(Problem(Severity.WARNING, message, row.place, fault.remedy))


def _written_labels(row: Row, name: str, columns: Columns, odd: list[Problem]) -> dict[str, object]:
    found: dict[str, object] = {}
    several = row.cells.get(LABELS_COLUMN)
    said: list[str] = []
    if isinstance(several, dict):
        found.update({str(key): value for key, value in several.items()})
    elif isinstance(several, str):
        for pair in filter(None, (part.strip() for part in re.split(r"[;,\n]", several))):
            key, equals, value = pair.partition("=")
            if equals:
                found[key.strip()] = value.strip()
            else:
                said.append(f"'{visible(pair)}' in the column '{LABELS_COLUMN}' of '{name}' is not a valid label")
    elif several is not None:
        said.append(f"the column '{LABELS_COLUMN}' of '{name}' is {shown(several)}")
    remedy = "write 'key=value; key=value', in YAML a mapping"
    odd += [Problem(Severity.WARNING, message, row.place, remedy) for message in said]
    mapped = columns.labels or {key: key for key in USUAL_LABELS if key in row.cells}
    wrong = wrong_keys(columns)
    for key, column in mapped.items():
        value = row.cells.get(column)
        if column not in wrong and value is not None and value != "":
            found[key] = value
    return found
