"""What a workspace keeps of the past: dated snapshots of its assets, and the tables that its hosts hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.model.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ringfence.cli.session import Session
    from ringfence.model.assets import Snapshot
    from ringfence.model.tables import VerdictTable
    from ringfence.plan import Held

SNAPSHOTS = "snapshots"
NAME = "%Y%m%dT%H%M%SZ"


def keep_snapshot(session: Session) -> None:
    """Keep the assets as they are now, where they differ from the newest that is kept."""
    from ringfence.sources.snapshots import digest, read_snapshot, write_snapshot

    kept = _paths(session)
    if not kept or digest(read_snapshot(kept[-1])) != digest(session.snapshot):
        directory = session.workspace.state / SNAPSHOTS
        write_snapshot(directory / f"{session.now.strftime(NAME)}.json", session.snapshot)


def newest_kept(session: Session) -> Snapshot | None:
    """Return the newest snapshot that is kept, None where there is none."""
    from ringfence.sources.snapshots import read_snapshot

    kept = _paths(session)
    return read_snapshot(kept[-1]) if kept else None


def kept_until(session: Session, time: datetime | None = None) -> list[Path]:
    """Return the files of the kept snapshots that were taken by a time, oldest first; all without one."""
    return [path for path in _paths(session) if time is None or path.stem <= time.strftime(NAME)]


def kept_snapshots(session: Session) -> list[Snapshot]:
    """Return the kept snapshots and the assets of now, oldest first: who held an address when."""
    from ringfence.sources.snapshots import read_snapshot

    return [*(read_snapshot(path) for path in _paths(session)), session.snapshot]


def host_addresses(session: Session) -> dict[str, frozenset[int]]:
    """Return the addresses (points) that each asset holds, or held in a kept snapshot: what it can report flows of.

    An asset is there by every name that a source has for it; its own name wins over what another is called too.
    """
    found: dict[str, set[int]] = {}
    other: dict[str, set[int]] = {}
    for snapshot in kept_snapshots(session):
        for asset in snapshot.assets:
            found.setdefault(asset.name, set()).update(asset.addresses)
            for name in asset.also:
                other.setdefault(name, set()).update(asset.addresses)
    return {name: frozenset(addresses) for name, addresses in {**other, **found}.items()}


def held_tables(session: Session, held: dict[str, Held]) -> dict[str, VerdictTable]:
    """Return the tables that hosts hold now, by name; raises InputError where a plan that has one is gone."""
    from ringfence.plan.store import table_text
    from ringfence.plan.table_reading import table_of

    known: dict[str, VerdictTable] = {}
    found: dict[str, VerdictTable] = {}
    for name, one in held.items():
        if not one.table:
            continue
        if one.table not in known:
            text = table_text(session.workspace.plans, one.table)
            if text is None:
                raise InputError(
                    f"{name} holds table {one.table[:12]}…, and no plan in {session.workspace.plans} has it",
                    remedy="bring that plan's directory back; the diff and the simulation need it",
                )
            known[one.table] = table_of(text)
        found[name] = known[one.table]
    return found


def _paths(session: Session) -> list[Path]:
    from ringfence.workspace import STATE

    return sorted((session.directory / STATE / SNAPSHOTS).glob("*.json"))
