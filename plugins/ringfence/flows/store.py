"""The store of flows: one Parquet file a day, written and read with DuckDB.

An observation is what a source said of one flow in one span of time: its source, both ends, port, protocol, processes,
first and last time. Adding it again changes nothing; where the counts differ, the larger stay, so a file may be read
again after it grew.
"""

# ruff: noqa: S608 - the SQL is put together from column names and paths of ours
from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from ringfence.flows.columns import COLUMNS, COUNTS, IDENTITY, connect, create, insert
from ringfence.flows.holders import Holders
from ringfence.flows.window import FlowWindow, parquet_list, reading_files
from ringfence.model.assets import Snapshot
from ringfence.model.errors import OutsideError, Place
from ringfence.model.flows import Flow

MOST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Added:
    """What one `add` did: flows read, observations that were not in the store before, days written."""

    read: int
    new: int
    days: tuple[date, ...]

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {"read": self.read, "new": self.new, "days": [day.isoformat() for day in self.days]}


class FlowStore:
    """Flows under one directory (`.ringfence/flows` of a workspace): `2026-11-24.parquet` is a day (UTC)."""

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory)

    def add(self, flows: Iterable[Flow], snapshots: Sequence[Snapshot] = ()) -> Added:
        """Keep flows, each under the day of its first time, both ends resolved by the snapshot of then.

        A day's file is replaced whole by a rename, so a reader and a crash see the old or the new one. Adders wait for
        each other.
        """
        with self._alone(), reading_files(), connect() as connection:
            create(connection, "incoming")
            read = insert(connection, "incoming", flows, Holders(snapshots))
            stamps = connection.execute("SELECT DISTINCT first_seen::DATE FROM incoming ORDER BY 1").fetchall()
            days = tuple(day for (day,) in stamps)
            return Added(read, sum(self._write(connection, day) for day in days), days)

    def days(self) -> tuple[date, ...]:
        """Return the days that the store has flows of, in order."""
        return tuple(sorted(date.fromisoformat(path.stem) for path in self.directory.glob("????-??-??.parquet")))

    def window(
        self, since: datetime | None = None, until: datetime | None = None, latest: datetime | None = None
    ) -> FlowWindow:
        """Return the flows seen at any time from `since` (included) to `until` (not included).

        With `latest`, flows that cannot be are left out, such as those seen after it, and counted in `wrong`.
        """
        # A flow lies in the file of its first day and may last, so older files belong to the window too; DuckDB skips
        # what in them ended before `since` by the files' statistics.
        paths = [
            self._path(day) for day in self.days() if until is None or day <= (until - _TICK).astimezone(UTC).date()
        ]
        return FlowWindow.of_files(paths, since, until, latest)

    def forget(self, before: date, after: date | None = None) -> int:
        """Remove the days before a day, and those after another, and return how many there were."""
        with self._alone():
            old = [day for day in self.days() if day < before or (after is not None and day > after)]
            for day in old:
                self._path(day).unlink()
        return len(old)

    def _path(self, day: date) -> Path:
        return self.directory / f"{day.isoformat()}.parquet"

    def _write(self, connection: duckdb.DuckDBPyConnection, day: date) -> int:
        path = self._path(day)
        fresh = path.with_suffix(".new")
        identity = ", ".join(IDENTITY)
        sums = ", ".join(f"least(sum({name}), {MOST})::BIGINT AS {name}" for name in COUNTS)
        largest = ", ".join(f"max({name}) AS {name}" for name in COUNTS)
        # What was resolved first stays, because a later snapshot says nothing of then; what was not (arg_min passes
        # over NULL) is filled.
        holders = ", ".join(f"arg_min({name}, age) AS {name}" for name in ("client_asset", "server_asset"))
        added = (
            f"SELECT {identity}, {sums}, any_value(client_asset) AS client_asset,"
            " any_value(server_asset) AS server_asset, 1 AS age"
            f" FROM incoming WHERE first_seen::DATE = DATE '{day.isoformat()}' GROUP BY {identity}"
        )
        kept = f"SELECT *, 0 AS age FROM {parquet_list([path])}" if path.exists() else None
        before = connection.execute(f"SELECT count(*) FROM ({kept})").fetchall()[0][0] if kept else 0
        both = f"({kept} UNION ALL BY NAME {added})" if kept else f"({added})"
        merged = f"SELECT {identity}, {largest}, {holders} FROM {both} GROUP BY {identity}"
        try:
            connection.execute(
                f"COPY (SELECT {', '.join(COLUMNS)} FROM ({merged}) ORDER BY ALL) TO '{_quoted(fresh)}'"
                " (FORMAT parquet, COMPRESSION zstd)"
            )
            with fresh.open("rb") as file:
                os.fsync(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        after: int = connection.execute(f"SELECT count(*) FROM {parquet_list([path])}").fetchall()[0][0]
        return after - int(before)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with (self.directory / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise OutsideError(f"cannot be written: {error.strerror or error}", Place(str(self.directory))) from error


_TICK = timedelta(microseconds=1)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
