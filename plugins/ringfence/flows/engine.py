"""Where the heavy questions to flows are computed: in this process by DuckDB, or on a cluster.

Their text is SQL in DuckDB's dialect, of what other engines can be told too: `ringfence.flows.spark` has it translated.
"""

# ruff: noqa: S608 - the SQL is put together from column names of ours
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import duckdb

from ringfence.flows.columns import COLUMNS
from ringfence.flows.database import close
from ringfence.model.rules import DUCKDB

FETCH = 50_000
Row = tuple[object, ...]


class Engine(Protocol):
    """Computes queries over named tables; `observations` is there from the beginning."""

    def files(self, name: str, paths: Sequence[Path]) -> None:
        """Give the flows of Parquet files a name; what an earlier release did not write is absent, or answered."""
        ...

    def rows(self, query: str) -> list[Row]:
        """Return all rows of a query; whole numbers are int, also where the engine has another type for long ones."""
        ...

    def batches(self, query: str) -> Iterator[list[Row]]:
        """Yield the rows of a query in lists, in its order."""
        ...

    def keep(self, name: str, query: str) -> None:
        """Make a table of a query's rows, in place of one of that name."""
        ...

    def view(self, name: str, query: str) -> None:
        """Give a query a name, in place of what has it."""
        ...

    def put(self, name: str, kinds: Mapping[str, str], columns: Sequence[Sequence[object]]) -> None:
        """Make a table of a few columns that are there in Python; `kinds` are their names and DuckDB's types."""
        ...

    def close(self) -> None:
        """Free what is held."""
        ...


class DuckEngine:
    """DuckDB, in this process."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def files(self, name: str, paths: Sequence[Path]) -> None:
        """Give the flows of Parquet files a name."""
        self.view(name, f"SELECT * FROM {parquet_list(paths, origin=False)}")

    def rows(self, query: str) -> list[Row]:
        """Return all rows of a query."""
        return self.connection.execute(query).fetchall()

    def batches(self, query: str) -> Iterator[list[Row]]:
        """Yield the rows of a query in lists, in its order."""
        cursor = self.connection.cursor()
        cursor.execute(query)
        while rows := cursor.fetchmany(FETCH):
            yield rows

    def keep(self, name: str, query: str) -> None:
        """Make a table of a query's rows, in place of one of that name; nobody asks in which order."""
        self.connection.execute("SET preserve_insertion_order = false")
        try:
            self.connection.execute(f"CREATE OR REPLACE TABLE {name} AS {query}")
        finally:
            self.connection.execute("RESET preserve_insertion_order")

    def view(self, name: str, query: str) -> None:
        """Give a query a name, in place of what has it."""
        self.connection.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")

    def put(self, name: str, kinds: Mapping[str, str], columns: Sequence[Sequence[object]]) -> None:
        """Make a table of columns that are there in Python."""
        lists = ", ".join(f"unnest(?::{kind}[]) AS {column}" for column, kind in kinds.items())
        self.connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {lists}", list(columns))

    def close(self) -> None:
        """Free the memory."""
        close(self.connection)


def engine_of(name: str) -> Engine | None:
    """Return the engine that a workspace names, None for DuckDB; raises OutsideError where it is not to be had."""
    if name == DUCKDB:
        return None
    from ringfence.flows.spark import SparkEngine

    return SparkEngine(name)


def parquet_list(paths: Sequence[Path], *, origin: bool = True) -> str:
    """Return the SQL that reads Parquet files; what an earlier release did not write is absent, its flows answered."""
    files = f"read_parquet([{file_list(paths)}], union_by_name=true)"
    columns = {**COLUMNS, "origin": "UINTEGER"} if origin else COLUMNS
    if all(path.name.count(".") > 1 for path in paths):
        return f"(SELECT {', '.join(columns)} FROM {files})"
    none = ", ".join(f"NULL::{kind} AS {name}" for name, kind in columns.items())
    whole = f"SELECT * FROM (SELECT {none} LIMIT 0) UNION ALL BY NAME SELECT * FROM {files}"
    return f"(SELECT * REPLACE (coalesce(outcome, 'answered') AS outcome) FROM ({whole}))"


def file_list(paths: Iterable[Path]) -> str:
    """Return the names of files as SQL has them. Raise duckdb.Error for a pipe or a device: reading may never end."""
    files = list(paths)
    for path in files:
        if path.exists() and not path.is_file():
            raise duckdb.IOException(f"{path} is not a regular file")
    return ", ".join(quoted(str(path)) for path in files)


def quoted(text: str) -> str:
    """Return a text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"
