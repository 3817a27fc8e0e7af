"""`ringfence blast`: what one asset reaches, over how many hops, now and under the draft."""

from __future__ import annotations

from itertools import islice

import click

from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import asset_names


@command(
    "blast",
    "blast web-1",
    "blast web-1 --hops 2 --by app",
    "blast bastion-1 --service tcp/22",
    "blast web-1 --json",
    question=True,
    in_force=True,
)
@click.argument("asset", shell_complete=asset_names)
@click.option("--hops", type=click.IntRange(min=1), help="Hops at most; as many as there are unless said.")
@click.option("--service", "services", metavar="SERVICE", help="Every hop on one of these services: tcp/22,tcp/3389.")
@click.option(
    "--by", "keys", multiple=True, metavar="KEY", help="Labels to tell assets apart by. [app, role, env, loc]"
)
@click.option("--limit", type=click.IntRange(min=1), default=40, show_default=True, help="Rows of a table at most.")
def blast(
    session: Session, asset: str, hops: int | None, services: str | None, keys: tuple[str, ...], limit: int
) -> None:
    """Say what whoever holds ASSET reaches from it, and from there on, by what hosts enforce now and by the files.

    Where nothing is enforced everything passes. Built-ins are left out.
    """
    from ringfence.operations.blast import BlastRequest
    from ringfence.operations.blast import blast as found_of
    from ringfence.presenting import blast_view as view

    found = found_of(session.estate, BlastRequest(asset, hops, services, keys), session.execution)
    output = session.output
    if output.as_json:
        output.data(found.data())
        return
    output.lines(view.now_lines(found))
    if found.now.groups:
        output.table(view.COLUMNS, view.group_rows(found.now.groups[:limit]))
        _more(session, len(found.now.groups) - limit)
    output.lines(view.outside_lines(found))
    output.lines(view.draft_lines(found))
    changes = list(view.change_rows(found))
    if changes:
        output.table(view.CHANGES, islice(changes, limit))
        _more(session, len(changes) - limit)


def _more(session: Session, more: int) -> None:
    if more > 0:
        session.output.line(f"{more:,} more (--limit, --json)")
