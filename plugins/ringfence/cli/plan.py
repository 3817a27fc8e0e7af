"""`ringfence plan`: make the one artefact that apply takes."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence.cli.flow_options import flow_options
from ringfence.cli.session import Session, command


@command("plan", "plan", "plan --since 24h", "plan --rebase", "plan --restore 5f3a", hosts=True)
@flow_options
@click.option("--no-flows", is_flag=True, help="Look at no flows: the plan says nothing of what it does to traffic.")
@click.option("--rebase", is_flag=True, help="First ask the hosts what they hold, and plan from that.")
@click.option("--restore", metavar="PLAN", help="Bring back what an earlier plan gave: a rollback is a plan too.")
@click.option("--drop", multiple=True, metavar="HOST", help="This host may go missing; it keeps what it holds.")
@click.option("--drop-missing", is_flag=True, help="Every host that is not in the inventory any more may go missing.")
@click.option("--sign", "key", type=click.Path(path_type=Path, exists=True), help="Sign with this key (ssh-keygen).")
@click.option("--force-lockout-test", is_flag=True, hidden=True)
def plan(
    session: Session,
    flows_files: tuple[Path | str, ...],
    flows_format: str,
    fields: str,
    since: str | None,
    until: str | None,
    no_flows: bool,
    rebase: bool,
    restore: str | None,
    drop: tuple[str, ...],
    drop_missing: bool,
    key: Path | None,
    force_lockout_test: bool,
) -> None:
    """Compile, compare with what hosts hold, simulate, and write a plan into plans/."""
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.plan import PlanRequest, make_plan
    from ringfence.presenting.plan_view import made_lines

    flows = None if no_flows else FlowSelection(flows_files, flows_format, since, until, fields)
    request = PlanRequest(flows, rebase, restore, drop, drop_missing, key, force_lockout_test)
    made = make_plan(session.estate, request, session.execution)
    if session.output.as_json:
        plan = made.draft.plan
        data = {"plan": plan.digest, "directory": str(made.directory), "wrong": made.wrong}
        session.output.data({**data, **plan.model_dump(mode="json", by_alias=True)})
    else:
        session.output.lines(made_lines(made, flows))
    if flows is not None and made.wrong:
        click.get_current_context().exit(2)
