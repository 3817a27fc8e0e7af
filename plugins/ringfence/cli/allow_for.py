"""`ringfence allow-for`: let somebody through for a while; the kernels end it, also without the controller."""

from __future__ import annotations

import click

from ringfence.cli.following import signals_cancel
from ringfence.cli.program import INTERRUPTED
from ringfence.cli.prompts import agreed, declined
from ringfence.cli.session import Session, command


@command("allow-for", "allow-for 2h admin-1 db-1 postgresql --because 'broken index, ticket 4711'", hosts=True)
@click.argument("within", metavar="SPAN")
@click.argument("source", metavar="FROM")
@click.argument("destination", metavar="TO")
@click.argument("service")
@click.option("--because", required=True, metavar="TEXT", help="Why; it stands in every answer.")
@click.option("--direct", is_flag=True, help="Over bare ssh, 50 hosts at once, without Ansible.")
@click.option("--variables", is_flag=True, help="Print the variables of the playbook 'quarantine'; reach no host.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
def allow_for(
    session: Session,
    within: str,
    source: str,
    destination: str,
    service: str,
    because: str,
    direct: bool,
    variables: bool,
    yes: bool,
) -> None:
    """Let FROM reach TO on SERVICE for SPAN (90s, 30m, 2h, 1d), whatever the application tier says.

    A guardrail that denies it stands, unless the workspace lets emergencies through. A quarantine stands above it.
    Exit status 4: some hosts hold it, others do not.
    """
    from ringfence.operations.allow_for import PermissionRequest, permission_of
    from ringfence.operations.allow_for import allow_for as carried_out
    from ringfence.operations.emergency_ends import direct_execution
    from ringfence.operations.emergency_hosts import variables_of
    from ringfence.presenting.emergency_view import carried_lines, left_to_playbook, permission_lines

    request = PermissionRequest(within, source, destination, service, because)
    permission = permission_of(session.estate, request, session.execution)
    if variables:
        session.output.notes((*permission_lines(permission), *left_to_playbook(permission.order)))
        session.output.data(variables_of(session.estate, permission.order, permission.entries))
        return
    session.output.lines(permission_lines(permission))
    if not yes and not agreed("Let it through?"):
        declined(session.output, "nothing was changed")
    execution = direct_execution(session.estate, session.execution) if direct else session.execution
    with signals_cancel(execution.cancel):
        done = carried_out(session.estate, permission, execution)
    session.output.lines(carried_lines(done))
    if session.output.as_json:
        session.output.data({**done.data(), **permission.data()})
    click.get_current_context().exit(INTERRUPTED if done.interrupted else done.exit_status)
