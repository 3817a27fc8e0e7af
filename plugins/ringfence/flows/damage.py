"""Files of a store that are damaged or gone: set aside, so that the rest can be read, and what is lost with them."""

# ruff: noqa: S608 - the SQL is put together from paths of ours
from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from ringfence.flows.engine import file_list
from ringfence.flows.gathering import SightingReader, is_whole
from ringfence.flows.ledger import ROLLUPS, SIGHTINGS, Ledger, Origin, day_of, now, source_of
from ringfence.flows.readers import reader
from ringfence.flows.sighting_days import SightingDays
from ringfence.model.assets import Snapshot

DAMAGED = ".damaged"


@dataclass(frozen=True, slots=True)
class Damage:
    """Names of files that were set aside, and the paths of what has to be added again for nothing to be lost.

    Flows that were folded from records are folded from them anew, and are not lost.
    """

    names: tuple[str, ...]
    add_again: tuple[str, ...]


def set_aside(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    ledger: Ledger,
    listeners: Collection[tuple[str, int, int]],
    snapshots: Sequence[Snapshot],
) -> tuple[Ledger, Damage]:
    """Rename the files that cannot be read to `NAME.damaged`; return the ledger without them, and what they were."""
    counting = [*(name for names in ledger.days(directory).values() for name in names), *ledger.sightings]
    damaged = [name for name in counting if not _whole(connection, directory / name)]
    for name in damaged:
        path = directory / name
        if path.exists():
            path.replace(path.with_name(path.name + DAMAGED))
    torn = [name for name in ledger.rollups if not _whole(connection, directory / ROLLUPS / name)]
    for name in torn:
        (directory / ROLLUPS / name).unlink(missing_ok=True)
    ledger = ledger.without_rollups(torn)
    # what can be folded anew is not lost with its file
    lost = {
        (source_of(name), day_of(name).isoformat())
        for name in damaged
        if name.startswith(SIGHTINGS) or not source_of(name)
    }
    sources = {source_of(name) for name in ledger.sightings}

    def is_lost(origin: Origin) -> bool:
        kind = origin.read_as.partition(" ")[0]
        return any((kind if kind in sources else "", day) in lost for day in origin.days)

    again = [one for one in ledger.origins if is_lost(one)]
    kept = tuple(one for one in ledger.origins if one not in again)
    ledger = replace(ledger.without(damaged, now()), origins=kept)
    for source in sorted({source for name in damaged if (source := source_of(name))}):
        sensor = reader(source)
        whole = isinstance(sensor, SightingReader) and is_whole(sensor)
        days = SightingDays(connection, directory, source, ledger)
        days.touched |= {day_of(name) for name in damaged if source_of(name) == source}
        for day in days.touched:
            if before := days.ledger.folded(day, source):
                days.ledger = days.ledger.without([before], now())
        days.fold(listeners, snapshots, whole=whole, first=ledger.next)
        ledger = days.ledger
    return ledger, Damage(
        tuple(sorted((*damaged, *(f"{ROLLUPS}/{name}" for name in torn)))), tuple(sorted({one.path for one in again}))
    )


def _whole(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Return whether every row of a file can be read."""
    try:
        connection.execute(f"SELECT bit_xor(hash(t)) FROM read_parquet([{file_list([path])}]) t").fetchall()
    except duckdb.Error:
        return False
    return True
