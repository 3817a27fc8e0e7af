"""The rows of a sheet of an XLSX workbook, as the text that a CSV export of it would have, each with its number."""

from __future__ import annotations

import datetime
import io
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from typing import IO, Protocol
from xml.etree.ElementTree import ParseError

from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.model.label_texts import label_text
from ringfence.model.problems import Problem, Severity
from ringfence.sources.sheet_marks import Area, Marks, Merged, read_marks
from ringfence.sources.sheet_numbers import date_text, general_text, number_text
from ringfence.sources.table_csv import ROUNDED, odd_text
from ringfence.sources.table_header import LOOKED_AT, Wanted, header_names, refuse_repeated
from ringfence.sources.table_row import Doubt, Row, TableRows

# What a workbook may unpack to; a small file can hold any number of zeros.
MOST_UNPACKED = 2 << 30
_FAULTS = (KeyError, ValueError, TypeError, IndexError, AttributeError, ParseError, zipfile.BadZipFile, EOFError)
# Spreadsheets keep 15 digits of a number, and show zeros for the others.
_EXACT = 10**15
_UNCOMPUTED = Doubt("a formula without a stored result", lost=True)
_DATE = Doubt("a date in the sheet, not the text that was typed", dated=True)


class _Cell(Protocol):
    value: object
    data_type: str
    number_format: str | None


class _Sheet(Protocol):
    title: str
    sheet_state: str

    def reset_dimensions(self) -> None: ...

    def iter_rows(self) -> Iterable[Sequence[_Cell]]: ...

    def _get_source(self) -> IO[bytes]: ...


class _Workbook(Protocol):
    worksheets: list[_Sheet]

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of a sheet: its number, the texts of its cells, the areas they lie in and what is odd, by index."""

    number: int
    texts: list[str]
    inside: Mapping[int, Area]
    doubts: Mapping[int, Doubt]
    # Without what merged areas gave it.
    bare: bool = field(default=False)


def sheet_rows(content: bytes, shown: str, sheet: str | None, wanted: Wanted) -> TableRows:
    """Return the rows below the first that has the wanted columns; empty rows are passed over, hidden ones are not.

    The first sheet that is not hidden is read unless one is named. Raise InputError for what is no workbook or has no
    such sheet, OutsideError where openpyxl is not installed.
    """
    workbook = _opened(content, shown)
    try:
        chosen = _chosen(workbook.worksheets, sheet, shown)
        table = _table(_lines(chosen), shown, wanted)
        others = [] if sheet else [one for one in workbook.worksheets if one is not chosen and _is_table(one, wanted)]
    except _FAULTS as error:
        raise InputError(f"this is not a readable workbook: {error}", Place(shown), "save it anew as .xlsx") from error
    finally:
        workbook.close()
    names = ", ".join(f"'{one.title}'" for one in others)
    message = f"the sheet '{chosen.title}' is read, and not {names}, where there are hosts too"
    note = Problem(Severity.WARNING, message, Place(shown), "name the sheet in 'sheet', one in a configuration file")
    return TableRows(shown, table.columns, table.rows, table.header, (note,) if others else ())


def _opened(content: bytes, shown: str) -> _Workbook:
    try:
        load = import_module("openpyxl").load_workbook
    except ImportError as error:
        line = f"{sys.executable} -m pip install 'ringfence[xlsx]'"
        raise OutsideError(f"'{shown}' needs openpyxl, which is not installed", remedy=line) from error
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
        if unpacked > MOST_UNPACKED:
            raise InputError(f"the workbook unpacks to more than {MOST_UNPACKED >> 30} GiB", Place(shown), "divide it")
        # As the cells were last seen: formulas are not computed, their stored results are read.
        workbook: _Workbook = load(io.BytesIO(content), read_only=True, data_only=True)
    except (OSError, *_FAULTS) as error:
        raise InputError(f"this is not a readable workbook: {error}", Place(shown), "save it anew as .xlsx") from error
    return workbook


def _chosen(sheets: Sequence[_Sheet], name: str | None, shown: str) -> _Sheet:
    visible = [one for one in sheets if one.sheet_state == "visible"]
    found = next((one for one in sheets if one.title == name), None) if name else (visible or sheets)[0]
    if found is None:
        there = f"there are: {', '.join(one.title for one in sheets)}"
        raise InputError(f"the workbook has no sheet '{name}'", Place(shown), there)
    return found


def _is_table(sheet: _Sheet, wanted: Wanted) -> bool:
    first = islice(_lines(sheet), LOOKED_AT) if sheet.sheet_state == "visible" else ()
    return any(wanted.fits(_names(line)) for line in first)


def _table(lines: Iterator[_Line], shown: str, wanted: Wanted) -> TableRows:
    looked_at: list[_Line] = []
    header = None
    for line in islice(lines, LOOKED_AT):
        looked_at.append(line)
        if wanted.fits(_names(line)):
            header = line
            break
    header = header or max(looked_at, key=lambda line: (wanted.likeness(_names(line)), -line.number), default=None)
    if header is None:
        raise InputError("the sheet has no header", Place(shown, 1), "name the columns in its first row")
    names, place = _names(header), Place(shown, header.number)
    refuse_repeated(names, header.texts, place)
    # What lies below one merged cell of a header is one column.
    spans = {header.inside[at].right: header.inside[at].left - 1 for at in header.inside if names[at]}
    below = [line for line in looked_at if line.number > header.number]
    rows = [_row(line, names, spans, shown) for part in (below, lines) for line in part if not line.bare]
    return TableRows(shown, tuple(name for name in names if name), tuple(rows), place)


def _names(line: _Line) -> list[str]:
    """Return the names that a row would give columns: a merged cell gives its first column one."""
    first = {at: area.left - 1 for at, area in line.inside.items()}
    return [name if first.get(at, at) == at else "" for at, name in enumerate(header_names(line.texts))]


def _row(line: _Line, names: Sequence[str], spans: Mapping[int, int], shown: str) -> Row:
    texts = list(line.texts)
    for end, first in spans.items():
        parts = dict.fromkeys(text for text in texts[first:end] if text)
        texts[first:end] = [" ".join(parts), *[""] * (min(end, len(texts)) - first - 1)] if first < len(texts) else []
    cells = {name: text for name, text in zip(names, texts, strict=False) if name}
    cells.update({name: "" for name in names[len(texts) :] if name})
    doubts = {names[at]: doubt for at, doubt in line.doubts.items() if at < len(names) and names[at]}
    known = max(len(names), *spans) if spans else len(names)
    fault = "it has cells beyond the header" if any(texts[known:]) else None
    return Row(Place(shown, line.number), cells, fault, doubts=doubts)


def _lines(sheet: _Sheet) -> Iterator[_Line]:
    """Yield the rows of a sheet that are not empty."""
    with sheet._get_source() as source:
        marks = read_marks(source)
    # The dimensions that a writer noted are often wrong, and then rows would be left out.
    sheet.reset_dimensions()
    merged = Merged(marks.merged)
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        read = [_read(cell) for cell in cells]
        texts = [text for text, _ in read]
        doubts = {at: doubt for at, (_, doubt) in enumerate(read) if doubt is not None}
        doubts.update(_uncomputed(number, texts, marks))
        own = any(texts) or bool(doubts)
        inside = merged.filled(number, texts)
        if any(texts) or doubts:
            yield _Line(number, texts, inside, doubts, bare=not own)


def _uncomputed(number: int, texts: Sequence[str], marks: Marks) -> dict[int, Doubt]:
    if not marks.uncomputed:
        return {}
    return {at: _UNCOMPUTED for at, text in enumerate(texts) if not text and (number, at + 1) in marks.uncomputed}


def _read(cell: _Cell) -> tuple[str, Doubt | None]:
    """Return a cell as text, and what is odd about it."""
    value, code = cell.value, cell.number_format or "General"
    if value is None:
        return "", None
    if cell.data_type == "e":
        return "", Doubt(f"the error {value}", lost=True)
    if isinstance(value, bool):
        return ("true" if value else "false"), None
    if isinstance(value, int | float):
        rounded = Doubt(ROUNDED) if abs(value) >= _EXACT else None
        return label_text(number_text(value, code) if code != "General" else general_text(value)), rounded
    if isinstance(value, datetime.datetime | datetime.date | datetime.time | datetime.timedelta):
        return label_text(date_text(value, code)), _DATE
    text = label_text(str(value))
    return text, odd_text(text)
