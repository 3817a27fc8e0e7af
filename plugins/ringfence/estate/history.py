"""What a workspace keeps of the past: dated snapshots of its assets, and the addresses that were accepted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ringfence.model.assets import Snapshot
    from ringfence.sources.claims import Claim
    from ringfence.sources.snapshot_heads import SnapshotHead
    from ringfence.sources.surveys import Survey

SNAPSHOTS = "snapshots"
FLOWS = "flows"
# Where the heads of the snapshots are kept.
INDEX = "snapshots.index"
NAME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class History:
    """The directory of a workspace's state, which need not exist."""

    state: Path

    @property
    def flows(self) -> Path:
        """Return the directory of the flow store."""
        return self.state / FLOWS

    def keep(self, snapshot: Snapshot, its_digest: str, now: datetime) -> bool:
        """Keep a snapshot of a digest, where it differs from the newest that is kept; return whether it does."""
        from ringfence.sources.snapshots import digest, read_snapshot, write_snapshot

        kept = self.until()
        if kept and digest(read_snapshot(kept[-1])) == its_digest:
            return False
        write_snapshot(self.state / SNAPSHOTS / f"{now.strftime(NAME)}.json", snapshot)
        return True

    def newest(self) -> Snapshot | None:
        """Return the newest kept snapshot, None if there is none."""
        from ringfence.sources.snapshots import read_snapshot

        kept = self.until()
        return read_snapshot(kept[-1]) if kept else None

    def until(self, time: datetime | None = None) -> list[Path]:
        """Return the files of the kept snapshots that were taken by a time, oldest first; all without one."""
        paths = sorted((self.state / SNAPSHOTS).glob("*.json"))
        return [path for path in paths if time is None or path.stem <= time.strftime(NAME)]

    def snapshots(self) -> list[Snapshot]:
        """Return the kept snapshots, oldest first."""
        from ringfence.sources.snapshots import read_snapshot

        return [read_snapshot(path) for path in self.until()]

    def heads(self) -> dict[Path, SnapshotHead]:
        """Return what lists say of the kept snapshots, oldest first, by file."""
        from ringfence.sources.snapshot_heads import snapshot_heads

        return snapshot_heads(self.state / INDEX, self.until())

    def accepted_claims(self) -> frozenset[Claim] | None:
        """Return the addresses that were accepted on their hosts' own word, None where nothing ever was."""
        from ringfence.sources.accepted import FILE, read_accepted

        return read_accepted(self.state / FILE)

    def accept(self, claims: Iterable[Claim], now: datetime) -> None:
        """Keep addresses as accepted by the person who asks."""
        from ringfence.sources.accepted import BY_A_PERSON, FILE, accept_claims

        accept_claims(self.state / FILE, claims, now, BY_A_PERSON)

    def with_first_claims(self, survey: Survey, now: datetime) -> tuple[Survey, str]:
        """Keep the addresses that hosts report when they are first asked.

        Return the survey, with a warning where that fails, and a sentence about what counts now.
        """
        from ringfence.model.errors import OutsideError
        from ringfence.model.problems import Problem, Severity
        from ringfence.sources.accepted import FILE, FIRST_GATHERING, accept_claims

        claims = survey.claims
        if not (claims.first and claims.gathered):
            return survey, ""
        try:
            accept_claims(self.state / FILE, claims.counted, now, FIRST_GATHERING)
        except OutsideError as error:
            problem = Problem(Severity.WARNING, f"{error.message}: the next gathering counts as the first", error.place)
            return replace(survey, problems=(*survey.problems, problem)), ""
        if not claims.counted:
            return survey, ""
        told = f"first gathering: addresses that only the hosts themselves tell count ({len(claims.counted)} in all)"
        return survey, f"{told}; ringfence assets claims lists them"


def host_addresses(snapshots: Sequence[Snapshot]) -> dict[str, frozenset[int]]:
    """Return the addresses (points) that each asset has in one of these snapshots: it can report flows of these.

    An asset is listed under every name that a source has for it; its own name takes precedence over other assets'
    names.
    """
    found: dict[str, set[int]] = {}
    other: dict[str, set[int]] = {}
    for snapshot in snapshots:
        for asset in snapshot.assets:
            found.setdefault(asset.name, set()).update(asset.addresses)
            for name in asset.also:
                other.setdefault(name, set()).update(asset.addresses)
    return {name: frozenset(addresses) for name, addresses in {**other, **found}.items()}
