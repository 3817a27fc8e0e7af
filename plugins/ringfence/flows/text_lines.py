"""Text as programs export it: UTF-8 or UTF-16, with or without a byte order mark; what it is not is told."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ringfence.model.errors import InputError, Place

_MARKS = (
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT = 64


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Open a file of text with its ends of lines as they are. Raise InputError for UTF-32, gzip and the like."""
    if path.is_dir():
        raise InputError("it is a directory", Place(str(path)), "--format hosts takes one; name its files")
    with path.open("rb") as file:
        encoding = encoding_of(file.peek(_LOOKED_AT)[:_LOOKED_AT], Place(str(path)))
        # surrogateescape keeps bytes that are no UTF-8 apart from text; cleaning then shows them escaped.
        errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
        with io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="") as text:
            yield text


def encoding_of(start: bytes, place: Place) -> str:
    """Return the encoding of a text by its first bytes: UTF-16 by its mark, or by the zeros of Latin letters in it."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            if encoding:
                return encoding
            raise InputError("the file is UTF-32, which is not read", place, "save it as UTF-8")
    for magic, what in (
        (b"\x1f\x8b", "gzip"),
        (b"PK\x03\x04", "a ZIP archive or an XLSX workbook"),
        (b"PAR1", "Parquet"),
    ):
        if start.startswith(magic):
            raise InputError(f"the file is {what}, not text", place, "unpack it, or save it as CSV")
    if len(start) >= 4 and start[1:8:2].count(0) == len(start[1:8:2]) and 0 not in start[0:8:2]:
        return "utf-16-le"
    if len(start) >= 4 and start[0:8:2].count(0) == len(start[0:8:2]) and 0 not in start[1:8:2]:
        return "utf-16-be"
    return "utf-8"
