"""What the statistics of Parquet files say of their flows, so that a window need not look at every row for it."""

# ruff: noqa: S608 - the SQL is put together from column names and paths of ours
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb

from ringfence.flows.engine import file_list
from ringfence.flows.records import PROCESSES

# Longer texts may be cut off in statistics (DuckDB writes none for them, other writers a part).
WHOLE = 32


@dataclass(frozen=True, slots=True)
class FileStatistics:
    """The times of a file's flows, the one value of columns that have one, and the columns that have values.

    `ranges` are the least and the greatest value of columns, `first` and `last` those of first and last times, in
    microseconds since 1970. What the file does not say is absent: None, not in `constant` or `ranges`, or in `filled`.
    """

    first: tuple[int, int] | None
    last: tuple[int, int] | None
    constant: Mapping[str, str]
    filled: frozenset[str]
    ranges: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def may_be(self, column: str, value: str) -> bool:
        """Return whether a column may have a value in any row."""
        low, high = self.ranges.get(column, (value, value))
        return column in self.filled and low <= value <= high

    def within(self, since: datetime | None, until: datetime | None) -> bool:
        """Return whether every flow ended not before `since` and began before `until`."""
        return (since is None or (self.last is not None and self.last[0] >= _microseconds(since))) and (
            until is None or (self.first is not None and self.first[1] < _microseconds(until))
        )

    def between(self, earliest: datetime, latest: datetime) -> bool:
        """Return whether every flow began not before one time and ended not after another."""
        if self.first is None or self.last is None:
            return False
        return self.first[0] >= _microseconds(earliest) and max(self.first[1], self.last[1]) <= _microseconds(latest)


def statistics_of(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> list[FileStatistics]:
    """Return what each file says of itself; raises duckdb.Error where one is no Parquet file."""
    low, high = "coalesce(stats_min_value, stats_min)", "coalesce(stats_max_value, stats_max)"
    time = "path_in_schema IN ('first_seen', 'last_seen')"
    rows = connection.execute(
        f"SELECT file_name, path_in_schema, min({low}) AS low, max({high}) AS high,"
        f" min({_MICROSECONDS.format(low)}) FILTER ({time}), max({_MICROSECONDS.format(high)}) FILTER ({time}),"
        # none of the row groups is silent
        f" count({low}) = count(*) AND count({high}) = count(*) AND bool_and(coalesce(stats_null_count = 0, false)),"
        f" bool_and({time} AND {_MICROSECONDS.format(low)} IS NOT NULL AND {_MICROSECONDS.format(high)} IS NOT NULL),"
        " bool_and(coalesce(stats_null_count = num_values, false)),"
        # a row group of nothing but null has no bounds
        f" bool_and(coalesce(stats_null_count = num_values, false) OR {low} IS NOT NULL AND {high} IS NOT NULL)"
        f" FROM parquet_metadata([{file_list(paths)}])"
        " WHERE path_in_schema IN (SELECT unnest(?::VARCHAR[])) GROUP BY 1, 2",
        [["first_seen", "last_seen", "source", "outcome", "direction_by", *PROCESSES]],
    ).fetchall()
    found: dict[str, dict[str, _Told]] = {}
    for file, column, *told in rows:
        found.setdefault(file, {})[column] = _Told(*told)
    return [_of(found.get(str(path), {})) for path in paths]


class _Told(NamedTuple):
    low: str | None
    high: str | None
    earliest: int | None
    latest: int | None
    whole: bool
    timed: bool
    empty: bool
    bounded: bool


def _of(columns: Mapping[str, _Told]) -> FileStatistics:
    constant = {
        name: one.low
        for name, one in columns.items()
        if one.whole and one.low is not None and one.low == one.high and len(one.low) < WHOLE
    }
    filled = frozenset(name for name, one in columns.items() if not one.empty)
    ranges = {
        name: (one.low, one.high)
        for name, one in columns.items()
        if one.bounded and one.low is not None and one.high is not None and max(len(one.low), len(one.high)) < WHOLE
    }
    times = _times(columns.get("first_seen")), _times(columns.get("last_seen"))
    return FileStatistics(*times, constant, filled, ranges)


def _times(told: _Told | None) -> tuple[int, int] | None:
    if told is None or not (told.whole and told.timed) or told.earliest is None or told.latest is None:
        return None
    return told.earliest, told.latest


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = "try(epoch_us(try_cast({} AS TIMESTAMP)))"
