"""`ringfence confirm`: confirm, over new connections, a plan that waits on its hosts."""

from __future__ import annotations

import click

from ringfence.cli.completing import plan_names
from ringfence.cli.session import Session, command


@command("confirm", "confirm latest", "confirm latest --limit web-1")
@click.argument("name", metavar="[PLAN]", default="latest", shell_complete=plan_names)
@click.option("--limit", multiple=True, metavar="HOST", help="These hosts alone.")
def confirm(session: Session, name: str, limit: tuple[str, ...]) -> None:
    """Confirm PLAN where it waits; 'ringfence apply' does that by itself unless it was interrupted."""
    from ringfence.cli.apply import chosen_plan
    from ringfence.cli.driving import drive, exit_status, tell_failed

    plan, directory = chosen_plan(session, name)
    outcome = drive(session, "confirm", {"ringfence_plan": str(directory)}, sorted(plan.hosts), limit=limit)
    if session.output.as_json:
        session.output.data({"plan": plan.digest, **outcome.data()})
    well = sum(host.ok for host in outcome.hosts.values())
    session.output.line(f"plan {plan.short}: {well}/{len(outcome.hosts)} hosts confirmed")
    tell_failed(session, outcome)
    click.get_current_context().exit(exit_status(outcome))
