"""The store of flows: Parquet files by day in batches, with a ledger of them, written and read with DuckDB.

An observation is what a source said of one flow in one span of time: its source, both ends, port, protocol, processes,
first and last time. Adding it again changes nothing; where the counts differ, the larger stay. A file that was added
already adds nothing, and one that grew brings all of its flows anew.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from ringfence.files import lock_file
from ringfence.flows.batches import compacted, incoming, write_day
from ringfence.flows.damage import Damage, set_aside
from ringfence.flows.database import database, delete_left
from ringfence.flows.engine import Engine
from ringfence.flows.gathering import SightingReader
from ringfence.flows.ledger import FILE, ROLLUPS, SIGHTINGS, Content, Ledger, Origin, day_of, now
from ringfence.flows.reading import Reading
from ringfence.flows.relation import relation_of
from ringfence.flows.shared_ends import ambiguous
from ringfence.flows.sighting_days import SightingDays
from ringfence.flows.sighting_files import NewFiles, add_files
from ringfence.flows.store_counts import Added
from ringfence.flows.told_twice import leave_recorded
from ringfence.flows.window import FlowWindow
from ringfence.flows.window_files import reading_files
from ringfence.model.assets import Snapshot
from ringfence.model.errors import OutsideError, Place, file_error
from ringfence.model.flows import Flow
from ringfence.model.safe_text import clean_line


class FlowStore:
    """Flows under one directory (`.ringfence/flows` of a workspace): `2026-11-24.7.parquet` is of a day (UTC)."""

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory)

    def add(self, flows: Iterable[Flow], snapshots: Sequence[Snapshot] = ()) -> Added:
        """Keep flows, each under the day of its first time, both ends resolved by the snapshot of then.

        The ledger is replaced at the end, so a reader and a crash see all of them or none. Adders wait for each other.
        """
        with self.alone():
            return self._add(Ledger.load(self.directory), lambda connection: relation_of(connection, flows), snapshots)

    def add_file(self, path: Path, flows_format: str, reading: Reading, snapshots: Sequence[Snapshot] = ()) -> Added:
        """Keep the flows of a file or directory, as `add` does. The same content adds nothing.

        Where a file has grown since it was added, what it brought then is replaced.
        """
        from ringfence.flows.readers import reader, relation

        if isinstance(sensor := reader(flows_format), SightingReader):
            return self.add_sightings([(path, reading)], sensor, flows_format, snapshots)[0]

        def read(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
            return relation(connection, path, flows_format, reading)

        with self.alone():
            ledger = Ledger.load(self.directory)
            if not path.is_file() or path.parent == Path("/dev") or reading.since or reading.until:
                return self._add(ledger, read, snapshots)
            read_as = f"{flows_format} {reading.fields}".strip()
            place = str(path.resolve())
            known = [one for one in ledger.origins if one.read_as == read_as]
            try:
                content = Content.of(path, [one.size for one in known if one.path == place])
            except OSError as error:
                raise file_error(error, path) from error
            if same := next((one for one in known if one.digest == content.digest), None):
                return Added(same.flows, 0, tuple(map(date.fromisoformat, same.days)), 1)
            grown = [one for one in known if one.path == place and content.beginnings.get(one.size) == one.digest]
            bad = reading.bad
            origin = Origin(
                grown[0].number if grown else ledger.next, place, read_as, content.digest, content.size, 0, ()
            )
            # what could not be read is to be said each time
            return self._add(ledger, read, snapshots, origin, lambda: reading.bad == bad, grown)

    def add_sightings(
        self,
        chosen: Sequence[tuple[Path, Reading]],
        reader: SightingReader,
        flows_format: str,
        snapshots: Sequence[Snapshot] = (),
    ) -> list[Added]:
        """Keep what sensors saw, of files and directories folded together with all that the store has of the days.

        A file whose content was added adds nothing; one that has grown replaces what it brought. Of several, one that
        cannot be read goes to its reading; a single one is raised.
        """
        with self.alone(), reading_files(), database(self.directory) as connection:
            ledger = Ledger.load(self.directory).tidied(self.directory, now())
            adding = SightingDays(connection, self.directory, reader.SOURCE, ledger)
            files = [NewFiles.of(path, ledger, flows_format, reading, len(chosen) > 1) for path, reading in chosen]
            return add_files(adding, reader, files, snapshots)

    def _add(
        self,
        ledger: Ledger,
        read: Callable[[duckdb.DuckDBPyConnection], duckdb.DuckDBPyRelation],
        snapshots: Sequence[Snapshot],
        origin: Origin | None = None,
        whole: Callable[[], bool] = lambda: True,
        grown: Sequence[Origin] = (),
    ) -> Added:
        with reading_files(), database(self.directory) as connection:
            number = origin.number if origin else None
            flows, days = incoming(connection, read(connection), snapshots, number)
            told_ends = ambiguous(connection)
            before = {date.fromisoformat(day) for one in grown for day in one.days}
            ledger = replace(ledger.tidied(self.directory, now()), next=max(ledger.next, (number or 0) + 1))
            twice = leave_recorded(connection, self.directory, ledger, days)
            fresh = 0
            for day in sorted({*days, *before}):
                ledger, new = write_day(connection, self.directory, ledger, day, number if day in before else None)
                ledger = compacted(connection, self.directory, ledger, day)
                fresh += new
            if origin is not None:
                others = tuple(one for one in ledger.origins if one.number != origin.number)
                told = replace(origin, flows=flows, days=tuple(day.isoformat() for day in days))
                ledger = replace(ledger, origins=(*others, told) if whole() else others)
            ledger.save(self.directory)
        return Added(flows, fresh, tuple(days), ambiguous=told_ends, twice=twice)

    def days(self) -> tuple[date, ...]:
        """Return the days that the store has flows of, in order."""
        return tuple(Ledger.load(self.directory).days(self.directory))

    def window(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        latest: datetime | None = None,
        engine: Engine | None = None,
    ) -> FlowWindow:
        """Return the flows seen at any time from `since` (included) to `until` (not included).

        With `latest`, flows that cannot be are left out, such as those seen after it, and counted in `wrong`. `engine`
        answers the heavy questions; None is DuckDB.
        """
        # A flow lies in the files of its first day and may last, so older files belong to the window too; DuckDB skips
        # what in them ended before `since` by the files' statistics.
        ledger = Ledger.load(self.directory)
        files = ledger.days(self.directory)
        last = None if until is None else (until - _TICK).astimezone(UTC).date()
        paths = [self.directory / name for day, names in files.items() if last is None or day <= last for name in names]
        rollups = {self.directory / name: self.directory / ROLLUPS / name for name in ledger.rollups}
        return FlowWindow.of_files(paths, since, until, latest, engine, rollups)

    def forget(self, before: date, after: date | None = None) -> int:
        """Delete the days before a day, and those after another, and return how many there were.

        A file that brought flows of those days can be added again.
        """

        def is_old(day: date) -> bool:
            return day < before or (after is not None and day > after)

        with self.alone():
            ledger = Ledger.load(self.directory)
            files = ledger.days(self.directory)
            old = {day for day in files if is_old(day)}
            gone = {day.isoformat() for day in old}
            kept = tuple(one for one in ledger.origins if gone.isdisjoint(one.days))
            if old:
                names = [name for day in old for name in files[day]]
                names += [name for name in ledger.sightings if day_of(name) in old]
                replace(ledger.without(names, now()), origins=kept).save(self.directory)
            # also those that were replaced before: they are to be gone now, whoever reads them
            for below in (self.directory, self.directory / SIGHTINGS, self.directory / ROLLUPS):
                for path in [path for path in below.glob("????-??-??*.parquet") if is_old(day_of(path.name))]:
                    path.unlink(missing_ok=True)
        return len(old)

    def set_damaged_aside(
        self, listeners: Collection[tuple[str, int, int]] = (), snapshots: Sequence[Snapshot] = ()
    ) -> Damage:
        """Go on without the files that are damaged or gone, and return which they are and what to add again."""
        with self.alone(), database(self.directory) as connection:
            ledger = Ledger.load(self.directory)
            with reading_files():
                ledger, damage = set_aside(connection, self.directory, ledger, listeners, snapshots)
            if damage.names:
                ledger.save(self.directory)
        return damage

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the store's lock: adders wait for each other. Raise OutsideError where it cannot be written."""
        try:
            str(self.directory).encode()
        except UnicodeEncodeError as error:
            place = Place(clean_line(str(self.directory)))
            raise OutsideError("flows cannot be kept where a name is no UTF-8: rename the directory", place) from error
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with lock_file(self.directory / ".lock") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                delete_left(self.directory)
                self._begin()
                try:
                    yield
                except BaseException:
                    self._delete_unfinished()
                    raise
        except OSError as error:
            raise OutsideError(f"cannot be written: {error.strerror or error}", Place(str(self.directory))) from error

    def _begin(self) -> None:
        """Give a new store its ledger: without one what a first add that fails has written would count."""
        if not (self.directory / FILE).exists() and next(self.directory.rglob("*.parquet"), None) is None:
            Ledger().save(self.directory)

    def _delete_unfinished(self) -> None:
        """Delete what an add that failed has written: a disk that is full should have its room back."""
        with suppress(OSError, OutsideError):
            Ledger.load(self.directory).tidied(self.directory, now())


_TICK = timedelta(microseconds=1)
