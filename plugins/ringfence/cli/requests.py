"""`ringfence request`, `approve` and `grant`: a permission that one person asks for and another one signs."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence.cli.following import signals_cancel
from ringfence.cli.program import INTERRUPTED
from ringfence.cli.prompts import agreed, declined
from ringfence.cli.session import Session, command


@command("request", "request 2h admin-1 db-1 postgresql --because 'broken index, ticket 4711'", inventory=True)
@click.argument("within", metavar="SPAN")
@click.argument("source", metavar="FROM")
@click.argument("destination", metavar="TO")
@click.argument("service")
@click.option("--because", required=True, metavar="TEXT", help="Why; it is what the approver reads.")
def request(session: Session, within: str, source: str, destination: str, service: str, because: str) -> None:
    """Write a request for what 'allow-for' would give, as a file below emergencies/requests; commit and push it."""
    from ringfence.operations.allow_for import PermissionRequest
    from ringfence.operations.request import request_permission
    from ringfence.presenting.emergency_view import passing_lines

    wanted = PermissionRequest(within, source, destination, service, because)
    asked = request_permission(session.estate, wanted, session.execution)
    if session.output.as_json:
        passing = [one.data() for one in asked.passing]
        data = {"request": asked.request.model_dump(), "file": str(asked.path), "free": asked.free}
        session.output.data({**data, "passing_anyway": passing})
    session.output.line(f"{asked.request.id} asks for it: {asked.path.relative_to(session.estate.directory)}")
    session.output.line(f"  → whoever may approve it: ringfence approve {asked.request.id} --key FILE")
    session.output.lines(passing_lines(asked.passing))
    if asked.free:
        text = "no entry of 'approvals' in ringfence.yml wants an approval for it: 'ringfence allow-for' with the same"
        session.output.note(
            f"{text} words gives it at once, unless its hosts have signers of their own", style="yellow"
        )


@command("approve", "approve p-1a2b3c4d --key ~/.ssh/id_ed25519_sk", inventory=True)
@click.argument("name", metavar="ID")
@click.option("--key", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Your key (ssh-keygen).")
@click.option("--yes", is_flag=True, help="Do not ask first.")
def approve(session: Session, name: str, key: Path, yes: bool) -> None:
    """Sign the request ID with your key, in a namespace of its own; it can be given within a day of the request."""
    from ringfence.operations.request import approve as signed
    from ringfence.operations.request import request_called
    from ringfence.presenting.emergency_view import request_lines

    asked = request_called(session.estate, name)
    session.output.lines(request_lines(asked.request))
    if not yes and not agreed("Approve it?"):
        declined(session.output, "nothing was signed")
    whose = signed(session.estate, asked, key.expanduser())
    if session.output.as_json:
        session.output.data({"id": name, "approved_by": list(whose), "signature": str(asked.signature)})
    session.output.line(f"{name} is approved by {' and '.join(whose)}", style="green")
    session.output.line(f"  → give it: ringfence grant {name}")


@command("grant", "grant p-1a2b3c4d", hosts=True)
@click.argument("name", metavar="ID")
def grant(session: Session, name: str) -> None:
    """Give the permission ID, which was approved: it begins now and ends by itself. Exit status as of 'allow-for'."""
    from ringfence.operations.allow_for import allow_for
    from ringfence.operations.request import granted
    from ringfence.presenting.emergency_view import carried_lines, permission_lines

    permission = granted(session.estate, name, session.execution)
    session.output.lines(permission_lines(permission))
    with signals_cancel(session.execution.cancel):
        done = allow_for(session.estate, permission, session.execution)
    session.output.lines(carried_lines(done))
    if session.output.as_json:
        session.output.data({**done.data(), **permission.data()})
    click.get_current_context().exit(INTERRUPTED if done.interrupted else done.exit_status)
