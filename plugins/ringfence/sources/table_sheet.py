"""The rows of a sheet of an XLSX workbook, as text, each with the number that the spreadsheet shows for it."""

from __future__ import annotations

import datetime
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol
from xml.etree.ElementTree import ParseError

from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.sources.table_row import Row


class _Cell(Protocol):
    value: object
    data_type: str


class _Sheet(Protocol):
    def reset_dimensions(self) -> None: ...

    def iter_rows(self) -> Iterable[Sequence[_Cell]]: ...


class _Workbook(Protocol):
    sheetnames: list[str]

    def __getitem__(self, name: str) -> _Sheet: ...

    def close(self) -> None: ...


def sheet_rows(path: Path, shown: str, sheet: str | None = None) -> Iterator[Row]:
    """Yield the rows under the first row that is not empty, which names the columns; empty rows are passed over.

    The first sheet is read unless one is named. Raises InputError for what is no workbook or has no such sheet,
    OutsideError where openpyxl is not installed.
    """
    workbook = _opened(path, shown)
    try:
        if sheet is not None and sheet not in workbook.sheetnames:
            there = f"there are: {', '.join(workbook.sheetnames)}"
            raise InputError(f"the workbook has no sheet '{sheet}'", Place(shown), there)
        chosen = workbook[sheet or workbook.sheetnames[0]]
        # The dimensions that a writer noted are often wrong, and then rows would be left out.
        chosen.reset_dimensions()
        yield from _rows(chosen.iter_rows(), shown)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, ParseError, zipfile.BadZipFile) as error:
        raise InputError(f"this is no readable workbook: {error}", Place(shown), "save it anew as .xlsx") from error
    finally:
        workbook.close()


def _opened(path: Path, shown: str) -> _Workbook:
    try:
        load = import_module("openpyxl").load_workbook
    except ImportError as error:
        line = f"{sys.executable} -m pip install 'ringfence[xlsx]'"
        raise OutsideError(f"'{shown}' needs openpyxl, which is not installed", remedy=line) from error
    try:
        # As the cells were last seen: formulas are not computed, their stored results are read.
        workbook: _Workbook = load(path, read_only=True, data_only=True)
    except (OSError, KeyError, ValueError, TypeError, ParseError, zipfile.BadZipFile) as error:
        raise InputError(f"this is no readable workbook: {error}", Place(shown), "save it anew as .xlsx") from error
    return workbook


def _rows(lines: Iterable[Sequence[_Cell]], shown: str) -> Iterator[Row]:
    header: list[str] = []
    for number, cells in enumerate(lines, start=1):
        texts = [_text(cell.value) for cell in cells]
        if not any(texts):
            continue
        place = Place(shown, number)
        if not header:
            header = texts
            repeated = sorted({column for column in header if column and header.count(column) > 1})
            if repeated:
                raise InputError(f"the column '{repeated[0]}' stands twice in the header", place, "rename one of them")
            continue
        wrong = [column for column, cell in zip(header, cells, strict=False) if column and cell.data_type == "e"]
        found = {column: text for column, text in zip(header, texts, strict=False) if column}
        beyond = any(texts[len(header) :])
        fault = f"its cell '{wrong[0]}' is the error {found[wrong[0]]}" if wrong else None
        yield Row(place, found, fault or ("it has cells beyond the header" if beyond else None))
    if not header:
        raise InputError("the sheet has no header", Place(shown, 1), "name the columns in its first row")


def _text(value: object) -> str:
    """Return a cell as the text that a CSV export of it would have."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value).strip()
