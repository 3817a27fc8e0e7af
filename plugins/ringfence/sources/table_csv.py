"""The rows of a CSV table as programs and people export it: delimiter lines, titles, comments, short rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ringfence.model.errors import InputError, Place
from ringfence.model.label_texts import label_text
from ringfence.sources.table_header import LOOKED_AT, Wanted, header_names, refuse_repeated, uncommented
from ringfence.sources.table_row import Doubt, Row, TableRows

DELIMITERS = ",;\t|"
# Excel's own line above the header; saved anew it is quoted, or padded with delimiters.
_SEPARATOR = re.compile(r'\ufeff*[ ]*"?sep=(?P<sign>\\t|[^\r\n])?(?P<more>[^\r\n]*)[\r\n]*', re.IGNORECASE)
# What spreadsheets show where a cell could not be computed, in English and in German.
ERRORS = re.compile(
    r"#(N/A|REF!|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|GETTING_DATA|NV|BEZUG!|WERT!|ZAHL!)"
)
# How programs keep a spreadsheet from making a number of a text.
_FORCED_TEXT = re.compile(r'="(?P<text>[^"]*)"')
_ROUNDED = re.compile(r"-?\d([.,]\d+)?E\+\d{2,3}")
ROUNDED = "a number that a spreadsheet has rounded"


@dataclass(frozen=True, slots=True)
class _Header:
    """Where a header stands, its names, and what stands between the fields below it."""

    line: int
    names: list[str]
    written: list[str]
    delimiter: str


def csv_rows(text: str, shown: str, delimiter: str | None, wanted: Wanted) -> TableRows:
    """Return a CSV table; without a delimiter it is the one of a line `sep=`, else the one that makes a header.

    Raise InputError where nothing is there that could be a header.
    """
    lines = io.StringIO(re.sub(r"(?m)^\ufeff+", "", text), newline="").readlines()
    start = next((number for number, line in enumerate(lines) if line.strip(' \t\r\n"')), len(lines))
    said = _said_delimiter(lines[start], Place(shown, start + 1)) if start < len(lines) else None
    if said is not None:
        delimiter, start = said, start + 1
    header = _header(lines, start, _checked(delimiter, shown), wanted)
    if header is None:
        raise InputError("the table has no header", Place(shown, 1), "name the columns in its first line")
    place = Place(shown, header.line)
    refuse_repeated(header.names, header.written, place)
    below = (one for one in _csv_values(lines, start, header.delimiter) if one[0] > header.line)
    found = (_row(Place(shown, line), values, header.names, wanted) for line, values in below)
    columns = tuple(name for name in header.names if name)
    return TableRows(shown, columns, tuple(row for row in found if row is not None), place)


def odd_text(text: str) -> Doubt | None:
    """Return what is odd about a text that a spreadsheet wrote, None if nothing is."""
    if text.startswith("#") and ERRORS.fullmatch(text):
        return Doubt(f"the error {text}", lost=True)
    if "E+" in text and _ROUNDED.fullmatch(text):
        return Doubt(ROUNDED)
    return None


def _said_delimiter(line: str, place: Place) -> str | None:
    """Return the delimiter that a line `sep=X` names, None for any other line."""
    said = _SEPARATOR.fullmatch(line)
    if said is None:
        return None
    sign = said["sign"] or ""
    # A tab as it is, or in letters; behind the sign only what a program added: its quote, more of the same.
    if not sign or sign == '"' or said["more"].strip('" ').strip(sign).strip('" '):
        raise InputError("this line names no delimiter of one character", place, "write sep=; or delete the line")
    return "\t" if sign == "\\t" else sign


def _checked(delimiter: str | None, shown: str) -> str | None:
    if delimiter is None:
        return None
    sign = "\t" if delimiter in ("\\t", "tab") else delimiter
    if len(sign) != 1 or sign in '"\r\n':
        raise InputError(
            f"{delimiter!r} is not a valid delimiter", Place(shown), "'delimiter' is one character, ';' or '\\t'"
        )
    return sign


def _header(lines: Sequence[str], start: int, delimiter: str | None, wanted: Wanted) -> _Header | None:
    """Return the first row that fits under any delimiter; where none does, the one that is most like a header."""
    found: list[_Header] = []
    for sign in [delimiter] if delimiter else DELIMITERS:
        for line, values in islice(_csv_values(lines, start, sign), LOOKED_AT):
            if not isinstance(values, str) and any(value.strip() for value in values):
                names = header_names(values)
                plain = uncommented(names)
                header = _Header(line, plain if wanted.fits(plain) and not wanted.fits(names) else names, values, sign)
                found.append(header)
                if wanted.fits(header.names):
                    break
    fitting = [header for header in found if wanted.fits(header.names)]
    if fitting:
        return min(fitting, key=lambda header: header.line)
    return max(found, key=lambda header: (wanted.likeness(header.names), -header.line), default=None)


def _row(place: Place, values: list[str] | str, header: Sequence[str], wanted: Wanted) -> Row | None:
    """Return a row; None for one that is empty or a comment."""
    if isinstance(values, str):
        return Row(place, {}, values)
    if not any(value.strip() for value in values):
        return None
    first = label_text(values[0])
    # In a table of tickets a first cell of '#17' is no comment.
    may_be_comment = header[0] in wanted.keys or len(values) != len(header)
    if may_be_comment and first.startswith("#") and not ERRORS.fullmatch(first):
        return None
    cells = {column: _text(value) for column, value in zip(header, values, strict=False) if column}
    doubts = {column: doubt for column, text in cells.items() if (doubt := odd_text(text)) is not None}
    cells = {column: "" if column in doubts and doubts[column].lost else text for column, text in cells.items()}
    fault = f"it has {len(values)} fields, and the header {len(header)}" if len(values) > len(header) else None
    return Row(place, cells, fault, doubts=doubts, short=len(values) < len(header))


def _text(value: str) -> str:
    text = label_text(value)
    forced = _FORCED_TEXT.fullmatch(text) if text.startswith("=") else None
    return text if forced is None else label_text(forced["text"])


def _csv_values(lines: Sequence[str], begin: int, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield every row from a line on with the number of the line it begins at: its values, or why it is none.

    After a broken row reading goes on at the next line, so that a quote that is never closed takes one row with it.
    """
    while begin < len(lines):
        reader = csv.reader(islice(lines, begin, None), delimiter=delimiter, strict=True)
        start = begin
        try:
            for values in reader:
                yield start + 1, values
                start = begin + reader.line_num
            return
        except csv.Error as error:
            yield start + 1, f"it is not valid CSV: {error}"
            begin = start + 1
