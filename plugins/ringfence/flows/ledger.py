"""The ledger of a store: which batch files count, which files they came from, and what is to be deleted later.

What the ledger does not name is not there: a crash before it is written leaves files that nothing reads.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ringfence.files import write_whole
from ringfence.model.errors import OutsideError, Place

FILE = "ledger.json"
BATCH = re.compile(r"(\d{4}-\d{2}-\d{2})\.(\d+)\.parquet")
WHOLE_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})\.parquet")
# A reader that began before a file was replaced may still read it.
KEPT_FOR = timedelta(hours=1)
BLOCK = 1 << 20


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
    """`batches` are the rows of each batch file, `replaced` since when a file counts no more."""

    batches: Mapping[str, int] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()
    replaced: Mapping[str, str] = field(default_factory=dict)
    next: int = 1

    @staticmethod
    def load(directory: Path) -> Ledger:
        """Return the ledger of a store. A store without one counts every file that is there, batches with 0 rows.

        Raise OutsideError where it is damaged.
        """
        path = directory / FILE
        try:
            data = json.loads(path.read_text())
            origins = tuple(Origin(**{**one, "days": tuple(one["days"])}) for one in data["origins"])
            return Ledger(dict(data["batches"]), origins, dict(data["replaced"]), int(data["next"]))
        except FileNotFoundError:
            found = {
                one.name: int(one_match[2]) for one in _files(directory) if (one_match := BATCH.fullmatch(one.name))
            }
            return Ledger(dict.fromkeys(sorted(found), 0), next=max(found.values(), default=0) + 1)
        except (ValueError, KeyError, TypeError) as error:
            raise OutsideError(
                f"is not a valid ledger of flows: {error}",
                Place(str(path)),
                remedy="delete it: every file of the store counts then, and what is added again is still counted once",
            ) from error

    def save(self, directory: Path) -> None:
        """Replace the ledger in one step."""
        data = {
            "format": 1,
            "next": self.next,
            "batches": dict(sorted(self.batches.items())),
            "origins": [{name: getattr(one, name) for name in Origin.__slots__} for one in self.origins],
            "replaced": dict(sorted(self.replaced.items())),
        }
        write_whole(directory / FILE, json.dumps(data, indent=1) + "\n")

    def days(self, directory: Path) -> dict[date, list[str]]:
        """Return the names of the files that count by day, those of the older form (a file a day) among them."""
        found: dict[date, list[str]] = {}
        whole = (one.name for one in _files(directory) if WHOLE_DAY.fullmatch(one.name))
        for name in sorted([*(name for name in whole if name not in self.replaced), *self.batches]):
            found.setdefault(day_of(name), []).append(name)
        return dict(sorted(found.items()))

    def with_batch(self, day: date, rows: int) -> tuple[Ledger, str]:
        """Return the ledger with one batch more, and its name."""
        name = f"{day.isoformat()}.{self.next}.parquet"
        return replace(self, batches={**self.batches, name: rows}, next=self.next + 1), name

    def without(self, names: Iterable[str], now: datetime) -> Ledger:
        """Return the ledger without some files, which are deleted when nobody reads them any more."""
        gone = dict.fromkeys(names, now.isoformat())
        batches = {name: rows for name, rows in self.batches.items() if name not in gone}
        return replace(self, batches=batches, replaced={**self.replaced, **gone})

    def tidied(self, directory: Path, now: datetime) -> Ledger:
        """Delete what was replaced long ago and what a crash left behind; return the ledger without them."""
        old = [name for name, since in self.replaced.items() if datetime.fromisoformat(since) < now - KEPT_FOR]
        for path in _files(directory):
            left = path.suffix == ".new" or (
                BATCH.fullmatch(path.name) and path.name not in self.batches and path.name not in self.replaced
            )
            if path.name in old or left:
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


def _files(directory: Path) -> Iterator[Path]:
    return iter(sorted(directory.iterdir())) if directory.is_dir() else iter(())


def day_of(name: str) -> date:
    """Return the day that a file of the store is of."""
    return date.fromisoformat(name[:10])


def now() -> datetime:
    """Return the time that a file is replaced at."""
    return datetime.now(UTC)
