"""The file of a table: only ever a regular file, of a bounded size, as text whatever Unicode encoding it has."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

from ringfence.model.errors import InputError, Place

# A million hosts with twenty columns; whatever is larger is not a table that people keep.
MOST_BYTES = 256 << 20
_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
# The longer ones first: a mark of UTF-32 begins as one of UTF-16 does.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What programs write that people take for a table, by how the file begins.
_OTHERS = (
    (b"PK\x03\x04", "this is a workbook and no CSV", "save it as .xlsx, or export it as CSV"),
    (b"\xd0\xcf\x11\xe0", "this is a workbook of the old form (.xls)", "save it as .xlsx or as CSV"),
    (b"%PDF", "this is a PDF and no table", "export the table as CSV"),
)


def kind_of_file(mode: int) -> str | None:
    """Return the kind of a file of this mode, None for a regular one."""
    if stat.S_ISREG(mode):
        return None
    return next((kind for test, kind in _KINDS if test(mode)), "no regular file")


def table_bytes(path: Path, shown: str) -> bytes:
    """Return the content of a table. Raise InputError for a file that is not regular, too large, or not readable."""
    place = Place(shown)
    try:
        # Before it is opened, which a FIFO makes wait and a device may take for an order; and after, if it was changed.
        _refuse_other(path.stat().st_mode, place)
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            _refuse_other(os.fstat(file.fileno()).st_mode, place)
            large = os.fstat(file.fileno()).st_size > MOST_BYTES
            content = b"" if large else file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"the table cannot be read: {error.strerror}", place, "check 'table' and its path") from error
    if large or len(content) > MOST_BYTES:
        raise InputError(f"the table is larger than {MOST_BYTES >> 20} MiB", place, "split it into several files")
    return content


def table_text(content: bytes, shown: str) -> str:
    """Return the content of a table as text: UTF-8, or UTF-16 and UTF-32, recognised by their first bytes.

    Raise InputError with the line for any other encoding.
    """
    for beginning, what, remedy in _OTHERS:
        if content.startswith(beginning):
            raise InputError(what, Place(shown), remedy)
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None) or _without_mark(content)
    try:
        return content.decode(encoding).lstrip("\ufeff")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        place = Place(shown, before.count(b"\n") + 1)
        wanted = "UTF-8" if encoding == "utf-8" else encoding.upper()
        raise InputError(f"this is no {wanted}", place, "save the table as UTF-8") from error


def _without_mark(content: bytes) -> str:
    """Return the encoding of a text without a mark: of UTF-16 every other byte of plain letters is zero."""
    begin = content[:256]
    if begin[1:8:2] and not any(begin[1:8:2]) and all(begin[:8:2]):
        return "utf-16-le"
    if len(begin) > 1 and not any(begin[:8:2]) and all(begin[1:8:2]):
        return "utf-16-be"
    return "utf-8"


def _refuse_other(mode: int, place: Place) -> None:
    kind = kind_of_file(mode)
    if kind is not None:
        raise InputError(f"the table cannot be read: it is {kind}", place, "name a file in 'table'")
