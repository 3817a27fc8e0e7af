"""Flows as CSV: a header of field names, one flow a row."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

from ringfence.flows.reading import Reading
from ringfence.flows.records import FIELDS, REQUIRED, clean_text, flow_of, record_of
from ringfence.model.errors import InputError, Place
from ringfence.model.flows import Flow

DELIMITERS = ",;\t"


def read_csv(path: Path, reading: Reading) -> Iterator[Flow]:
    """Yield the flows of a CSV file whose first line names its columns, in any order, split by comma, `;` or tab.

    `client`, `server`, `port` and `protocol` must be there. Raises InputError for a header without them.
    """
    observed = reading.observed or datetime.now(UTC)
    # surrogateescape keeps bytes that are no UTF-8 apart from text; cleaning then shows them escaped.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        header_line = file.readline()
        delimiter = max(DELIMITERS, key=header_line.count)
        header = [name.strip().lower() for name in next(csv.reader([header_line], delimiter=delimiter), [])]
        _check_header(header, path, reading)
        rows = csv.reader(file, delimiter=delimiter)
        while True:
            place = Place(str(path), rows.line_num + 2)
            try:
                row = next(rows, None)
                if row is None:
                    return
                if not row:
                    continue
                if len(row) != len(header):
                    raise InputError(f"{len(row)} values stand under {len(header)} columns")
                flow = flow_of(dict(zip(header, row, strict=True)), observed=observed, source="csv")
            except InputError as error:
                reading.reject(error, place)
            except csv.Error as error:
                reading.reject(InputError(f"no CSV: {error}"), place)
            else:
                yield flow


def write_csv(flows: Iterable[Flow], file: TextIO) -> int:
    """Write flows to a file opened with `newline=""` and return how many; `read_csv` gives the same flows back."""
    writer = csv.DictWriter(file, FIELDS)
    writer.writeheader()
    count = 0
    for count, flow in enumerate(flows, 1):  # noqa: B007 - the count of the last one is the answer
        writer.writerow(record_of(flow))
    return count


def _check_header(header: list[str], path: Path, reading: Reading) -> None:
    place = Place(str(path), 1)
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise InputError(
            f"the first line names no column {', '.join(missing)}",
            place,
            f"begin with a line such as '{','.join(REQUIRED)}'",
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(f"the first line names {', '.join(map(clean_text, twice))} more than once", place)
    for name in header:
        if name not in FIELDS:
            near = get_close_matches(name, FIELDS, 1)
            remedy = f"did you mean '{near[0]}'?" if near else None
            reading.warn(f"the column '{clean_text(name)}' is not known and is not read", place, remedy)
