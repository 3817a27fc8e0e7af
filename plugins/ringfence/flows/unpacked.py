"""Bytes of files as they are or unpacked from gzip: up to where a file breaks off, and no bomb of it unpacked."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence.model.errors import InputError, Place

GZIP = b"\x1f\x8b"
# What else logs are packed with, by the first bytes: not read, and said before it is taken for text.
_PACKED = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x04\x22\x4d\x18": "lz4",
}
# Logs shrink five to fifty times, gzip at most 1,032 times: what grows so much holds next to nothing.
MOST_GROWTH = 250
GROWTH_LOOKED_AT = 1 << 30
LONGEST_LINE = 64 << 20
DUCKDB_LINE = 32 << 20
_BLOCK = 1 << 20
_MAGIC = 6
_MOST_EVER = 1032
_WRAPS = 1 << 32  # the size that a member tells at its end (RFC 1952) begins anew
_MEMBER = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]")
_BREAKS = (EOFError, zlib.error, gzip.BadGzipFile)


class Unpacked(io.RawIOBase):
    """A file's bytes, unpacked where it is gzip, to be read through a buffer.

    Where the file breaks off, unpacks beyond measure or has a line without end, reading ends with the last whole line
    (or, without `lines`, the last byte), and `broken` says why.
    """

    def __init__(self, path: Path, *, lines: bool = True) -> None:
        super().__init__()
        self.broken = ""
        self._lines = lines
        self._file = path.open("rb")
        start = self._file.peek(2)[:2]
        self._source = gzip.GzipFile(fileobj=self._file) if start == GZIP else None
        self._given = 0
        self._ready = b""
        self._held = b""  # what follows the last end of a line
        self._ended = False

    @property
    def packed(self) -> bool:
        """Return whether the file is gzip."""
        return self._source is not None

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override] # the buffers that io gives
        """Fill a buffer and return how many bytes there were, 0 at the end."""
        while not self._ready and not self._ended:
            self._next()
        part, self._ready = self._ready[: len(target)], self._ready[len(target) :]
        target[: len(part)] = part
        return len(part)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _next(self) -> None:
        block = self._block()
        self._given += len(block)
        if not block:
            self._ended = True
            self._ready, self._held = (b"" if self.broken else self._held), b""
            return
        whole, end, rest = block.rpartition(b"\n") if self._lines else (block, b"\0", b"")
        if end:
            self._ready, self._held = self._held + whole + (end if self._lines else b""), rest
        elif len(self._held) + len(rest) <= LONGEST_LINE:
            self._held += rest
        else:
            self.broken = f"a line is longer than {LONGEST_LINE >> 20} MiB"
            self._ended = True

    def _block(self) -> bytes:
        if self._source is None:
            return self._file.read(_BLOCK)
        try:
            block = self._source.read1(_BLOCK)
        except _BREAKS as error:
            self.broken = f"the file breaks off: {error}"
            return b""
        if self._given > GROWTH_LOOKED_AT and self._given > MOST_GROWTH * self._file.tell():
            self.broken = f"the file unpacks to more than {MOST_GROWTH} times its size, which no log does"
            return b""
        return block


@contextmanager
def unpacked(path: Path, *, lines: bool = True) -> Iterator[tuple[io.BufferedReader[Unpacked], Unpacked]]:
    """Give a buffer of a file's bytes, and the `Unpacked` that says at the end whether it was whole.

    Raise InputError for gzip within gzip and for what is packed otherwise, OSError.
    """
    with Unpacked(path, lines=lines) as raw, io.BufferedReader(raw, _BLOCK) as buffer:
        start = buffer.peek(_MAGIC)[:_MAGIC]
        if raw.packed and start.startswith(GZIP):
            raise InputError("the file is gzip within gzip", Place(str(path)), "unpack it once")
        for magic, program in _PACKED.items():
            if start.startswith(magic):
                remedy = f"unpack it ({program} -d FILE), or give '-' what {program} -dc FILE writes"
                raise InputError(f"the file is packed with {program}, which is not read", Place(str(path)), remedy)
        yield buffer, raw


def needs_care(path: Path) -> bool:
    """Tell whether only `unpacked` reads a file of lines right: a bomb, one that breaks off, or a last line too long.

    Of a last line beyond 32 MiB DuckDB says nothing and gives nothing. How far gzip grows is known only at its end: a
    file of one small member tells it itself, of others all members are unpacked here, and kept nowhere. Raise OSError.
    """
    harmless = min(DUCKDB_LINE, GROWTH_LOOKED_AT)
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if file.read(2) != GZIP:
            return size > DUCKDB_LINE and not _ends_with_a_line(file, size)
        if size * _MOST_EVER < harmless:
            return False
        if size * _MOST_EVER < _WRAPS:
            file.seek(0)
            packed = file.read()
            if not _MEMBER.search(packed, 1) and int.from_bytes(packed[-4:], "little") < harmless:
                return False
    return _unpacks_badly(path)


def _ends_with_a_line(file: io.BufferedReader, size: int) -> bool:
    file.seek(size - _BLOCK)
    return b"\n" in file.read()[:-1]


def _unpacks_badly(path: Path) -> bool:
    longest = line = 0  # of a line, to within a block
    with Unpacked(path, lines=False) as raw:
        block = bytearray(_BLOCK)
        while longest < DUCKDB_LINE // 2 and (count := raw.readinto(block)):
            end = block.rfind(b"\n", 0, count)
            longest = max(longest, line)
            line = line + count if end < 0 else count - end
        return bool(raw.broken) or max(longest, line) >= DUCKDB_LINE // 2
