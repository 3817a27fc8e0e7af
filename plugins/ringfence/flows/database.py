"""Connections to DuckDB: how much memory they take, and where they put what does not fit into it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import duckdb

from ringfence.files import may_write

# What DuckDB may hold at once; with what Python and the libraries take, a process stays below 4 GiB.
MOST_MEMORY = 3 << 30
SPILL = ".spill-"
_CLEANING: dict[int, weakref.finalize[[str, bool], duckdb.DuckDBPyConnection]] = {}


def connect(directory: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Return a connection to a database in memory that loads nothing from the network and spills into a directory.

    DuckDB would otherwise write what does not fit into memory below the current directory, the user's repository. What
    is spilled goes below `directory` (a store's), where that exists and this process may write, else where temporary
    files are, and is the owner's alone; `close` and the end of the process delete it, `delete_spilled` before an exit
    that runs nothing more.
    """
    below = directory if directory and _takes_spills(directory) else None
    path = mkdtemp(prefix=f"{SPILL}{os.getpid()}-" if below else "ringfence-flows-", dir=below)
    connection = duckdb.connect(
        config={
            "temp_directory": path,
            "memory_limit": f"{min(MOST_MEMORY, _memory() // 2) >> 20}MiB",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )
    _CLEANING[id(connection)] = weakref.finalize(connection, rmtree, path, True)
    return connection


def close(connection: duckdb.DuckDBPyConnection) -> None:
    """Close a connection that `connect` made and delete what it has spilled."""
    connection.close()
    if cleaning := _CLEANING.pop(id(connection), None):
        cleaning()


def delete_spilled() -> None:
    """Delete what all connections of this process have spilled."""
    for cleaning in list(_CLEANING.values()):
        cleaning()


@contextmanager
def database(directory: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection as `connect` does, and close it at the end."""
    connection = connect(directory)
    try:
        yield connection
    finally:
        close(connection)


def delete_left(directory: Path) -> None:
    """Delete what processes that are no more have spilled below a directory."""
    for path in directory.glob(f"{SPILL}*"):
        process = path.name.removeprefix(SPILL).partition("-")[0]
        if process.isdigit() and not Path(f"/proc/{process}").exists():
            rmtree(path, ignore_errors=True)


def _takes_spills(directory: Path) -> bool:
    try:
        may_write(directory)
    except OSError:
        return False
    return os.access(directory, os.W_OK)


def _memory() -> int:
    """Return the bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
