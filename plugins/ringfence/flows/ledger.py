"""The ledger of a store: which batch files count, which files they came from, and what is to be deleted later.

What the ledger does not name is not there: a crash before it is written leaves files that nothing reads.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ringfence.files import regular_file, write_whole
from ringfence.model.errors import OutsideError, Place
from ringfence.model.safe_text import clean_line

FILE = "ledger.json"
# Records lie apart from flows, so that other programs may read all Parquet files of the store's directory as flows.
SIGHTINGS = "sightings"
# So do rollups, each under the name of its batch.
ROLLUPS = "rollups"
BATCH = re.compile(rf"(?:{SIGHTINGS}/)?(\d{{4}}-\d{{2}}-\d{{2}})(?:\.([a-z]\w*))?\.(\d+)\.parquet")
WHOLE_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})\.parquet")
# A reader that began before a file was replaced may still read it.
KEPT_FOR = timedelta(hours=1)
BLOCK = 1 << 20
REPLACES = "replaces"  # the key of a batch file's metadata that names the files it stands for


@dataclass(frozen=True, slots=True)
class Origin:
    """A file that was added: its content (sha256, bytes), how it was read, its flows and the days that these lie in.

    `number` is what its observations carry in the batches.
    """

    number: int
    path: str
    read_as: str
    digest: str
    size: int
    flows: int
    days: tuple[str, ...]


@dataclass(frozen=True)
class Ledger:
    """`batches` are the rows of each batch file, `replaced` since when a file counts no more.

    `sightings` are the rows of the files of records; the flows of a day that are folded from those of one source are
    one batch, whose name has the source. `rollups` are the rows of the rollups that batches have.
    """

    batches: Mapping[str, int] = field(default_factory=dict)
    sightings: Mapping[str, int] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()
    replaced: Mapping[str, str] = field(default_factory=dict)
    next: int = 1
    rollups: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def load(directory: Path) -> Ledger:
        """Return the ledger of a store. A store without one counts every file that is there, batches with 0 rows.

        Raise OutsideError where it is damaged.
        """
        path = directory / FILE
        try:
            data = json.loads(regular_file(path))
            origins = tuple(Origin(**{**one, "days": tuple(one["days"])}) for one in data["origins"])
            sightings = dict(data.get("sightings", {}))
            batches, rollups = dict(data["batches"]), dict(data.get("rollups", {}))
            read = Ledger(batches, sightings, origins, dict(data["replaced"]), int(data["next"]), rollups)
            read._check()
        except FileNotFoundError:
            return Ledger._found(directory)
        except OSError as error:
            raise OutsideError(f"cannot be read: {error.strerror or error}", Place(str(path))) from error
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise OutsideError(
                f"is not a valid ledger of flows: {error}",
                Place(str(path)),
                remedy="delete it: every file of the store counts then, and what is added again is still counted once",
            ) from error
        return read

    def _check(self) -> None:
        """Raise ValueError or TypeError for what no ledger of ours says."""
        for name in (*self.batches, *self.sightings, *self.replaced, *self.rollups):
            if not (BATCH.fullmatch(name) or WHOLE_DAY.fullmatch(name)):
                raise ValueError(f"{clean_line(name)[:80]} is no name of a file of a store")
            day_of(name)
        if not set(self.rollups) <= set(self.batches):
            raise ValueError("a rollup is of no batch")
        numbers = (one.number for one in self.origins)
        for rows in (*self.batches.values(), *self.sightings.values(), *self.rollups.values(), *numbers):
            if type(rows) is not int or rows < 0:
                raise ValueError("a count is no number")
        for since in self.replaced.values():
            if datetime.fromisoformat(since).tzinfo is None:
                raise ValueError("a time has no zone")
        for one in self.origins:
            if not all(isinstance(text, str) for text in (one.path, one.read_as, one.digest)):
                raise ValueError("a file that was added has no name")
            for day in one.days:
                date.fromisoformat(day)

    @staticmethod
    def _found(directory: Path) -> Ledger:
        """Return what the files of a store say themselves: all count but those that another one replaces."""
        found = {name: int(match[3]) for name in _names(directory) if (match := BATCH.fullmatch(name))}
        gone = _replaced([directory / name for name in found])
        counting = dict.fromkeys((name for name in sorted(found) if name not in gone), 0)
        return Ledger(
            {name: 0 for name in counting if not name.startswith(SIGHTINGS)},
            {name: 0 for name in counting if name.startswith(SIGHTINGS)},
            next=max(found.values(), default=0) + 1,
        )

    def save(self, directory: Path) -> None:
        """Replace the ledger in one step."""
        data = {
            "format": 1,
            "next": self.next,
            "batches": dict(sorted(self.batches.items())),
            "sightings": dict(sorted(self.sightings.items())),
            "rollups": dict(sorted(self.rollups.items())),
            "origins": [{name: getattr(one, name) for name in Origin.__slots__} for one in self.origins],
            "replaced": dict(sorted(self.replaced.items())),
        }
        write_whole(directory / FILE, json.dumps(data, indent=1) + "\n")

    def days(self, directory: Path) -> dict[date, list[str]]:
        """Return the names of the files that count by day, those of the older form (a file a day) among them."""
        found: dict[date, list[str]] = {}
        whole = (name for name in _names(directory) if WHOLE_DAY.fullmatch(name))
        for name in sorted([*(name for name in whole if name not in self.replaced), *self.batches]):
            found.setdefault(day_of(name), []).append(name)
        return dict(sorted(found.items()))

    def sightings_of(self, day: date, source: str) -> list[str]:
        """Return the names of the files with a day's records of a source, sorted."""
        return sorted(name for name in self.sightings if day_of(name) == day and source_of(name) == source)

    def folded(self, day: date, source: str) -> str | None:
        """Return the name of the batch with the flows that a day's records of a source are folded into."""
        return next((name for name in self.batches if day_of(name) == day and source_of(name) == source), None)

    def with_batch(self, day: date, rows: int, source: str = "") -> tuple[Ledger, str]:
        """Return the ledger with one batch more, of flows folded from a source's records where one is given."""
        name = f"{day.isoformat()}.{f'{source}.' if source else ''}{self.next}.parquet"
        return replace(self, batches={**self.batches, name: rows}, next=self.next + 1), name

    def with_sightings(self, day: date, rows: int, source: str) -> tuple[Ledger, str]:
        """Return the ledger with one file of records more, and its name."""
        name = f"{SIGHTINGS}/{day.isoformat()}.{source}.{self.next}.parquet"
        return replace(self, sightings={**self.sightings, name: rows}, next=self.next + 1), name

    def counted(self, name: str, rows: int) -> Ledger:
        """Return the ledger with the rows of a file of it; one without rows is not in it."""
        batches, sightings = (
            {one: rows if one == name else count for one, count in kind.items() if one != name or rows}
            for kind in (self.batches, self.sightings)
        )
        return replace(self, batches=batches, sightings=sightings)

    def with_rollup(self, name: str, rows: int) -> Ledger:
        """Return the ledger with the rollup of a batch."""
        return replace(self, rollups={**self.rollups, name: rows})

    def without_rollups(self, names: Iterable[str]) -> Ledger:
        """Return the ledger without the rollups of some batches, which count themselves from then on."""
        gone = set(names)
        return replace(self, rollups={name: rows for name, rows in self.rollups.items() if name not in gone})

    def without(self, names: Iterable[str], now: datetime) -> Ledger:
        """Return the ledger without some files, which are deleted when nobody reads them any more."""
        gone = dict.fromkeys(names, now.isoformat())
        rollups = self.without_rollups(gone).rollups
        batches = {name: rows for name, rows in self.batches.items() if name not in gone}
        sightings = {name: rows for name, rows in self.sightings.items() if name not in gone}
        replaced = {**self.replaced, **gone}
        return replace(self, batches=batches, sightings=sightings, replaced=replaced, rollups=rollups)

    def tidied(self, directory: Path, now: datetime) -> Ledger:
        """Delete what was replaced long ago and what a crash left behind; return the ledger without them."""
        old = [name for name, since in self.replaced.items() if datetime.fromisoformat(since) < now - KEPT_FOR]
        known = {*self.batches, *self.sightings, *self.replaced}
        for name in _names(directory):
            left = name.endswith(".new") or (BATCH.fullmatch(name) and name not in known)
            if name in old or left:
                (directory / name).unlink(missing_ok=True)
        for path in (directory / ROLLUPS).glob("*"):
            ours = path.name.endswith(".new") or BATCH.fullmatch(path.name)
            if ours and path.name not in self.rollups and (path.name not in self.replaced or path.name in old):
                path.unlink(missing_ok=True)
        return replace(self, replaced={name: since for name, since in self.replaced.items() if name not in old})


@dataclass(frozen=True, slots=True)
class Content:
    """A file's content: its digest and size, and the digests of its beginnings of some sizes."""

    digest: str
    size: int
    beginnings: Mapping[int, str]

    @staticmethod
    def of(path: Path, sizes: Iterable[int]) -> Content:
        """Return the content of a file. Raise OSError."""
        whole = hashlib.sha256()
        beginnings: dict[int, str] = {}
        waiting = sorted(set(sizes))
        size = 0
        with path.open("rb") as file:
            while block := file.read(min(BLOCK, waiting[0] - size) if waiting else BLOCK):
                whole.update(block)
                size += len(block)
                if waiting and size == waiting[0]:
                    beginnings[waiting.pop(0)] = whole.hexdigest()
        return Content(whole.hexdigest(), size, beginnings)


def _names(directory: Path) -> list[str]:
    """Return the names of the files of a store, those of records below their directory, sorted."""
    return sorted(
        str(path.relative_to(directory))
        for below in (directory, directory / SIGHTINGS)
        if below.is_dir()
        for path in below.iterdir()
        if path.is_file()
    )


def _replaced(paths: Iterable[Path]) -> set[str]:
    """Return the names of the files that others say to stand for."""
    import duckdb

    found: set[str] = set()
    for path in paths:
        query = "SELECT value::VARCHAR FROM parquet_kv_metadata(?) WHERE key::VARCHAR = ?"
        # a damaged file says nothing, and is named when it is read
        with suppress(duckdb.Error):
            found |= {
                name for (names,) in duckdb.execute(query, [str(path), REPLACES]).fetchall() for name in names.split()
            }
    return found


def day_of(name: str) -> date:
    """Return the day that a file of the store is of."""
    return date.fromisoformat(name.removeprefix(f"{SIGHTINGS}/")[:10])


def source_of(name: str) -> str:
    """Return the source whose records a file of the store holds or is folded from, empty for one of flows as said."""
    match = BATCH.fullmatch(name)
    return (match[2] or "") if match else ""


def now() -> datetime:
    """Return the time that a file is replaced at."""
    return datetime.now(UTC)
