"""What a workspace keeps of the past: dated snapshots of its assets, and the tables that its hosts hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ringfence.cli.session import Session
    from ringfence.model.assets import Snapshot
    from ringfence.model.tables import VerdictTable
    from ringfence.plan import Held
    from ringfence.sources.claims import Claim
    from ringfence.sources.inventory import Survey

SNAPSHOTS = "snapshots"
NAME = "%Y%m%dT%H%M%SZ"


def keep_snapshot(session: Session) -> None:
    """Keep the assets as they are now, where they differ from the newest that is kept."""
    from ringfence.sources.snapshots import digest, read_snapshot, write_snapshot

    kept = _paths(session)
    if not kept or digest(read_snapshot(kept[-1])) != digest(session.snapshot):
        directory = session.workspace.state / SNAPSHOTS
        write_snapshot(directory / f"{session.now.strftime(NAME)}.json", session.snapshot)


def accepted_claims(session: Session) -> frozenset[Claim] | None:
    """Return the addresses that were accepted on their hosts' own word, None where nothing ever was."""
    from ringfence.sources.accepted import FILE, read_accepted

    return read_accepted(session.workspace.state / FILE)


def accept_waiting(session: Session, claims: Iterable[Claim]) -> None:
    """Keep addresses as accepted by the person who asks."""
    from ringfence.sources.accepted import BY_A_PERSON, FILE, accept_claims

    accept_claims(session.workspace.state / FILE, claims, session.now, BY_A_PERSON)


def with_first_claims(session: Session, survey: Survey) -> Survey:
    """Keep the addresses that hosts tell when first asked; return the survey, with a warning where that fails."""
    from ringfence.model.errors import OutsideError
    from ringfence.model.problems import Problem, Severity
    from ringfence.sources.accepted import FILE, FIRST_GATHERING, accept_claims

    claims = survey.claims
    if not (claims.first and claims.gathered):
        return survey
    try:
        accept_claims(session.workspace.state / FILE, claims.counted, session.now, FIRST_GATHERING)
    except OutsideError as error:
        problem = Problem(Severity.WARNING, f"{error.message}: the next gathering counts as the first", error.place)
        return replace(survey, problems=(*survey.problems, problem))
    if claims.counted:
        told = f"first gathering: addresses that only the hosts themselves tell count ({len(claims.counted)} in all)"
        told += "; ringfence assets claims lists them"
        session.output.note(told, style="yellow")
    return survey


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
    """Return the tables that hosts hold now, by name.

    A host that holds one which no plan here has is named in a warning and left out: its plan was made elsewhere, its
    directory is gone, or the host does not say the truth.
    """
    from ringfence.model.problems import Problem, Severity, some_names
    from ringfence.plan.store import table_text
    from ringfence.plan.table_reading import table_of

    known: dict[str, VerdictTable | None] = {}
    found: dict[str, VerdictTable] = {}
    unknown: list[str] = []
    for name, one in sorted(held.items()):
        if not one.table:
            continue
        if one.table not in known:
            text = table_text(session.workspace.plans, one.table)
            known[one.table] = None if text is None else table_of(text)
        table = known[one.table]
        if table is None:
            unknown.append(name)
        else:
            found[name] = table
    if unknown:
        message = f"{some_names(unknown)}: no plan in {session.workspace.plans} has the table that is held there"
        remedy = "the diff and the simulation take such a host as open; with that plan's directory they would know"
        session.output.problems([Problem(Severity.WARNING, message, remedy=remedy)], err=True)
    return found


def _paths(session: Session) -> list[Path]:
    from ringfence.workspace import STATE

    return sorted((session.directory / STATE / SNAPSHOTS).glob("*.json"))
