"""`ringfence assets`: find assets, say where their labels came from, keep and compare their snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringfence.cli.looked_at import time_of
from ringfence.cli.session import Session, command
from ringfence.cli.words import WordsOrCommand
from ringfence.model.counts import counted
from ringfence.model.errors import InputError

if TYPE_CHECKING:
    from ringfence.model.assets import Asset, Snapshot

LISTING = "list"
NOW = "now"
LAST = "last"


@click.group("assets", cls=WordsOrCommand, otherwise=LISTING)
def assets() -> None:
    """List or find assets: ringfence assets [WORD]...

    WORDs narrow them, and all must hold: a selector (role=web,env=prod|dev, {not: {role: web}}), 10.0.0.0/8, tcp/5432,
    a name, a part of a name or label, any text.
    """


@command(LISTING, group=assets)
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--explain", is_flag=True, help="Say where each asset and each of its labels came from.")
def listing(session: Session, words: tuple[str, ...], explain: bool) -> None:
    """List assets; WORDs narrow them: role=web,env=prod, 10.0.0.0/8, tcp/5432, a part of a name or label, any text."""
    from ringfence.cli.asking import Asking
    from ringfence.cli.assets_shown import asset_data, explained, rows

    snapshot = session.snapshot
    chosen = Asking(session.workspace, snapshot).assets(words)
    rules = session.workspace.label_rules
    if session.output.as_json:
        session.output.data([asset_data(asset, rules if explain else None) for asset in chosen])
        return
    if explain:
        for asset in chosen:
            for line in explained(asset, rules):
                session.output.line(line)
    else:
        session.output.problems(session.survey.problems)
        session.output.table(("asset", "addresses", "labels", "enforced by"), rows(chosen))
    session.output.line(f"{len(chosen)} of {len(snapshot.assets)} assets")


@command("diff", group=assets)
@click.argument("before", default=LAST)
@click.argument("after", default=NOW)
def diff(session: Session, before: str, after: str) -> None:
    """Compare two snapshots: by default the newest that is kept (last) with the assets of now.

    BEFORE and AFTER are files, times (7d, 2026-11-24), 'last' or 'now'.
    """
    from ringfence.sources.snapshots import difference

    one, other = _snapshot(session, before), _snapshot(session, after)
    found = difference(one, other)
    if session.output.as_json:
        session.output.data(
            {
                "before": one.taken.isoformat(),
                "after": other.taken.isoformat(),
                "added": list(found.added),
                "removed": list(found.removed),
                "changed": [
                    {"asset": change.asset, "field": change.field, "before": change.before, "after": change.after}
                    for change in found.changed
                ],
            }
        )
        return
    session.output.line(f"{one.taken:%Y-%m-%d %H:%M} to {other.taken:%Y-%m-%d %H:%M} UTC", bold=True)
    for name in found.added:
        session.output.line(f"+ {name}", style="green")
    for name in found.removed:
        session.output.line(f"- {name}", style="red")
    for change in found.changed:
        said = f"{change.before or 'nothing'} → {change.after or 'nothing'}"
        session.output.line(f"~ {change.asset}  {change.field}: {said}", style="yellow")
    changed = len({change.asset for change in found.changed})
    session.output.line(f"{len(found.added)} came, {len(found.removed)} went, {changed} changed")


@command("snapshots", group=assets)
def snapshots(session: Session) -> None:
    """List the snapshots that are kept; flows are judged by the one of their time."""
    from ringfence.cli.kept import kept_until
    from ringfence.sources.snapshots import digest, read_snapshot

    paths = kept_until(session)
    read = [(path, read_snapshot(path)) for path in paths]
    if session.output.as_json:
        session.output.data(
            [
                {
                    "file": str(path),
                    "taken": one.taken.isoformat(),
                    "assets": len(one.assets),
                    "stale": _stale(one.assets),
                    "digest": digest(one),
                }
                for path, one in read
            ]
        )
        return
    session.output.table(
        ("taken (UTC)", "#assets", "#stale", "file"),
        ((f"{one.taken:%Y-%m-%d %H:%M:%S}", len(one.assets), _stale(one.assets), path) for path, one in read),
    )


@command("keep", group=assets)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file instead.")
def keep(session: Session, output: Path | None) -> None:
    """Keep a snapshot of the assets as they are now; plan and flows do so by themselves."""
    from ringfence.cli.kept import keep_snapshot
    from ringfence.sources.snapshots import write_snapshot

    if output is None:
        keep_snapshot(session)
    else:
        write_snapshot(output, session.snapshot)
    if session.output.as_json:
        session.output.data({"assets": len(session.snapshot.assets), "stale": _stale(session.snapshot.assets)})
    session.output.line(f"{counted(len(session.snapshot.assets), 'asset')} kept")


@command("accept", group=assets)
def accept(session: Session) -> None:
    """Believe sources and hosts as they are: what only a silent source named goes, and hosts' new addresses count."""
    from ringfence.cli.kept import accept_waiting, keep_snapshot, newest_kept

    before = newest_kept(session)
    session.survey = session.look(None)
    waiting = session.survey.claims.waiting
    if waiting:
        accept_waiting(session, waiting)
        session.survey = session.look(None)
    keep_snapshot(session)
    gone = sorted(set(before.named()) - set(session.snapshot.named())) if before else []
    if session.output.as_json:
        addresses = [{"host": claim.host, "address": claim.address} for claim in waiting]
        told = {"addresses": addresses} if waiting else {}
        session.output.data({"assets": len(session.snapshot.assets), "gone": gone, **told})
    session.output.line(
        f"{counted(len(session.snapshot.assets), 'asset')} kept, {len(gone)} gone: {', '.join(gone) or 'none'}"
    )
    for claim in waiting:
        session.output.line(f"{claim.host} has {claim.address}", style="yellow")


@command("claims", group=assets)
def claims(session: Session) -> None:
    """List the addresses that hosts alone say they have: what counts, what waits for 'accept', what is another's."""
    found = session.survey.claims
    rows = [(claim, "counts", "") for claim in found.counted]
    rows += [(claim, "waits", "") for claim in found.waiting]
    rows += [(claim, "another's", holder) for claim, holder in found.others]
    if session.output.as_json:
        session.output.data(
            [
                {"host": claim.host, "address": claim.address, "state": state, "holder": holder or None}
                for claim, state, holder in sorted(rows)
            ]
        )
        return
    session.output.table(
        ("host", "address", "state", "held by"),
        ((claim.host, claim.address, state, holder) for claim, state, holder in sorted(rows)),
    )
    session.output.line(f"{counted(len(rows), 'address', 'addresses')}, of which {len(found.counted)} count")


@command("contradictions", group=assets)
def contradicted(session: Session) -> None:
    """List what the sources of one machine say differently; the first one counts."""
    from ringfence.cli.assets_shown import value_text
    from ringfence.sources.merging import contradictions

    found = [(asset.name, *one) for asset in session.snapshot.assets for one in contradictions(asset)]
    if session.output.as_json:
        session.output.data(
            [
                {
                    "asset": name,
                    "attribute": attribute,
                    "said": [{"source": source, "value": value} for source, value in said],
                }
                for name, attribute, said in found
            ]
        )
        return
    session.output.table(
        ("asset", "attribute", "source", "says"),
        ((name, attribute, source, value_text(value)) for name, attribute, said in found for source, value in said),
    )
    session.output.line(counted(len(found), "contradiction"))


def _snapshot(session: Session, text: str) -> Snapshot:
    """Return the snapshot that a word means: a file, a time, `last` or `now`."""
    from ringfence.cli.kept import kept_until
    from ringfence.sources.snapshots import read_snapshot

    if text == NOW:
        return session.snapshot
    path = Path(text)
    if path.suffix == ".json" or path.is_file():
        return read_snapshot(path)
    kept = kept_until(session, None if text == LAST else time_of(text, session.now))
    if not kept:
        when = "" if text == LAST else f" that was taken by {text}"
        raise InputError(f"no snapshot{when} is kept", remedy="keep one: ringfence assets keep; plan does so too")
    return read_snapshot(kept[-1])


def _stale(chosen: Sequence[Asset]) -> int:
    from ringfence.sources.silence import is_stale

    return sum(is_stale(asset) for asset in chosen)
