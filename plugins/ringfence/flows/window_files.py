"""The files of a store that a window is made of, and which of their rows count: their statistics say where they can."""

# ruff: noqa: S608 - the SQL is put together from column names and paths of ours
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from ringfence.flows.columns import COLUMNS
from ringfence.flows.distinct import Known
from ringfence.flows.engine import Engine
from ringfence.flows.file_statistics import FileStatistics, statistics_of
from ringfence.flows.possible import EARLIEST, possible_rows
from ringfence.flows.reasons import GUESS
from ringfence.flows.records import PROCESSES
from ringfence.model.errors import OutsideError
from ringfence.model.flows import ANSWERED, REFUSED, UNANSWERED

# Batches, `2026-11-24.7.parquet` or `2026-11-24.vpc.7.parquet`, hold only what was found possible when it was added;
# a file a day may hold anything.
BATCH = re.compile(r"[^.]+(\.[a-z]\w*)?\.\d+\.parquet")
# Columns whose value is known without a look at them, where a file has one only.
_OUTCOMES = (ANSWERED, UNANSWERED, REFUSED)


@dataclass(frozen=True)
class Part:
    """Files that are read alike: `bounded` by the window's times, `doubtful` rows looked through for what cannot be."""

    name: str
    paths: tuple[Path, ...]
    bounded: bool
    doubtful: bool
    outcome: str | None


@dataclass(frozen=True)
class KeptFiles:
    """The files of a window; `bounds` is the SQL of its times, `possible` that of rows that can be.

    `rollups` are the files that tell the same in short, of files that are in the window with all of their rows.
    """

    parts: tuple[Part, ...]
    rollups: Mapping[Path, Path]
    bounds: str
    possible: str
    known: Known
    times: tuple[datetime, datetime] | None

    @staticmethod
    def of(
        connection: duckdb.DuckDBPyConnection,
        paths: Sequence[Path],
        since: datetime | None,
        until: datetime | None,
        latest: datetime | None,
        rollups: Mapping[Path, Path] | None = None,
    ) -> KeptFiles:
        """Look at the files' statistics; raises duckdb.Error where one is no Parquet file."""
        statistics = dict(zip(paths, statistics_of(connection, paths), strict=True))
        alike: dict[tuple[bool, bool, str | None], list[Path]] = {}
        for path, told in statistics.items():
            doubtful = latest is not None and not (BATCH.fullmatch(path.name) and told.between(EARLIEST, latest))
            outcome = told.constant.get("outcome")
            known = outcome if outcome in _OUTCOMES else None
            alike.setdefault((not told.within(since, until), doubtful, known), []).append(path)
        parts = tuple(
            Part(f"kept_{number}", tuple(found), bounded, doubtful, outcome)
            for number, ((bounded, doubtful, outcome), found) in enumerate(alike.items())
        )
        bounds = [f"last_seen >= {_timestamp(since)}"] if since else []
        bounds += [f"first_seen < {_timestamp(until)}"] if until else []
        every = list(statistics.values())
        whole = not any(part.bounded or part.doubtful for part in parts)
        entire = {path for part in parts if not (part.bounded or part.doubtful) for path in part.paths}
        return KeptFiles(
            parts,
            {path: rollup for path, rollup in (rollups or {}).items() if path in entire and rollup.is_file()},
            " AND ".join(bounds) or "true",
            possible_rows(latest) if latest else "true",
            Known(
                no_process=not any(told.filled.intersection(PROCESSES) for told in every),
                one_source=len({told.constant.get("source") for told in every} - {None}) == 1
                and all("source" in told.constant for told in every),
                no_guess=not any(told.may_be("direction_by", GUESS) for told in every),
            ),
            _span(every) if whole else None,
        )

    def make_views(self, engine: Engine) -> None:
        """Make the view `observed` on an engine, of one of each part."""
        self._make(engine, "observed", self.rollups)

    def make_recorded(self, engine: Engine) -> None:
        """Make the view `recorded` on an engine: every single observation, which no rollup has."""
        self._make(engine, "recorded", {})

    def _make(self, engine: Engine, name: str, rollups: Mapping[Path, Path]) -> None:
        for part in self.parts:
            engine.files(f"{name}_{part.name}_files", [rollups.get(path, path) for path in part.paths])
            columns = {column: column for column in COLUMNS}
            if part.outcome:
                columns["outcome"] = f"'{part.outcome}'"
            chosen = ", ".join(f"{value} AS {column}" for column, value in columns.items())
            where = self.bounds if part.bounded else "true"
            engine.view(f"{name}_{part.name}", f"SELECT {chosen} FROM {name}_{part.name}_files WHERE {where}")
        engine.view(
            name,
            " UNION ALL ".join(
                f"SELECT * FROM {name}_{part.name}{f' WHERE {self.possible}' if part.doubtful else ''}"
                for part in self.parts
            ),
        )

    def wrong(self, engine: Engine) -> int:
        """Return how many rows of the window cannot be."""
        doubtful = " UNION ALL ".join(
            f"SELECT client FROM observed_{part.name} WHERE NOT ({self.possible})"
            for part in self.parts
            if part.doubtful
        )
        if not doubtful:
            return 0
        ((count,),) = engine.rows(f"SELECT count(*) AS wrong FROM ({doubtful}) AS doubtful")
        return int(str(count))


def _span(every: Sequence[FileStatistics]) -> tuple[datetime, datetime] | None:
    firsts = [told.first[0] for told in every if told.first is not None]
    lasts = [told.last[1] for told in every if told.last is not None]
    if len(firsts) < len(every) or len(lasts) < len(every):
        return None
    return _EPOCH + timedelta(microseconds=min(firsts)), _EPOCH + timedelta(microseconds=max(lasts))


def _timestamp(time: datetime) -> str:
    return f"TIMESTAMP '{time.astimezone(UTC).replace(tzinfo=None).isoformat(' ')}'"


_EPOCH = datetime(1970, 1, 1)


@contextmanager
def reading_files() -> Iterator[None]:
    """Turn what DuckDB says of a file it cannot read or write into an OutsideError."""
    try:
        yield
    except duckdb.Error as error:
        raise OutsideError(
            f"the flows cannot be read or written: {str(error).splitlines()[0]}",
            remedy="make room on a full disk; 'ringfence flows forget --damaged' goes on without damaged files",
        ) from error
