"""The files of a store that a window is made of, and which of their rows count: their statistics say where they can."""

# ruff: noqa: S608 - the SQL is put together from column names and paths of ours
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
    """The files of a window; `bounds` is the SQL of its times, `possible` that of rows that can be."""

    parts: tuple[Part, ...]
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
        return KeptFiles(
            parts,
            " AND ".join(bounds) or "true",
            possible_rows(latest) if latest else "true",
            Known(
                no_process=not any(told.filled.intersection(PROCESSES) for told in every),
                one_source=len({told.constant.get("source") for told in every} - {None}) == 1
                and all("source" in told.constant for told in every),
            ),
            _span(every) if whole else None,
        )

    def make_views(self, engine: Engine) -> None:
        """Make the view `observations` on an engine, of one of each part."""
        for part in self.parts:
            engine.files(f"{part.name}_files", part.paths)
            columns = {**{name: name for name in COLUMNS}, **({"outcome": f"'{part.outcome}'"} if part.outcome else {})}
            chosen = ", ".join(f"{value} AS {name}" for name, value in columns.items())
            where = self.bounds if part.bounded else "true"
            engine.view(part.name, f"SELECT {chosen} FROM {part.name}_files WHERE {where}")
        engine.view(
            "observations",
            " UNION ALL ".join(
                f"SELECT * FROM {part.name}{f' WHERE {self.possible}' if part.doubtful else ''}" for part in self.parts
            ),
        )

    def wrong(self, engine: Engine) -> int:
        """Return how many rows of the window cannot be."""
        doubtful = " UNION ALL ".join(
            f"SELECT client FROM {part.name} WHERE NOT ({self.possible})" for part in self.parts if part.doubtful
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
