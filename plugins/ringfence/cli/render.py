"""`ringfence render`: what a host would get, to the byte."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import asset_names


@command("render", "render web-1", question=True)
@click.argument("host", shell_complete=asset_names)
@click.option("--enforcer", metavar="NAME", help="Another backend than the host's own.")
def render(session: Session, host: str, enforcer: str | None) -> None:
    """Print the ruleset that HOST would get."""
    from ringfence.operations.render import render as rendered

    made = rendered(session.estate, host, enforcer)
    if session.output.as_json:
        session.output.data({"host": host, "enforcer": made.enforcer, "table": made.table, "ruleset": made.text})
        return
    click.echo(made.text.encode(), nl=False)
