"""`ringfence snapshots`: the kept snapshots of the assets, listed and forgotten."""

from __future__ import annotations

from datetime import datetime

import click

from ringfence.cli.default_group import LISTING, DefaultGroup
from ringfence.cli.forgetting import Asked, forget_asked, forget_options
from ringfence.cli.session import Session, command


@click.group("snapshots", cls=DefaultGroup, otherwise=LISTING)
def snapshots() -> None:
    """List the kept snapshots of the assets, and forget old ones."""


@command(LISTING, "snapshots", "snapshots --json", group=snapshots)
def listing(session: Session) -> None:
    """List the snapshots that are kept; flows are judged by the one of their time."""
    from ringfence.operations.assets import kept_snapshots

    kept = kept_snapshots(session.estate)
    if session.output.as_json:
        session.output.data([one.data() for one in kept])
        return
    session.output.table(
        ("taken (UTC)", "#assets", "#stale", "file"),
        (
            (
                f"{datetime.fromisoformat(one.head.taken):%Y-%m-%d %H:%M:%S}",
                one.head.assets,
                one.head.stale,
                one.file,
            )
            for one in kept
        ),
    )


@command("forget", "snapshots forget --keep 50", "snapshots forget --before 90d --yes", group=snapshots)
@forget_options("SNAPSHOT")
def forget(session: Session, asked: Asked) -> None:
    """Forget old snapshots: SNAPSHOTs by their files' names, or all that the options mean.

    The newest stays, those that plans were made from, and those of the days of kept flows ('ringfence flows forget').
    """
    from ringfence.operations.forget_snapshots import forget_snapshots, snapshots_to_forget

    forget_asked(session, asked, "snapshot", snapshots_to_forget, forget_snapshots)
