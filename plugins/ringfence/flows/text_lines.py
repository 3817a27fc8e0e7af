"""Text as programs export it: UTF-8 or UTF-16, with or without a byte order mark, plain or gzip; else it is told."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ringfence.flows.reading import Reading
from ringfence.flows.unpacked import unpacked
from ringfence.model.errors import InputError, Place, RingfenceError, file_error
from ringfence.model.safe_text import clean_line

_MARKS = (
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNPACK = "unpack it, or save it as CSV"
_NO_TEXT = (
    (b"PK\x03\x04", "a ZIP archive or an XLSX workbook", _UNPACK),
    (b"PAR1", "Parquet", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    *(
        (magic, "a capture of packets", "give a log; --format netflow reads captures of NetFlow and IPFIX")
        for magic in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x0a\x0d\x0d\x0a")
    ),
)
_LOOKED_AT = 64


@contextmanager
def open_text(path: Path, reading: Reading) -> Iterator[TextIO]:
    """Open a file of text with its ends of lines as they are; where it breaks off, that is a wrong row of the reading.

    Raise InputError for UTF-32 and what is no text.
    """
    if path.is_dir():
        raise InputError("it is a directory", Place(str(path)), "name a file")
    with unpacked(path) as (buffer, raw):
        encoding = encoding_of(buffer.peek(_LOOKED_AT)[:_LOOKED_AT], Place(str(path)))
        # surrogateescape keeps bytes that are no UTF-8 apart from text; cleaning then shows them escaped.
        errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
        with io.TextIOWrapper(buffer, encoding=encoding, errors=errors, newline="") as text:
            yield text
        if raw.broken:
            reject_broken(raw.broken, path, reading)


def reject_broken(reason: str, path: Path, reading: Reading) -> None:
    """Count what a file that is not whole lost as one wrong row."""
    message = f"{reason}; what was read before counts"
    reading.reject(InputError(message, remedy="fetch the file again"), Place(str(path)))


def files_below(path: Path, reading: Reading) -> list[Path]:
    """Return a path itself, or the files below a directory whose names do not begin with a dot, sorted.

    Links to directories are not followed; what cannot be looked into, or has a name that is no UTF-8, is a wrong row.
    Raise InputError where it is the path itself.
    """
    if not _is_utf8(path):
        raise InputError(_NAMED, Place(clean_line(str(path))))
    if not path.is_dir():
        return [path]
    found: list[Path] = []

    def unreadable(error: OSError) -> None:
        place = Place(str(error.filename or path))
        reading.reject(InputError(f"cannot be read: {error.strerror or error}"), place)

    for directory, inner, names in os.walk(path, onerror=unreadable):
        for name in [name for name in inner if name.startswith(".")]:
            inner.remove(name)
        for entry in (Path(directory, name) for name in (*inner, *names) if not name.startswith(".")):
            if not _is_utf8(entry):
                reading.reject(InputError(_NAMED), Place(clean_line(str(entry))))
            elif entry.is_file():
                found.append(entry)
            elif entry.is_symlink() or not entry.is_dir():
                reading.warn("not read: it is neither a file nor a directory", Place(str(entry)))
    return sorted(found)


_NAMED = "its name is no UTF-8, which DuckDB asks for: rename it"


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def alone(path: Path, several: bool, reading: Reading) -> Iterator[None]:
    """Have what is wrong with one of several files cost that file alone."""
    try:
        yield
    except (RingfenceError, OSError) as error:
        if not several:
            raise
        found = error if isinstance(error, RingfenceError) else file_error(error, path)
        reading.reject(InputError(found.message, remedy=found.remedy), found.place or Place(str(path)))


def encoding_of(start: bytes, place: Place) -> str:
    """Return the encoding of a text by its first bytes: UTF-16 by its mark, or by the zeros of Latin letters in it."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            if encoding:
                return encoding
            raise InputError("the file is UTF-32, which is not read", place, "save it as UTF-8")
    for magic, what, remedy in _NO_TEXT:
        if start.startswith(magic):
            raise InputError(f"the file is {what}, not text", place, remedy)
    if len(start) >= 4 and start[1:8:2].count(0) == len(start[1:8:2]) and 0 not in start[0:8:2]:
        return "utf-16-le"
    if len(start) >= 4 and start[0:8:2].count(0) == len(start[0:8:2]) and 0 not in start[1:8:2]:
        return "utf-16-be"
    return "utf-8"
