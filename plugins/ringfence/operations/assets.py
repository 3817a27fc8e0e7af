"""Assets: found by words, kept and compared as snapshots, accepted as sources and hosts say them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.estate.queries import QueryReader
from ringfence.model.errors import InputError
from ringfence.operations.flow_selection import time_of
from ringfence.sources.merging import contradictions
from ringfence.sources.snapshots import SnapshotDifference, difference, read_snapshot, write_snapshot
from ringfence.sources.stale_sources import is_stale

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.assets import Asset, Snapshot
    from ringfence.sources.claims import Claim
    from ringfence.sources.snapshot_heads import SnapshotHead

NOW = "now"
LAST = "last"


@dataclass(frozen=True, slots=True)
class Compared:
    """Two snapshots and what differs between them."""

    before: Snapshot
    after: Snapshot
    difference: SnapshotDifference


@dataclass(frozen=True, slots=True)
class KeptSnapshot:
    """The file that keeps a snapshot, and what lists say of it."""

    file: Path
    head: SnapshotHead

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        head = self.head
        return {
            "id": self.file.stem,
            "file": str(self.file),
            "taken": head.taken,
            "assets": head.assets,
            "stale": head.stale,
            "digest": head.digest,
            "bytes": head.size,
        }


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was accepted: assets that are gone, and addresses that count now on their hosts' own word."""

    assets: Sequence[Asset]
    gone: Sequence[str]
    claims: Sequence[Claim]


def find_assets(estate: Estate, words: Sequence[str]) -> tuple[Asset, ...]:
    """Return the assets that all words mean."""
    return QueryReader(estate.workspace.definitions, estate.snapshot).assets(words)


def compare(estate: Estate, before: str = LAST, after: str = NOW) -> Compared:
    """Return what differs between two snapshots: each a file, a time, `last` or `now`."""
    one, other = _snapshot(estate, before), _snapshot(estate, after)
    return Compared(one, other, difference(one, other))


def kept_snapshots(estate: Estate) -> list[KeptSnapshot]:
    """Return the snapshots that are kept, oldest first."""
    return [KeptSnapshot(path, head) for path, head in estate.history.heads().items()]


def keep(estate: Estate, output: Path | None = None) -> Snapshot:
    """Keep the assets as they are now, in the workspace or in a file; return them."""
    if output is None:
        estate.keep_snapshot()
    else:
        write_snapshot(output, estate.snapshot, named=True)
    return estate.snapshot


def accept(estate: Estate) -> Accepted:
    """Accept the current inventory: assets that only a silent source named go, and hosts' new addresses count."""
    before = estate.history.newest()
    waiting = estate.survey(fresh=True, silent_stay=False).claims.waiting
    if waiting:
        estate.history.accept(waiting, estate.now)
        estate.survey(fresh=True, silent_stay=False)
    estate.keep_snapshot()
    gone = sorted(set(before.named()) - set(estate.snapshot.named())) if before else []
    return Accepted(estate.snapshot.assets, gone, waiting)


def claims(estate: Estate) -> list[tuple[Claim, str, str]]:
    """Return the addresses that only their hosts report, sorted.

    Each comes with what becomes of it (`counts`, `waits`, `another's`) and who holds it.
    """
    found = estate.survey().claims
    rows = [(claim, "counts", "") for claim in found.counted]
    rows += [(claim, "waits", "") for claim in found.waiting]
    rows += [(claim, "another's", holder) for claim, holder in found.others]
    return sorted(rows)


def contradicted(estate: Estate) -> list[tuple[str, str, Sequence[tuple[str, object]]]]:
    """Return where the sources of one machine disagree: asset, attribute, and the value of each source."""
    return [(asset.name, *one) for asset in estate.snapshot.assets for one in contradictions(asset)]


def stale_count(chosen: Sequence[Asset]) -> int:
    """Return how many assets only a silent source knew."""
    return sum(is_stale(asset) for asset in chosen)


def _snapshot(estate: Estate, text: str) -> Snapshot:
    """Return the snapshot that a word means: a file, a time, `last` or `now`."""
    if text == NOW:
        return estate.snapshot
    path = Path(text)
    if path.suffix == ".json" or path.is_file():
        return read_snapshot(path)
    kept = estate.history.until(None if text == LAST else time_of(text, estate.now))
    if not kept:
        when = "" if text == LAST else f" that was taken by {text}"
        raise InputError(f"no snapshot{when} is kept", remedy="keep one: ringfence assets keep; plan does so too")
    return read_snapshot(kept[-1])
