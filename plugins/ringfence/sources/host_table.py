"""Hosts from tables that people keep: how they are read, which rows are kept, which are broken and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ringfence.language.look_alikes import skeleton, without_accents
from ringfence.language.reports import nearest
from ringfence.model.errors import InputError, Place
from ringfence.model.label_texts import label_text, visible
from ringfence.model.problems import Problem, Severity
from ringfence.sources.host_row import LABELS_COLUMN, USUAL_LABELS, Columns, TableHost, host_of, wrong_keys
from ringfence.sources.table_filters import Filters, stays, values_of
from ringfence.sources.table_header import Wanted
from ringfence.sources.table_merge import merged_rows
from ringfence.sources.table_row import Row, TableRows, column_name
from ringfence.sources.table_rows import read_rows

# Columns that a message names at most.
NAMED = 30


@dataclass(frozen=True, slots=True)
class HostTable:
    """The hosts of tables in their order, a warning for every broken row, and how many rows filters left out.

    `notes` are warnings that take no row away. `values` are those that the columns of filters have.
    """

    hosts: tuple[TableHost, ...]
    problems: tuple[Problem, ...]
    filtered: int = 0
    notes: tuple[Problem, ...] = ()
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """How tables are read: the format's options, which rows stay, and by which columns rows of several are one host.

    `keep` and `leave_out` name columns and the texts they may have: a row stays if every column of `keep` has one of
    its texts and none of `leave_out` has. A table without rows is told unless it `may_be_empty`.
    """

    delimiter: str | None = None
    sheet: str | None = None
    rows_at: tuple[str, ...] = ()
    keep: Filters = field(default_factory=dict)
    leave_out: Filters = field(default_factory=dict)
    merge_by: tuple[str, ...] = ()
    may_be_empty: bool = False


def read_host_tables(tables: Sequence[tuple[Path, str]], columns: Columns, reading: Reading) -> HostTable:
    """Return the hosts of tables, each given with the name it is shown by; with `merge_by` they are merged first.

    A broken row is left out and told; the rest goes on. Several hosts may have one name: `table_names` tells them
    apart. Raises InputError where a table cannot be read or a column that was asked for is not there.
    """
    filtered = (*reading.keep, *reading.leave_out)
    columns, reading = _compared(columns), _compared_reading(reading)
    wanted = _wanted(columns, reading)
    read = [
        read_rows(path, shown_as, wanted, reading.delimiter, sheet=reading.sheet, rows_at=reading.rows_at)
        for path, shown_as in tables
    ]
    if not reading.merge_by:
        found = [_hosts(table, columns, reading) for table in read]
    else:
        found = [_merged(read, columns, reading)]
    return HostTable(
        tuple(host for table in found for host in table.hosts),
        tuple(problem for table in found for problem in table.problems),
        sum(table.filtered for table in found),
        (*(note for table in read for note in table.notes), *(note for table in found for note in table.notes)),
        {column: [text for table in found for text in table.values[column_name(column)]] for column in filtered},
    )


def read_host_table(path: Path, shown_as: str, columns: Columns, reading: Reading | None = None) -> HostTable:
    """Return the hosts of one table, as `read_host_tables` does."""
    return read_host_tables([(path, shown_as)], columns, reading or Reading())


def _compared(columns: Columns) -> Columns:
    labels = {key: column_name(column) for key, column in columns.labels.items()}
    return Columns(column_name(columns.name), tuple(map(column_name, columns.addresses)), labels)


def _compared_reading(reading: Reading) -> Reading:
    keep, leave_out = (
        {column_name(column): [label_text(text) for text in texts] for column, texts in filters.items()}
        for filters in (reading.keep, reading.leave_out)
    )
    return replace(reading, keep=keep, leave_out=leave_out, merge_by=tuple(map(column_name, reading.merge_by)))


def _wanted(columns: Columns, reading: Reading) -> Wanted:
    if reading.merge_by:
        others = (columns.name, *columns.addresses, *columns.labels.values(), *reading.keep, *reading.leave_out)
        return Wanted((), reading.merge_by, (*reading.merge_by, *others))
    needed = (columns.name, *columns.labels.values(), *reading.keep, *reading.leave_out)
    return Wanted(needed, columns.addresses, (columns.name,))


def _merged(read: Sequence[TableRows], columns: Columns, reading: Reading) -> HostTable:
    rows, contradictions = merged_rows([table.rows for table in read], reading.merge_by, columns.addresses)
    present = tuple(dict.fromkeys(column for table in read for column in table.columns))
    whole = TableRows(read[0].shown, present, rows, read[0].header)
    if present and not set(reading.merge_by) & set(present):
        _check_columns(reading.merge_by[:1], present, present, whole.place)
    found = _hosts(whole, columns, reading)
    return replace(found, problems=(*contradictions, *found.problems))


def _hosts(table: TableRows, columns: Columns, reading: Reading) -> HostTable:
    # Without a header, rows that are none tell no columns.
    if table.header is not None or any(row.fault is None for row in table.rows):
        wanted = (columns.name, *columns.labels.values(), *reading.keep, *reading.leave_out)
        _check_columns(wanted, table.columns, columns.addresses, table.place)
    hosts: list[TableHost] = []
    problems: list[Problem] = []
    broken: list[Row] = []
    kept = [row for row in table.rows if row.fault is not None or stays(row, reading.keep, reading.leave_out)]
    filtered = sum(_counts(table.rows).values()) - sum(_counts(kept).values())
    short: list[Row] = []
    for row in kept:
        host = host_of(row, columns, reading.merge_by)
        if isinstance(host, Problem):
            problems.append(host)
            broken.append(row)
        else:
            hosts.append(host)
            short += [row] if row.short else []
    all_rows = _counts(table.rows)
    for file, count in _counts(broken).items():
        message = f"{count} of {all_rows[file]} rows are broken and left out: no policy knows these hosts"
        problems.append(Problem(Severity.WARNING, message, Place(file), "correct the rows named before"))
    if table.rows or not reading.may_be_empty:
        problems += _nothing_left(table, filtered)
    notes = [*(odd for host in hosts for odd in host.odd), *_short_rows(short), *_lost_cells(kept, columns, reading)]
    notes += _unused_labels(table, columns)
    good = [row for row in table.rows if row.fault is None]
    values = values_of(good, (*reading.keep, *reading.leave_out))
    return HostTable(tuple(hosts), tuple(problems), filtered, tuple(notes), values)


def _counts(rows: Sequence[Row]) -> Counter[str]:
    """Return how many rows of each table these are: a merged one is a row of each of its tables."""
    return Counter(place.file for row in rows for place in (row.place, *row.also))


def _nothing_left(table: TableRows, filtered: int) -> list[Problem]:
    """Return the warning for a table that gives nothing without being broken."""
    if not table.rows:
        said, remedy = (
            "the table has no rows: it gives no hosts",
            "is the export whole? Add rows, or delete the file in inventory/ that names the table",
        )
    elif filtered == sum(_counts(table.rows).values()):
        said, remedy = (
            f"'filters' and 'exclude' leave none of {filtered} rows: the table gives no hosts",
            "correct them",
        )
    else:
        return []
    return [Problem(Severity.WARNING, said, table.place, remedy)]


def _short_rows(rows: Sequence[Row]) -> list[Problem]:
    if not rows:
        return []
    message = f"{len(rows)} {'row has' if len(rows) == 1 else 'rows have'} fewer fields than the header, this the first"
    return [Problem(Severity.WARNING, message, rows[0].place, "what is missing at the end counts as empty")]


def _unused_labels(table: TableRows, columns: Columns) -> list[Problem]:
    """Return a warning for each column that is called like a usual label, but for case or accents, and gives none."""
    if columns.labels:
        return [_wrong_key(column, fault, table) for column, fault in wrong_keys(columns).items()]
    notes = []
    for column in table.columns:
        key = skeleton(without_accents(column))
        if key in (*USUAL_LABELS, LABELS_COLUMN) and column != key and key not in table.columns:
            message = f"the column '{visible(column)}' gives no label: the one that does is called '{key}'"
            said = "" if key == LABELS_COLUMN else ", or name all columns of labels: 'columns: {labels: {…}}'"
            notes.append(Problem(Severity.WARNING, message, table.place, f"rename it{said}"))
    return notes


def _wrong_key(column: str, fault: str, table: TableRows) -> Problem:
    message = f"the column '{visible(column)}' gives no label: {fault}"
    return Problem(Severity.WARNING, message, table.place, "rename it in 'columns: {labels: {…}}'")


def _lost_cells(rows: Sequence[Row], columns: Columns, reading: Reading) -> list[Problem]:
    """Return the warning for cells without a value that were not told of by themselves."""
    told = {
        columns.name,
        *columns.addresses,
        *reading.merge_by,
        *(columns.labels.values() or USUAL_LABELS),
    }
    lost = [
        (row, column)
        for row in rows
        for column, doubt in row.doubts.items()
        if row.fault is None and doubt.lost and column not in told
    ]
    if not lost:
        return []
    row, column = lost[0]
    cells = f"{len(lost)} {'cell has' if len(lost) == 1 else 'cells have'}"
    message = f"{cells} no value: the first, '{column}', is {row.doubts[column].text}"
    return [Problem(Severity.WARNING, message, row.place, "correct the table; they count as empty")]


def _check_columns(wanted: Sequence[str], present: Sequence[str], addresses: Sequence[str], place: Place) -> None:
    missing = [column for column in wanted if column not in present]
    if not any(column in present for column in addresses):
        missing += addresses
    if missing:
        near = nearest(missing[0], present)
        there = [visible(column) for column in present]
        remedy = f"did you mean '{visible(near)}'?" if near else f"there are: {', '.join(there[:NAMED])}"
        remedy += ", …" if not near and len(there) > NAMED else ""
        raise InputError(f"the table has no column '{missing[0]}'", place, f"{remedy}; 'columns' says which is which")
