"""Flows as CSV: a header of field names, one flow a row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

from ringfence.flows.gathering import at
from ringfence.flows.reading import Reading
from ringfence.flows.records import FIELDS, PROCESSES, REQUIRED, clean_text, flow_of
from ringfence.flows.text_lines import alone, files_below, open_text
from ringfence.model.counts import counted
from ringfence.model.errors import InputError, Place
from ringfence.model.flows import Flow

DELIMITERS = ",;\t|"
SEPARATORS = frozenset({*DELIMITERS, ":", "^", "~"})  # what a line `sep=` may say
# Titles and notes that exports write above the names of the columns.
ABOVE = 20
COMMENT = "#"


@dataclass(frozen=True, slots=True)
class _Header:
    """The names of the columns, the delimiter between them, and the number of the line that they stand in."""

    names: tuple[str, ...]
    delimiter: str
    line: int


def read_csv(path: Path, reading: Reading) -> Iterator[Flow]:
    """Yield the flows of CSV files whose header names their columns, in any order, split by comma, `;`, tab or `|`.

    `client`, `server`, `port` and `protocol` must be there. Above the header may stand `sep=;`, lines of comment and
    a title. Of a directory all files are read. Raise InputError for a single file without such a header.
    """
    several = path.is_dir()
    for file in files_below(path, reading):
        with alone(file, several, reading), at(file, reading):
            yield from _flows(file, reading)


def _flows(path: Path, reading: Reading) -> Iterator[Flow]:
    observed = reading.observed or datetime.now(UTC)
    with open_text(path, reading) as file:
        header = _find_header(file, path, reading)
        rows = csv.reader(file, delimiter=header.delimiter)
        commented = header.names[0] not in (*PROCESSES, "source")
        while True:
            place = Place(str(path), rows.line_num + header.line + 1)
            try:
                row = next(rows, None)
                if row is None:
                    return
                if not any(map(str.strip, row)) or (commented and row[0].lstrip().startswith(COMMENT)):
                    continue
                if names := _names_again(row, header):
                    if names != header.names:
                        header = _Header(names, header.delimiter, header.line)
                        _check_header(header, place, reading)
                    continue
                record = dict(zip(header.names, _cells(row, len(header.names)), strict=True))
                flow = flow_of(record, observed=observed, source="csv", latest=reading.latest)
            except InputError as error:
                reading.reject(error, place)
            except csv.Error as error:
                reading.reject(InputError(f"no CSV: {error}"), place)
            else:
                yield flow


def _names_again(row: list[str], header: _Header) -> tuple[str, ...] | None:
    """Return the columns that a row names where it is a header, as files that were put one behind another have it."""
    first = row[0].strip("\ufeff \t").lower()
    if first != header.names[0] and first not in FIELDS:
        return None
    names = [first, *(cell.strip().lower() for cell in row[1:])]
    while not names[-1]:
        names.pop()
    return tuple(names) if set(REQUIRED) <= set(names) else None


def _cells(row: list[str], wanted: int) -> list[str]:
    """Return the values of a row; empty ones beyond the columns are what spreadsheets leave there."""
    cells = row[:wanted]
    if len(cells) != wanted or any(row[wanted:]):
        raise InputError(
            f"{counted(len(row), 'value')} {'stands' if len(row) == 1 else 'stand'} under {wanted} columns"
        )
    return cells


def _find_header(file: TextIO, path: Path, reading: Reading) -> _Header:
    """Return the header, read from the first lines; what stands above it is told."""
    separator = ""
    above: list[tuple[Place, str]] = []
    candidate: tuple[str, Place] | None = None
    for number, line in enumerate(file, 1):
        place = Place(str(path), number)
        text = line.strip().strip('"')
        if number <= 2 and text.lower().startswith("sep=") and text[4:] in SEPARATORS:
            separator = text[4]
        elif text.lower() == "sep=" and line.rstrip("\r\n").endswith("\t"):
            separator = "\t"
        elif names := _names(line, separator):
            for skipped, title in above:
                reading.warn(f"'{clean_text(title)}' stands above the header and is not read", skipped)
            header = _Header(names[0], names[1], number)
            _check_header(header, place, reading)
            return header
        elif text and not text.startswith(COMMENT):
            candidate = candidate or (line, place)
            above.append((place, text))
        if number == ABOVE:
            break
    line, place = candidate or ("", Place(str(path), 1))
    found = {name.strip().lower() for name in _split(line, separator)[0]}
    missing = [name for name in REQUIRED if name not in found]
    raise InputError(
        f"no line of the first {ABOVE} names the columns; this one lacks {', '.join(missing)}",
        place,
        f"begin with a line such as '{','.join(REQUIRED)}'",
    )


def _names(line: str, separator: str) -> tuple[tuple[str, ...], str] | None:
    """Return the columns that a line names and its delimiter, None where it is not a header."""
    for text in (line, line.lstrip().removeprefix(COMMENT)):
        cells, delimiter = _split(text, separator)
        names = [cell.strip().lower() for cell in cells]
        while names and not names[-1]:
            names.pop()
        if set(REQUIRED) <= set(names):
            return tuple(names), delimiter
    return None


def _split(line: str, separator: str) -> tuple[list[str], str]:
    delimiter = separator or max(DELIMITERS, key=line.count)
    try:
        return next(csv.reader([line], delimiter=delimiter), []), delimiter
    except csv.Error:
        return [], delimiter


def _check_header(header: _Header, place: Place, reading: Reading) -> None:
    names = header.names
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise InputError(f"the header names {', '.join(map(clean_text, twice))} more than once", place)
    for name in filter(None, names):
        if name not in FIELDS:
            near = get_close_matches(name, FIELDS, 1)
            remedy = f"did you mean '{near[0]}'?" if near else None
            reading.warn(f"the column '{clean_text(name)}' is not known and is not read", place, remedy)
