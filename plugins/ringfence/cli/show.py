"""`ringfence show`: a plan for people, host by host and rule by rule."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import plan_names


@command("show", "show 5f3a", "show latest --host web-1")
@click.argument("name", metavar="[PLAN]", default="latest", shell_complete=plan_names)
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="These hosts alone.")
@click.option("--all", "everything", is_flag=True, help="Also what only another rule decides now, and all labels.")
def show(session: Session, name: str, hosts: tuple[str, ...], everything: bool) -> None:
    """Show PLAN (its first digits, a path; the latest unless said): waves, diff, simulation."""
    from ringfence.operations.show import shown_plan
    from ringfence.presenting.plan_view import SIMULATION_COLUMNS, difference, evidence_lines, head, simulation_rows

    chosen = shown_plan(session.estate, name, hosts)
    plan = chosen.plan
    if session.output.as_json:
        session.output.data({"plan": plan.digest, **plan.model_dump(mode="json", by_alias=True)})
        return
    session.output.lines(head(chosen))
    session.output.lines(difference(plan, hosts, everything=everything))
    session.output.line()
    session.output.lines(evidence_lines(plan))
    if rows := simulation_rows(plan):
        session.output.line(str(plan.simulation.get("summary", "")), bold=True)
        session.output.table(SIMULATION_COLUMNS, rows)
