"""`ringfence rollback`: put the last confirmed table back where another one waits for its confirmation."""

from __future__ import annotations

import click

from ringfence.cli.completing import plan_names
from ringfence.cli.session import Session, command


@command("rollback", "rollback", "rollback latest --limit web-1")
@click.argument("name", metavar="[PLAN]", default="latest", shell_complete=plan_names)
@click.option("--limit", multiple=True, metavar="HOST", help="These hosts alone.")
def rollback(session: Session, name: str, limit: tuple[str, ...]) -> None:
    """Take hosts where PLAN waits unconfirmed back to what they held.

    A plan that is confirmed is taken back by a plan: 'ringfence plan --restore EARLIER', then apply.
    """
    from ringfence.cli.apply import chosen_plan
    from ringfence.cli.driving import drive, exit_status, tell_failed

    plan, directory = chosen_plan(session, name)
    outcome = drive(session, "rollback", {"ringfence_plan": str(directory)}, sorted(plan.hosts), limit=limit)
    if session.output.as_json:
        session.output.data({"plan": plan.digest, **outcome.data()})
    changed = sorted(name for name, host in outcome.hosts.items() if host.changed)
    session.output.line(
        f"{len(changed)} of {len(outcome.hosts)} hosts went back" + (f": {', '.join(changed)}" if changed else "")
    )
    tell_failed(session, outcome)
    if not changed and outcome.ok:
        session.output.line(
            f"nothing waited; to undo what is confirmed: ringfence plan --restore EARLIER (before {plan.short})"
        )
    click.get_current_context().exit(exit_status(outcome))
