"""Files of sightings on their way into a store: which are new, which have grown, which were added before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from pathlib import Path

from ringfence.flows.gathering import SightingReader, gather, is_whole
from ringfence.flows.ledger import Content, Ledger, Origin
from ringfence.flows.reading import Reading
from ringfence.flows.sighting_days import SightingDays
from ringfence.flows.store_counts import Added
from ringfence.flows.text_lines import files_below
from ringfence.model.assets import Snapshot
from ringfence.model.errors import InputError, Place, file_error

# Files are hashed by so many threads: that lets go of the interpreter.
_THREADS = 4
# So many bytes of files are read before their records are written, so that memory does not grow with their number.
_AT_ONCE = 1 << 27


@dataclass
class NewFiles:
    """The files of one path that a store has not had, with their content, and those that it had (`known`).

    `several` says that a file that cannot be read costs itself alone.
    """

    reading: Reading
    read_as: str
    several: bool
    found: dict[Path, Content] = field(default_factory=dict)
    known: list[Origin] = field(default_factory=list)
    numbers: dict[Path, int] = field(default_factory=dict)

    @staticmethod
    def of(path: Path, ledger: Ledger, flows_format: str, reading: Reading, several: bool) -> NewFiles:
        """Look at the files of a path. Raise InputError or OutsideError where one cannot be read and is alone."""
        files = NewFiles(reading, f"{flows_format} {' '.join(reading.fields)}".strip(), several or path.is_dir())
        same = {one.digest: one for one in ledger.origins if one.read_as == files.read_as}
        sizes: dict[str, list[int]] = {}
        for one in same.values():
            sizes.setdefault(one.path, []).append(one.size)
        with ThreadPoolExecutor(_THREADS) as pool:
            paths = files_below(path, reading)
            contents = pool.map(lambda one: files._content(one, sizes), paths)
            for file, content in zip(paths, contents, strict=True):
                if content is None:
                    continue
                if origin := same.get(content.digest):
                    files.known.append(origin)
                else:
                    files.found[file] = content
        return files

    def _content(self, path: Path, sizes: Mapping[str, list[int]]) -> Content | None:
        try:
            return Content.of(path, sizes.get(self.reading.name_of(path), ()))
        except OSError as error:
            said = file_error(error, path)
            if not self.several:
                raise said from error
            self.reading.reject(InputError(said.message, remedy=said.remedy), said.place or Place(str(path)))
            return None

    def grown(self, ledger: Ledger) -> Iterator[Origin]:
        """Yield what was added of these files when they were shorter."""
        for path, content in self.found.items():
            for one in ledger.origins:
                if (
                    one.path == self.reading.name_of(path)
                    and one.read_as == self.read_as
                    and content.beginnings.get(one.size) == one.digest
                ):
                    yield one

    def portions(self) -> Iterator[dict[Path, int]]:
        """Yield the files with their numbers, so many at once as are to be read together."""
        portion: dict[Path, int] = {}
        size = 0
        for path, number in self.numbers.items():
            portion[path] = number
            size += self.found[path].size
            if size >= _AT_ONCE:
                yield portion
                portion, size = {}, 0
        if portion:
            yield portion


def add_files(
    adding: SightingDays, reader: SightingReader, chosen: Sequence[NewFiles], snapshots: Sequence[Snapshot]
) -> list[Added]:
    """Add the records of files to a store, fold the days that change and write the ledger."""
    grown = [one for files in chosen for one in files.grown(adding.ledger)]
    if grown:
        days = {date.fromisoformat(day) for one in grown for day in one.days}
        adding.take_back([one.number for one in grown], sorted(days))
    first = number = adding.ledger.next
    for files in chosen:
        digests: set[str] = set()
        for path, content in files.found.items():
            if content.digest not in digests:
                files.numbers[path] = number
                number += 1
                digests.add(content.digest)
        adding.ledger = replace(adding.ledger, next=number)
    for files in chosen:
        for portion in files.portions():
            table = gather(adding.connection, reader, portion, files.reading, several=files.several)
            adding.keep(table)
    listeners = frozenset(chain.from_iterable(files.reading.listeners for files in chosen))
    told = adding.fold(listeners, snapshots, whole=is_whole(reader), first=first)
    gone = {one.number for one in grown}
    origins = [one for one in adding.ledger.origins if one.number not in gone]
    added: list[Added] = []
    for files in chosen:
        origins += _origins(files, adding.days, told.flows)
        own = files.numbers.values()
        flows, new = (sum(counts.get(one, 0) for one in own) for counts in (told.flows, told.new))
        days = {day for one in own for day in adding.days.get(one, ())}
        days |= {date.fromisoformat(day) for one in files.known for day in one.days}
        files.reading.read += flows
        records = sum(adding.records.get(one, 0) for one in own)
        told_ends, twice = ((), ()) if added else (told.ambiguous, told.twice)
        added.append(Added(flows, new, tuple(sorted(days)), len(files.known), told_ends, records, twice))
    adding.ledger = replace(adding.ledger, origins=tuple(origins))
    adding.ledger.save(adding.directory)
    return added


def _origins(files: NewFiles, days: Mapping[int, set[date]], flows: Mapping[int, int]) -> Iterator[Origin]:
    """Yield what the ledger says of files. What could not be read whole is to be read, and told, each time."""
    for path, number in files.numbers.items():
        if path not in files.reading.faulty:
            content = files.found[path]
            of_days = tuple(day.isoformat() for day in sorted(days.get(number, ())))
            place = files.reading.name_of(path)
            yield Origin(number, place, files.read_as, content.digest, content.size, flows.get(number, 0), of_days)
