"""What sensors saw, kept record by record, and the flows of a day that are folded from it.

A record may come today and the other end's, the answer or the next minute's tomorrow: the flows of a day are folded
anew from all of its records, for those pairs of ends that a new record speaks of.
"""

# ruff: noqa: S608 - the SQL is put together from column names and paths of ours
from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import duckdb

from ringfence.flows.batches import write_batch
from ringfence.flows.columns import COLUMNS
from ringfence.flows.connections import FOLDED, fold
from ringfence.flows.engine import file_list, parquet_list
from ringfence.flows.holders import resolved
from ringfence.flows.ledger import Ledger, now
from ringfence.flows.relation import new_table
from ringfence.flows.shared_ends import ambiguous
from ringfence.flows.sightings import SIGHTINGS
from ringfence.flows.told_twice import note_of, without_recorded
from ringfence.model.assets import Snapshot

# So many batches of records may a day have; beyond it the smaller half of them becomes one.
MOST_BATCHES = 8
_PAIRS = {"day": "DATE", "a": "VARCHAR", "b": "VARCHAR", "protocol": "UTINYINT"}
_SORTED = "client, server, port, protocol, outcome, attributes, first_seen"
_SAME = ("client", "server", "port", "protocol", "outcome", "attributes")


@dataclass(frozen=True, slots=True)
class Told:
    """What files told: flows by the number of the last file that has a record of each, and how many of them are new."""

    flows: dict[int, int]
    new: dict[int, int]
    ambiguous: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()


@dataclass
class SightingDays:
    """The records of one source in a store while some are added; `ledger` is what it is to become."""

    connection: duckdb.DuckDBPyConnection
    directory: Path
    source: str
    ledger: Ledger
    days: dict[int, set[date]] = field(default_factory=dict)
    records: dict[int, int] = field(default_factory=dict)
    touched: set[date] = field(default_factory=set)
    _pairs: str = ""

    def __post_init__(self) -> None:
        """Make the table of the pairs of ends whose flows change."""
        self._pairs = new_table(self.connection, _PAIRS)

    def keep(self, sightings: str) -> None:
        """Write a table of sightings as batches by day, and drop it; `days` and `records` tell of each of its files."""
        days = f"SELECT origin, first::DATE, count(*) FROM {sightings} GROUP BY ALL"
        found: set[date] = set()
        for origin, day, rows in self.connection.execute(days).fetchall():
            self.days.setdefault(origin, set()).add(day)
            self.records[origin] = self.records.get(origin, 0) + rows
            found.add(day)
        self._touch(f"SELECT * FROM {sightings}")
        for day in sorted(found):
            of_day = f"SELECT {', '.join(SIGHTINGS)} FROM {sightings} WHERE first::DATE = DATE '{day.isoformat()}'"
            self._write(day, of_day)
        self.connection.execute(f"DROP TABLE {sightings}")

    def take_back(self, origins: Collection[int], days: Iterable[date]) -> None:
        """Write batches of some days anew, without the records of some files."""
        for day in days:
            names = self.ledger.sightings_of(day, self.source)
            if not names:
                continue
            of_them = f"origin IN ({', '.join(map(str, origins))})"
            records = self._records(names)
            self._touch(f"SELECT * FROM {records} WHERE {of_them}")
            self._write(day, f"SELECT * FROM {records} WHERE NOT {of_them}", names)

    def fold(
        self, listeners: Collection[tuple[str, int, int]], snapshots: Sequence[Snapshot], *, whole: bool, first: int
    ) -> Told:
        """Fold the days that changed anew and write their flows; `first` is the least number of a file that came."""
        flows = new_table(self.connection, FOLDED)
        for day in sorted(self.touched):
            if not (names := self.ledger.sightings_of(day, self.source)):
                continue
            records = self._records(names)
            if self.ledger.folded(day, self.source):
                records += f" r SEMI JOIN {self._pairs} p ON {_of_pair('r.src', 'r.dst', day)}"
            table = new_table(self.connection, SIGHTINGS)
            self.connection.execute(f"INSERT INTO {table} SELECT * FROM {records}")
            found = fold(self.connection, table, self.source, listeners, whole=whole)
            self.connection.execute(f"INSERT INTO {flows} SELECT * FROM {found}")
            for done in (table, found):
                self.connection.execute(f"DROP TABLE {done}")
        ends = f"{flows}_resolved"
        self.connection.execute(f"CREATE TEMP TABLE {ends} AS {resolved(self.connection, flows, snapshots)}")
        told = Told({}, {}, ambiguous(self.connection))
        twice, said_by = 0, set[str]()
        for day in sorted(self.touched):
            self._write_flows(day, ends, first, told)
            self._compact(day)
            self.ledger, count, files = without_recorded(self.connection, self.directory, self.ledger, day, self.source)
            twice, said_by = twice + count, said_by | files
        return replace(told, twice=(note_of(twice, self.source, said_by),)) if twice else told

    def _write_flows(self, day: date, flows: str, first: int, told: Told) -> None:
        """Write the flows of a day: those of pairs that changed as they are now, the others as they were."""
        before = self.ledger.folded(day, self.source)
        now_flows = f"(SELECT * FROM {flows} WHERE first_seen::DATE = DATE '{day.isoformat()}')"
        columns = ", ".join(COLUMNS)
        query = f"SELECT {columns}, NULL::UINTEGER AS origin FROM {now_flows}"
        seen = f"SELECT origin, false AS known FROM {now_flows}"
        if before:
            old = parquet_list([self.directory / before])
            rest = f"SELECT k.* FROM {old} k ANTI JOIN {self._pairs} p ON {_of_pair('k.client', 'k.server', day, 'k')}"
            # What was resolved to an asset stays so: a later snapshot says nothing of then.
            kept = ", ".join(f"coalesce(k.{name}, n.{name}) AS {name}" for name in ("client_asset", "server_asset"))
            same = " AND ".join(f"n.{name} IS NOT DISTINCT FROM k.{name}" for name in _SAME)
            query = (
                f"SELECT n.* REPLACE ({kept}, NULL::UINTEGER AS origin) FROM {now_flows} n LEFT JOIN {old} k ON {same}"
                f" UNION ALL BY NAME {rest}"
            )
            seen = f"SELECT n.origin, k.client IS NOT NULL AS known FROM {now_flows} n LEFT JOIN {old} k ON {same}"
        counts = f"SELECT origin, count(*), count(*) FILTER (NOT known) FROM ({seen}) WHERE origin >= {first}"
        for origin, flows_told, new in self.connection.execute(f"{counts} GROUP BY origin").fetchall():
            told.flows[origin] = told.flows.get(origin, 0) + flows_told
            told.new[origin] = told.new.get(origin, 0) + new
        replaced = [before] if before else []
        self.ledger, name = self.ledger.without(replaced, now()).with_batch(day, 0, self.source)
        chosen = f"SELECT {columns}, origin FROM ({query})"
        rows = write_batch(self.connection, self.directory, name, f"{chosen} ORDER BY {_SORTED}", replaced)
        self.ledger = self.ledger.counted(name, rows)

    def _compact(self, day: date) -> None:
        names = self.ledger.sightings_of(day, self.source)
        if len(names) > MOST_BATCHES:
            small = sorted(names, key=self.ledger.sightings.__getitem__)[: len(names) - MOST_BATCHES // 2]
            self._write(day, f"SELECT * FROM {self._records(small)}", small)

    def _write(self, day: date, query: str, replaced: Sequence[str] = ()) -> None:
        self.touched.add(day)
        self.ledger, name = self.ledger.without(replaced, now()).with_sightings(day, 0, self.source)
        rows = write_batch(self.connection, self.directory, name, query, replaced)
        self.ledger = self.ledger.counted(name, rows)

    def _records(self, names: Iterable[str]) -> str:
        files = file_list(self.directory / name for name in names)
        return f"(SELECT {', '.join(SIGHTINGS)} FROM read_parquet([{files}]))"

    def _touch(self, sightings: str) -> None:
        self.connection.execute(
            f"INSERT INTO {self._pairs} SELECT DISTINCT first::DATE, least(src, dst), greatest(src, dst), protocol"
            f" FROM ({sightings})"
        )


def _of_pair(one: str, other: str, day: date, alias: str = "r") -> str:
    """Return the condition that a row is of a pair of ends of a day."""
    return (
        f"p.day = DATE '{day.isoformat()}' AND p.a = least({one}, {other}) AND p.b = greatest({one}, {other})"
        f" AND p.protocol = {alias}.protocol"
    )
