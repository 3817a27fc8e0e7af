"""What a list says of kept snapshots, from an index that saves reading them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.file_heads import file_heads


@dataclass(frozen=True, slots=True)
class SnapshotHead:
    """When a snapshot was taken (ISO), and how many assets it has.

    With how many of them only a silent source knew, the digest of what a policy can depend on, and the file's bytes.
    """

    taken: str
    assets: int
    stale: int
    digest: str
    size: int


def snapshot_heads(index: Path, files: Sequence[Path]) -> dict[Path, SnapshotHead]:
    """Return the heads of snapshots by file. Raise InputError for one that cannot be read."""
    found = file_heads(index, {path.name: path for path in files}, SnapshotHead, _head)
    return {path: found[path.name] for path in files}


def _head(path: Path) -> SnapshotHead:
    from ringfence.sources.snapshots import digest, read_snapshot
    from ringfence.sources.stale_sources import is_stale

    snapshot = read_snapshot(path)
    return SnapshotHead(
        taken=snapshot.taken.isoformat(),
        assets=len(snapshot.assets),
        stale=sum(is_stale(asset) for asset in snapshot.assets),
        digest=digest(snapshot),
        size=path.stat().st_size,
    )
