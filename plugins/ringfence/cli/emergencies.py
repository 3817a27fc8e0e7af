"""`ringfence emergencies`, `release` and `end`: what stands, and its end before its time."""

from __future__ import annotations

import click

from ringfence.cli.following import signals_cancel
from ringfence.cli.program import INTERRUPTED
from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import asset_names

EXCUSE = "A host that is gone for good: it is not asked, and is taken not to hold it any more."


@command(
    "emergencies",
    "emergencies",
    "emergencies --all --json",
    "emergencies role=db --kind permission --since 7d",
    "emergencies --state waiting",
    inventory=True,
)
@click.argument("what", metavar="[SELECTOR]...", nargs=-1, shell_complete=asset_names)
@click.option("--all", "every", is_flag=True, help="Also those that were released or have ended.")
@click.option("--kind", type=click.Choice(("quarantine", "permission")), help="These alone.")
@click.option("--state", type=click.Choice(("standing", "ended", "waiting")), help="These alone; waiting are requests.")
@click.option("--since", default="", metavar="TIME", help="Begun or asked for since: 90m, 24h, 7d, a date or time.")
def emergencies(
    session: Session, what: tuple[str, ...], every: bool, kind: str | None, state: str | None, since: str
) -> None:
    """List the quarantines and permissions that this workspace knows of, and requests that wait for an approval.

    SELECTORs choose those about these assets and addresses, and those that these hosts hold. 'ringfence info' asks
    hosts instead.
    """
    from ringfence.model.emergencies import Kind
    from ringfence.operations.emergencies import Choice, State
    from ringfence.operations.emergencies import emergencies as listed
    from ringfence.presenting.emergency_view import COLUMNS, REQUEST_COLUMNS, new_lines, rows, waiting_rows

    choice = Choice(every, what, Kind(kind) if kind else None, State(state) if state else None, since)
    found = listed(session.estate, choice, session.execution)
    if session.output.as_json:
        session.output.data(found.data())
        return
    if found.orders:
        session.output.table(COLUMNS, rows(found.orders, found.now))
        session.output.lines(new_lines(found))
    if found.waiting:
        session.output.table(REQUEST_COLUMNS, waiting_rows(found.waiting))
    if not found.orders and not found.waiting:
        chosen = what or kind or state or since
        session.output.line("nothing of this" if chosen else "there was no emergency" if every else "nothing stands")


@command("release", "release q-1a2b3c4d", hosts=True)
@click.argument("name", metavar="ID")
@click.option("--direct", is_flag=True, help="Over bare ssh, 50 hosts at once, without Ansible.")
@click.option("--everywhere", is_flag=True, help="Ask every host, also where this workspace does not know ID.")
@click.option("--excuse", "excused", multiple=True, metavar="HOST", help=EXCUSE)
def release(session: Session, name: str, direct: bool, everywhere: bool, excused: tuple[str, ...]) -> None:
    """End the quarantine ID on every host that may hold it; repeat it until every host was reached.

    Exit status 0: no host holds it any more; 4: some may.
    """
    _ended(session, name, "quarantine", direct=direct, everywhere=everywhere, excused=excused)


@command("end", "end p-1a2b3c4d", hosts=True)
@click.argument("name", metavar="ID")
@click.option("--direct", is_flag=True, help="Over bare ssh, 50 hosts at once, without Ansible.")
@click.option("--everywhere", is_flag=True, help="Ask every host, also where this workspace does not know ID.")
@click.option("--excuse", "excused", multiple=True, metavar="HOST", help=EXCUSE)
def end(session: Session, name: str, direct: bool, everywhere: bool, excused: tuple[str, ...]) -> None:
    """End the permission ID before its time; repeat it until every host was reached."""
    _ended(session, name, "permission", direct=direct, everywhere=everywhere, excused=excused)


def _ended(session: Session, name: str, kind: str, *, direct: bool, everywhere: bool, excused: tuple[str, ...]) -> None:
    from ringfence.model.emergencies import Kind
    from ringfence.operations.emergency_ends import direct_execution
    from ringfence.operations.release import release as released
    from ringfence.presenting.emergency_view import carried_lines

    session.estate.hurry()
    execution = direct_execution(session.estate, session.execution) if direct else session.execution
    with signals_cancel(execution.cancel):
        done = released(session.estate, name, Kind(kind), execution, everywhere=everywhere, excused=excused)
    session.output.lines(carried_lines(done))
    if session.output.as_json:
        session.output.data(done.data())
    click.get_current_context().exit(INTERRUPTED if done.interrupted else done.exit_status)
