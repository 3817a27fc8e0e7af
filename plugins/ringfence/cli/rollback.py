"""`ringfence rollback`: put the last confirmed table back where another one waits for its confirmation."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import plan_names


@command("rollback", "rollback", "rollback latest --limit web-1")
@click.argument("name", metavar="[PLAN]", default="latest", shell_complete=plan_names)
@click.option("--limit", multiple=True, metavar="HOST", help="These hosts alone.")
def rollback(session: Session, name: str, limit: tuple[str, ...]) -> None:
    """Take hosts where PLAN waits unconfirmed back to what they held.

    A plan that is confirmed is taken back by a plan: 'ringfence plan --restore EARLIER', then apply.
    """
    from ringfence.operations.rollback import roll_back
    from ringfence.presenting.rollout_view import rolled_back_lines

    done = roll_back(session.estate, name, limit, session.execution)
    if session.output.as_json:
        session.output.data({"plan": done.plan.digest, **done.result.data()})
    session.output.lines(rolled_back_lines(done))
    click.get_current_context().exit(done.exit_status)
