"""`ringfence confirm`: confirm, over new connections, a plan that waits on its hosts."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import plan_names


@command("confirm", "confirm latest", "confirm latest --limit web-1")
@click.argument("name", metavar="[PLAN]", default="latest", shell_complete=plan_names)
@click.option("--limit", multiple=True, metavar="HOST", help="These hosts alone.")
def confirm(session: Session, name: str, limit: tuple[str, ...]) -> None:
    """Confirm PLAN where it waits; 'ringfence apply' does that by itself unless it was interrupted."""
    from ringfence.operations.confirm import confirm as confirmed
    from ringfence.presenting.rollout_view import confirmed_lines

    done = confirmed(session.estate, name, limit, session.execution)
    if session.output.as_json:
        session.output.data({"plan": done.plan.digest, **done.result.data()})
    session.output.lines(confirmed_lines(done))
    click.get_current_context().exit(done.exit_status)
