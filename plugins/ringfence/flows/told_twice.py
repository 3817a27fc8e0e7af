"""Flows that a file says for a sensor whose own records are kept too: counted once, whichever came first.

`flows read --json` prints flows as `flows add` folds them from a log, with the log's source. A flow of that source
between the same ends, within the span of one that is folded from records, is the same.
"""

# ruff: noqa: S608 - the SQL is put together from column names and paths of ours
from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb

from ringfence.flows.batches import write_batch
from ringfence.flows.engine import parquet_list, quoted
from ringfence.flows.ledger import Ledger, now, source_of
from ringfence.model.counts import counted
from ringfence.wire.first_few import first_few

_SAME = (
    "r.client = {0}.client AND r.server = {0}.server AND r.protocol = {0}.protocol AND r.source = {0}.source"
    " AND r.port IS NOT DISTINCT FROM {0}.port AND r.first_seen <= {0}.first_seen AND r.last_seen >= {0}.last_seen"
)


def leave_recorded(
    connection: duckdb.DuckDBPyConnection, directory: Path, ledger: Ledger, days: Iterable[date]
) -> tuple[str, ...]:
    """Delete from the table `incoming` what is folded from kept records; return a note of it for each source."""
    told: dict[str, int] = {}
    for day in days:
        names = [name for name in ledger.days(directory).get(day, []) if source_of(name)]
        if not names:
            continue
        recorded = parquet_list([directory / name for name in names])
        same = f"EXISTS (SELECT 1 FROM {recorded} r WHERE {_SAME.format('incoming')})"
        same += f" AND first_seen::DATE = DATE '{day.isoformat()}'"
        counts = f"SELECT source, count(*) FROM incoming WHERE {same} GROUP BY source"
        found = dict(connection.execute(counts).fetchall())
        if found:
            connection.execute(f"DELETE FROM incoming WHERE {same}")
        for source, count in found.items():
            told[source] = told.get(source, 0) + count
    return tuple(
        f"{counted(count, 'flow')} of the source {source} {'is' if count == 1 else 'are'} kept already,"
        f" from {_files(ledger, source)}: counted once"
        for source, count in sorted(told.items())
    )


def without_recorded(
    connection: duckdb.DuckDBPyConnection, directory: Path, ledger: Ledger, day: date, source: str
) -> tuple[Ledger, int, set[str]]:
    """Return the ledger of a store whose day has no flow twice that is folded from a source's records.

    Beside it, how many flows went, and from which files they had come.
    """
    plain = [name for name in ledger.days(directory).get(day, []) if not source_of(name)]
    folded = ledger.folded(day, source)
    if not plain or folded is None:
        return ledger, 0, set()
    said = parquet_list([directory / name for name in plain])
    recorded = parquet_list([directory / folded])
    twice = f"k.source = {quoted(source)} AND EXISTS (SELECT 1 FROM {recorded} r WHERE {_SAME.format('k')})"
    query = f"SELECT origin, count(*) FROM {said} k WHERE {twice} GROUP BY origin"
    found = connection.execute(query).fetchall()
    if not found:
        return ledger, 0, set()
    ledger, name = ledger.without(plain, now()).with_batch(day, 0)
    kept = f"SELECT * FROM {said} k WHERE NOT coalesce({twice}, false)"
    rows = write_batch(
        connection, directory, name, f"{kept} ORDER BY client, server, port, protocol, first_seen, last_seen", plain
    )
    numbers = {origin for origin, _ in found}
    files = {one.path for one in ledger.origins if one.number in numbers}
    return ledger.counted(name, rows), sum(count for _, count in found), files


def note_of(count: int, source: str, files: Iterable[str]) -> str:
    """Return what is said of flows that went because their records came."""
    were = first_few(sorted(files)) or "another file"
    return f"{counted(count, 'flow')} of the source {source} had come from {were}: counted once, from here"


def _files(ledger: Ledger, source: str) -> str:
    found = sorted({one.path for one in ledger.origins if one.read_as.partition(" ")[0] == source})
    return first_few(found) or "its records"
