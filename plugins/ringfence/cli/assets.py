"""`ringfence assets`: find assets, say where their labels came from, keep and compare their snapshots."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence.cli.default_group import LISTING, DefaultGroup
from ringfence.cli.session import Session, command
from ringfence.cli.snapshots import listing as kept_snapshots
from ringfence.model.asset_events import MOST
from ringfence.model.counts import counted


@click.group("assets", cls=DefaultGroup, otherwise=LISTING)
def assets() -> None:
    """List or find assets: ringfence assets [WORD]...

    WORDs narrow them, and all must hold: a selector (role=web,env=prod|dev, {not: {role: web}}), 10.0.0.0/8, tcp/5432,
    a name, a part of a name or label, any text.
    """


@command(LISTING, group=assets, question=True)
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--explain", is_flag=True, help="Say where each asset and each of its labels came from.")
def listing(session: Session, words: tuple[str, ...], explain: bool) -> None:
    """List assets; WORDs narrow them: role=web,env=prod, 10.0.0.0/8, tcp/5432, a part of a name or label, any text."""
    from ringfence.operations.assets import find_assets
    from ringfence.presenting.asset_view import COLUMNS, asset_data, explained, rows

    chosen = find_assets(session.estate, words)
    rules = session.estate.workspace.label_rules
    if session.output.as_json:
        session.output.data([asset_data(asset, rules if explain else None) for asset in chosen])
        return
    if explain:
        for asset in chosen:
            for line in explained(asset, rules):
                session.output.line(line)
    else:
        session.output.problems(session.estate.survey().problems)
        session.output.table(COLUMNS, rows(chosen))
    session.output.line(f"{len(chosen)} of {len(session.estate.snapshot.assets)} assets")


@command("diff", group=assets)
@click.argument("before", default="last")
@click.argument("after", default="now")
def diff(session: Session, before: str, after: str) -> None:
    """Compare two snapshots: by default the newest that is kept (last) with the assets of now.

    BEFORE and AFTER are files, times (7d, 2026-11-24), 'last' or 'now'.
    """
    from ringfence.operations.assets import compare

    compared = compare(session.estate, before, after)
    one, other, found = compared.before, compared.after, compared.difference
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


assets.add_command(kept_snapshots, "snapshots")


@command("history", "assets history db-1", group=assets, question=True)
@click.argument("name")
@click.option("--last", "most", default=MOST, show_default=True, help="How many of the newest snapshots are read.")
def history(session: Session, name: str, most: int) -> None:
    """Say when an asset was first seen, what changed on it in which snapshot, and which rollouts reached it."""
    from ringfence.operations.asset_history import asset_history

    found = asset_history(session.estate, name, most)
    if session.output.as_json:
        session.output.data(found.data())
        return
    session.output.table(
        ("when (UTC)", "what", "from"), ((f"{one.time:%Y-%m-%d %H:%M:%S}", one.text, one.of) for one in found.events)
    )
    session.output.line(found.words())


@command("keep", group=assets)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file instead.")
def keep(session: Session, output: Path | None) -> None:
    """Keep a snapshot of the assets as they are now; plan and flows do so by themselves."""
    from ringfence.operations.assets import keep as kept
    from ringfence.operations.assets import stale_count

    found = kept(session.estate, output).assets
    if session.output.as_json:
        session.output.data({"assets": len(found), "stale": stale_count(found)})
    session.output.line(f"{counted(len(found), 'asset')} kept")


@command("accept", group=assets)
def accept(session: Session) -> None:
    """Believe sources and hosts as they are: what only a silent source named goes, and hosts' new addresses count."""
    from ringfence.operations.assets import accept as accepted

    done = accepted(session.estate)
    waiting, gone = done.claims, done.gone
    if session.output.as_json:
        addresses = [{"host": claim.host, "address": claim.address} for claim in waiting]
        told = {"addresses": addresses} if waiting else {}
        session.output.data({"assets": len(done.assets), "gone": list(gone), **told})
    session.output.line(f"{counted(len(done.assets), 'asset')} kept, {len(gone)} gone: {', '.join(gone) or 'none'}")
    for claim in waiting:
        session.output.line(f"{claim.host} has {claim.address}", style="yellow")


@command("claims", group=assets)
def claims(session: Session) -> None:
    """List the addresses that hosts alone say they have: what counts, what waits for 'accept', what is another's."""
    from ringfence.operations.assets import claims as claimed

    rows = claimed(session.estate)
    if session.output.as_json:
        session.output.data(
            [
                {"host": claim.host, "address": claim.address, "state": state, "holder": holder or None}
                for claim, state, holder in rows
            ]
        )
        return
    session.output.table(
        ("host", "address", "state", "held by"),
        ((claim.host, claim.address, state, holder) for claim, state, holder in rows),
    )
    count = sum(state == "counts" for _, state, _ in rows)
    session.output.line(f"{counted(len(rows), 'address', 'addresses')}, of which {count} count")


@command("contradictions", group=assets)
def contradicted(session: Session) -> None:
    """List what the sources of one machine say differently; the first one counts."""
    from ringfence.operations.assets import contradicted as found_contradicted
    from ringfence.presenting.asset_view import value_text

    found = found_contradicted(session.estate)
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
